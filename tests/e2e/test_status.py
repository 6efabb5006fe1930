"""Status says what runs, what the last runs did and what is there, also while a run holds the lock."""
import os
import signal
import subprocess
import time

import e2e


class Status(e2e.Case):
    def setUp(self):
        super().setUp()
        self.pile = self.folder / "pile"
        self.pile.mkdir()
        for name in "abc":
            (self.pile / f"{name}.md").write_text(f"The text of {name}.\n")
        (self.pile / "broken.pdf").write_text("%PDF-1.4\nnothing\n")

    def status(self, code=0):
        done = e2e.weft("status", "-o", self.out)
        self.assert_code(done, code)
        return done.stdout

    def inventory(self, code=1):
        self.run_weft("-q", "-t", "inventory", "-o", self.out, self.pile, code=code)

    def test_after_runs(self):
        self.inventory()
        (self.pile / "d.md").write_text("More.\n")
        self.inventory(code=0)
        text = self.status()
        first, second = [line for line in text.splitlines() if " run " in line and ": done" in line]
        self.assertRegex(first, r"^last runs   run 2, .*: done; 1 done, 4 unchanged$")
        self.assertRegex(second, r"^            run 1, .*: done; 3 done, 1 failed$")
        self.assertIn("5: 4 ok, 1 failed", text)
        self.assertRegex(text, r"not whole +1 decode: corrupt, as in .*broken.pdf")
        self.assertNotIn("to go on", text)
        self.assertNotIn("running", text)

    def test_a_run_and_its_end(self):
        process, text = self.begin()
        self.assertRegex(text, r"running     run 1 since .* files, \d+ pages")
        self.assertNotIn("last runs", text)

        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        text = self.status()
        self.assertNotIn("running  ", text)
        self.assertRegex(text, r"last runs   run 1, .*: killed")
        self.assertRegex(text, r"to go on    weft run, .*-o " + str(self.out))

        self.inventory()
        text = self.status()
        self.assertRegex(text, r"last runs   run 2, .*: done")
        self.assertNotIn("to go on", text)

    def test_a_run_that_is_stopped(self):
        process, _ = self.begin()
        process.terminate()
        process.wait()
        self.assertRegex(self.status(), "last runs   run 1, .*: stopped, with work left.*\n(.*\n)*to go on")

    def begin(self):
        """A run that is under way, and what status says of it."""
        # More than a run has under way at once, with some work each.
        for i in range(400):
            (self.pile / f"{i}.pdf").write_bytes(e2e.pdf([[f"Page of {i}"]] * 3))
        command = [e2e.WEFT, "run", "-q", "-t", "inventory", "-j", "1", "-o", self.out, self.pile]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(process.kill)
        text = ""
        while process.poll() is None and "running" not in text:
            time.sleep(0.02)
            if (self.out / "records").exists():
                text = self.status()
        self.assertIsNone(process.poll(), "it was over too soon")
        return process, text

    def test_few_files_of_runs_stay(self):
        for _ in range(25):
            self.run_weft("-q", "-t", "inventory", "-o", self.out, self.pile / "a.md", code=0)
        files = sorted(int(path.name) for path in (self.out / "state/runs").iterdir())
        self.assertEqual(files[-1], 25)
        self.assertLessEqual(len(files), 21)

    def test_what_others_wrote(self):
        """No file there is believed."""
        self.inventory()
        runs = self.out / "state/runs"
        (runs / "2").write_text('{"state": "\\u001b[31m", "task": 3, "begin_s": -1, "current": ["\x1b"]')
        (runs / "3").write_text('{"state": "done", "begin_s": 18446744073709551615, "inputs": "many"}')
        (runs / "4").write_bytes(b"\0\xff" * 5000)
        (runs / "99999999999999999999999").write_text("{}")
        (runs / "name").mkdir()
        os.mkfifo(runs / "5")
        os.symlink("/etc/passwd", runs / "6")
        text = self.status()
        self.assertNotIn("\x1b", text)
        self.assertIn("last runs   run 4, ", text)
        self.assertIn(": done\n", text)
        self.assertNotIn("run 5", text)
        self.assertNotIn("run 6", text)

    def test_without_a_catalogue(self):
        self.inventory()
        for file in (self.out / "state").glob("catalog.db*"):
            file.unlink()
        self.assertIn("rebuild-index", self.status())
        (self.out / "state/catalog.db").write_bytes(b"no database" * 1000)
        self.assertIn("rebuild-index", self.status())

    def test_nothing_there(self):
        self.status(code=3)
        self.assertFalse(self.out.exists())


if __name__ == "__main__":
    e2e.main()
