"""A failure is new until a run that came to its end has told of it, whoever wrote the record."""
import json
import os
import shutil
import signal
import subprocess
import time

import e2e


class Untold(e2e.Case):
    N = 150

    def setUp(self):
        super().setUp()
        self.inbox = self.folder / "in"
        self.inbox.mkdir()
        shutil.copyfile(e2e.INBOX / "broken.pdf", self.inbox / "000.pdf")
        shutil.copyfile(e2e.INBOX / "broken.pdf", self.inbox / "copy.pdf")
        for i in range(self.N):
            (self.inbox / f"{i + 1:03}.txt").write_text(f"Barge {i} passed the lock.\n")

    def failures(self):
        return [path for path in e2e.record_files(self.out)
                if json.loads(path.read_text())["status"] == "failed"]

    def end(self, by, *more, n_records=0):
        """A run that is ended when the failure is on the disk, and something is left. Its code."""
        run = subprocess.Popen([e2e.WEFT, "run", "-q", "-t", "inventory", "-o", "out", *more, "in"],
                               cwd=self.folder, stderr=subprocess.DEVNULL, start_new_session=True)
        limit = time.monotonic() + 60
        while not self.failures() or len(e2e.record_files(self.out)) < n_records:
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.002)
        if by == signal.SIGKILL:
            os.killpg(run.pid, by)
        else:
            run.send_signal(by)
        return run.wait(60)

    def kill(self, *more, n_records=0):
        self.assertEqual(self.end(signal.SIGKILL, *more, n_records=n_records), -signal.SIGKILL)
        self.assertFalse((self.out / "summary.json").exists())

    def again(self, code, *more):
        """Tells once, or not at all; the copy is never new."""
        done = self.run_weft("-q", "-t", "inventory", "-o", "out", *more, "in", code=code,
                             cwd=self.folder)
        summary = e2e.summary(self.out)
        self.assertEqual(summary["failed"], code, summary)
        self.assertEqual(done.stderr.count("failed"), code, done.stderr)
        self.assertEqual(summary["known_failures"] + summary["copies"] + code, 2, summary)
        self.assertEqual(self.marks(), [])

    def marks(self):
        return os.listdir(self.out / "state/untold")

    def test_a_run_is_killed(self):
        self.kill()
        self.assertEqual(self.marks(), [path.stem for path in self.failures()])
        self.again(1)
        self.again(0)

    def test_and_the_catalogue_is_made_anew(self):
        self.kill()
        self.assert_code(e2e.weft("rebuild-index", "-o", self.out), 0)
        self.again(1)
        self.assert_code(e2e.weft("rebuild-index", "-o", self.out), 0)
        self.again(0)

    def test_the_one_that_would_tell_is_killed_too(self):
        self.kill()
        self.kill(n_records=len(e2e.record_files(self.out)) + 1)
        self.again(1)
        self.again(0)

    def test_runs_that_join(self):
        self.kill("--join")
        self.again(1, "--join")
        self.again(0, "--join")

    def test_a_run_that_stops_leaves_it_to_the_one_that_ends(self):
        """Its code says that there is work left, not that something failed."""
        self.assertEqual(self.end(signal.SIGTERM), 130)
        self.assertEqual(e2e.summary(self.out)["failed"], 1)
        self.again(1)
        self.again(0)

    def test_another_folder_does_not_settle_it(self):
        self.kill()
        (self.folder / "other").mkdir()
        (self.folder / "other/a.md").write_text("Something else.\n")
        self.run_weft("-q", "-t", "inventory", "-o", "out", "other", code=0, cwd=self.folder)
        self.again(1)
        self.again(0)

    def test_gc_takes_the_mark_with_its_record(self):
        self.kill()
        self.assert_code(e2e.weft("rebuild-index", "-o", self.out), 0)  # its row may not be there yet
        (self.inbox / "000.pdf").unlink()
        (self.inbox / "copy.pdf").unlink()
        self.run_weft("-q", "-t", "inventory", "-o", "out", "--accept-deletions", "in", code=0,
                      cwd=self.folder)
        self.assertEqual(len(self.marks()), 1)
        self.assert_code(e2e.weft("gc", "--gone", "-q", "-o", self.out), 0)
        self.assertEqual(self.marks(), [])


if __name__ == "__main__":
    e2e.main()
