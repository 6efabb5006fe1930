"""The same command again: what is new, changed, copied, renamed or lost."""
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess

import e2e


class Again(e2e.Case):
    FILES = ("annual-report.pdf", "chart.png", "interview.mp3", "notes.md", "broken.pdf",
             "minutes.docx")

    def setUp(self):
        super().setUp()
        self.inbox = self.folder / "in"
        self.inbox.mkdir()
        for name in self.FILES:
            shutil.copyfile(e2e.INBOX / name, self.inbox / name)
        self.again(1)
        self.first = e2e.records(self.out)

    def again(self, code, *more):
        return self.run_weft("-t", "inventory", "-o", "out", *more, "in", code=code,
                             cwd=self.folder)

    def assert_counts(self, **counts):
        summary = e2e.summary(self.out)
        self.assertEqual({key: summary[key] for key in counts}, counts, summary)

    def assert_not_done(self, n_inputs):
        """Opened for its hash, but its content is known: a copy, or the same as it was."""
        self.assert_counts(done=0, partial=0, failed=0, skipped=0)
        summary = e2e.summary(self.out)
        self.assertEqual(summary["copies"] + summary["unchanged"], n_inputs)

    def test_a_known_failure_that_is_gone(self):
        self.again(1, "--strict")
        (self.inbox / "broken.pdf").unlink()
        self.again(0, "--strict", "--accept-deletions")
        self.assert_counts(gone=1, unchanged=5, failed=0)

    def test_a_changed_file(self):
        path = self.inbox / "notes.md"
        path.write_text(path.read_text("utf-8") + "\nOne more line: 77 barrels.\n", "utf-8")
        self.again(0)
        self.assert_counts(done=1, unchanged=5)
        shown = e2e.weft("show", "-o", "out", "in/notes.md", cwd=self.folder)
        self.assertIn("77 barrels", shown.stdout)
        # What the path held before is kept, and lies nowhere any more.
        old = e2e.by_name(self.out)
        self.assertEqual(len(e2e.record_files(self.out)), 7)
        self.assertEqual(e2e.paths_of(old["notes.md"]), [b"in/notes.md"])
        nowhere = [json.loads(path.read_text()) for path in e2e.record_files(self.out)]
        self.assertEqual(sum(e2e.paths_of(record) == [] for record in nowhere), 1)

    def test_a_new_file(self):
        (self.inbox / "new.md").write_text("The lamp of buoy 7 is green now.\n")
        self.again(0)
        self.assert_counts(done=1, unchanged=6)
        now = e2e.records(self.out)
        self.assertEqual(len(now), 7)
        self.assertLessEqual(self.first.items(), now.items())

    def test_a_copy_joins_the_record(self):
        shutil.copyfile(self.inbox / "notes.md", self.inbox / "notes (2).md")
        self.again(0)
        self.assert_not_done(7)
        self.assertEqual(len(e2e.record_files(self.out)), 6)
        self.assertEqual(e2e.paths_of(e2e.by_name(self.out)["notes.md"]),
                         [b"in/notes (2).md", b"in/notes.md"])
        self.again(0)
        self.assert_counts(unchanged=7)

    def test_a_renamed_file(self):
        (self.inbox / "chart.png").rename(self.inbox / "graph.png")
        self.again(0)
        self.assert_not_done(6)
        self.assert_counts(gone=1)
        self.assertEqual(len(e2e.record_files(self.out)), 6)
        self.assertEqual(e2e.paths_of(e2e.by_name(self.out)["graph.png"]), [b"in/graph.png"])
        (self.inbox / "graph.png").rename(self.inbox / "chart.png")
        self.again(0)
        self.assert_not_done(6)
        self.assertEqual(e2e.records(self.out), self.first)

    def test_a_renamed_folder(self):
        (self.inbox / "sub").mkdir()
        for name in self.FILES:
            (self.inbox / name).rename(self.inbox / "sub" / name)
        self.again(0)
        self.assert_not_done(6)
        self.assert_counts(gone=6)
        for name, record in e2e.by_name(self.out).items():
            self.assertEqual(e2e.paths_of(record), [b"in/sub/" + os.fsencode(name)])

    def test_a_lost_record(self):
        lost = e2e.by_name(self.out)["chart.png"]["id"].split(":")[1]
        (self.out / "records" / lost[:2] / f"{lost}.json").unlink()
        self.again(0)
        self.assert_counts(done=1, unchanged=5)
        self.assertEqual(e2e.records(self.out), self.first)

    @e2e.needs("strace")
    def test_no_model_is_opened(self):
        """In the second run there are fewer threads: those that would help the model."""
        counts = []
        for code in (1, 0):
            log = self.folder / "trace"
            traced = subprocess.run(
                ["strace", "-f", "-qq", "-e", "trace=openat,clone,clone3", "-o", log, e2e.WEFT,
                 "run", "-m", e2e.BUNDLE, "--reader", "none", "-j", "8", "-o", "indexed", "in"],
                cwd=self.folder, capture_output=True, text=True, check=False, timeout=500,
                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
            if "ptrace" in traced.stderr or not log.exists():
                self.skipTest("strace can't trace here")
            self.assertEqual(traced.returncode, code, traced.stderr)
            text = log.read_text()
            # Each by its name in the open folder.
            opened = set(re.findall(r'openat\(\d+, "([^"]*)"', text)) & set(self.FILES)
            self.assertEqual(opened, set(self.FILES) if code == 1 else set())
            counts.append(len(re.findall(r"clone3?\(", text)))
        # Nor has any document a worker: docx is the one that no helper sees.
        self.assertLessEqual(counts[1], counts[0] - 7 - (len(self.FILES) - 1))

    def test_a_state_that_is_lost_is_made_again(self):
        shutil.rmtree(self.out / "state")
        done = self.again(0, "-q")
        self.assertEqual(json.dumps(sorted(e2e.records(self.out))), json.dumps(sorted(self.first)))
        self.assertEqual(done.stdout, "")


class Copies(e2e.Case):
    """Many files of the same bytes, whatever becomes of the run and of them."""
    N = 1500

    def setUp(self):
        super().setUp()
        for i in range(self.N):
            path = self.folder / f"in/{i % 10}/{i:04}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("The same letter to each of them.\n" if i % 5 else f"Letter {i % 20}.\n")
        self.command = ["run", "-t", "inventory", "-o", "out", "-q", "in"]

    def again(self, *more):
        done = e2e.weft(*self.command, *more, cwd=self.folder)
        self.assert_code(done, 0)
        return e2e.summary(self.out)

    def assert_paths(self):
        """Each file stands in one record, the one of its bytes."""
        found = {}
        for record in e2e.records(self.out).values():
            record = json.loads(record)
            paths = record["source"]["paths"]
            self.assertEqual(paths, sorted(set(paths)))
            for path in paths:
                self.assertNotIn(path, found)
                found[path] = record["source"]["sha256"]
        self.assertEqual(found, {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.folder.glob("in/*/*.txt")})

    def test_killed(self):
        for k in range(8):
            run = subprocess.Popen([e2e.WEFT, *self.command], cwd=self.folder,
                                   start_new_session=True)
            try:
                run.wait(0.1 + 0.1 * k)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                run.wait()
        self.again()
        self.assert_paths()
        self.assertEqual(self.again()["unchanged"], self.N)

    def test_changed_and_gone(self):
        summary = self.again()
        self.assertEqual((summary["done"], summary["copies"]), (5, self.N - 5))
        self.assert_paths()
        for i in range(0, self.N, 3):
            (self.folder / f"in/{i % 10}/{i:04}.txt").unlink()
        for i in range(1, self.N, 3):
            (self.folder / f"in/{i % 10}/{i:04}.txt").write_text(f"Letter {i % 20}, corrected.\n")
        (self.folder / "in/2").rename(self.folder / "in/renamed")
        summary = self.again("--accept-deletions")
        self.assertEqual((summary["done"], summary["gone"]), (20, 600))
        self.assert_paths()


if __name__ == "__main__":
    e2e.main()
