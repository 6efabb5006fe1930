"""Several runs on one output folder: nothing done twice, nothing lost, whoever is killed."""
import fcntl
import json
import os
import shutil
import signal
import struct
import subprocess
import time

import e2e

F_OFD_SETLK = 37


class Other:
    """Another run, as the runs that share the folder see it: its share of the lock and its claims."""

    def __init__(self, out, ids=()):
        self.lock = open(out / "lock", "r+")
        fcntl.flock(self.lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        self.claims = open(out / "state/claims", "r+")
        for name in ids:
            place = int(name[:16], 16) & ((1 << 62) - 1)
            fcntl.fcntl(self.claims, F_OFD_SETLK,
                        struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0))

    def end(self):
        self.lock.close()
        self.claims.close()


class Join(e2e.Case):
    N, N_COPIES = 300, 12

    def setUp(self):
        super().setUp()
        self.inbox = self.folder / "in"
        for i in range(self.N):
            path = self.inbox / f"{i % 7}/{i:03}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"Barge {i} passed the lock at {i % 24}:00.\n")
        for i in range(self.N_COPIES):
            shutil.copyfile(self.inbox / f"{i % 7}/{i:03}.txt", self.inbox / f"{i % 5}/copy {i}.txt")
        self.n_inputs = self.N + self.N_COPIES
        self.run_weft("-t", "inventory", "-o", "single", "-q", "in", code=0, cwd=self.folder)
        self.single = e2e.records(self.folder / "single")
        self.assertEqual(len(self.single), self.N)

    def command(self, *more):
        return [e2e.WEFT, "run", "-t", "inventory", "-o", "out", "--log", "json", *more, "in"]

    def start(self, *more):
        return subprocess.Popen(self.command(*more), cwd=self.folder, stderr=subprocess.PIPE,
                                text=True, start_new_session=True)

    def again(self, code, *more):
        return self.run_weft("-t", "inventory", "-o", "out", *more, "in", code=code,
                             cwd=self.folder)

    def assert_whole(self):
        """The records of the single run, nothing else, and a catalogue that knows all of them."""
        self.assertEqual(e2e.records(self.out), self.single)
        self.assertEqual([path for path in self.out.rglob(".*.tmp-*")], [])
        check = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "manifest.sha256"],
                               cwd=self.out, capture_output=True, text=True, check=False)
        self.assertEqual(check.returncode, 0, check.stdout)
        lines = (self.out / "manifest.sha256").read_text().splitlines()
        self.assertEqual(len(lines), self.N)
        self.again(0)
        self.assertEqual(e2e.summary(self.out)["unchanged"], self.n_inputs)

    def test_runs_at_once(self):
        for n in (2, 3):
            with self.subTest(runs=n):
                shutil.rmtree(self.out, ignore_errors=True)
                runs = [self.start("--join") for _ in range(n)]
                n_done = 0
                for run in runs:
                    stderr = run.communicate(timeout=300)[1]
                    self.assertEqual(run.returncode, 0, stderr)
                    counts = self.counts_of(stderr)
                    n_done += counts.get("done", 0)
                self.assertEqual(n_done, self.N)
                self.assert_whole()

    @staticmethod
    def counts_of(stderr):
        """The numbers of the last line."""
        words = json.loads(stderr.splitlines()[-1])["message"].replace(",", " ").replace(";", " ")
        words = words.split()
        return {words[i + 1]: int(words[i]) for i in range(len(words) - 1) if words[i].isdigit()}

    def test_one_is_killed(self):
        runs = [self.start("--join") for _ in range(2)]
        limit = time.monotonic() + 60
        while len(e2e.record_files(self.out)) < 20:
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.01)
        os.killpg(runs[0].pid, signal.SIGKILL)
        runs[0].communicate(timeout=60)
        stderr = runs[1].communicate(timeout=300)[1]
        self.assertEqual(runs[1].returncode, 0, stderr)
        # What it had claimed was free at once: the other one has left nothing behind.
        self.assert_whole()

    def test_a_claim_is_respected(self):
        self.again(0)
        names = sorted(path.name[:64] for path in e2e.record_files(self.out))[:3]
        for name in names:
            (self.out / "records" / name[:2] / f"{name}.json").unlink()
        manifest = (self.out / "manifest.sha256").read_bytes()
        other = Other(self.out, names)
        self.again(75)
        done = e2e.weft("rebuild-index", "-o", "out", cwd=self.folder)
        self.assert_code(done, 75)
        self.again(0, "--join")
        summary = e2e.summary(self.out)
        self.assertGreaterEqual(summary["elsewhere"], 3)
        self.assertEqual(summary["done"], 0)
        self.assertEqual(summary["unchanged"] + summary["elsewhere"], self.n_inputs)
        # Whoever ends last writes the manifest.
        self.assertEqual((self.out / "manifest.sha256").read_bytes(), manifest)
        self.assertEqual(len(e2e.record_files(self.out)), self.N - 3)
        other.end()
        self.again(0)
        self.assert_whole()

    def test_join_with_nobody_there(self):
        self.again(0, "--join")
        self.assert_whole()


if __name__ == "__main__":
    e2e.main()
