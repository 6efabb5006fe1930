"""Where results go: folders that can't be written, traces, and what a killed run leaves."""
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import time

import e2e


class Output(e2e.Case):
    def setUp(self):
        super().setUp()
        (self.folder / "a.md").write_text("A line.\n")
        self.folder.chmod(0o755)

    def inventory(self, *arguments, **keywords):
        return e2e.weft("run", "-t", "inventory", *arguments, cwd=self.folder, **keywords)

    def test_new_folders_are_private(self):
        self.assertEqual(self.inventory("-o", "out", "a.md").returncode, 0)
        self.assertEqual(self.out.stat().st_mode & 0o777, 0o700)

    def test_no_permission(self):
        self.folder.chmod(0o555)
        done = self.inventory("-o", "out", "a.md", preexec_fn=e2e.bound_by_permissions)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("out: Permission denied", done.stderr)

    def test_a_file_is_in_the_way(self):
        self.out.write_text("not a folder")
        done = self.inventory("-o", "out", "a.md")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(self.out.read_text(), "not a folder")

    def test_a_record_that_cant_be_written(self):
        self.assertEqual(self.inventory("-o", "out", "a.md").returncode, 0)
        (file,) = e2e.record_files(self.out)
        file.unlink()
        file.parent.rmdir()
        file.parent.write_text("in the way")
        done = self.inventory("-o", "out", "a.md")
        self.assertEqual(done.returncode, 74, done.stderr)
        file.parent.unlink()
        self.assertEqual(self.inventory("-o", "out", "a.md").returncode, 0)
        self.assertEqual(e2e.record_files(self.out), [file])

    def test_records_are_shown_while_a_run_goes_on(self):
        self.assertEqual(self.inventory("-o", "out", "a.md").returncode, 0)
        with open(self.out / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = e2e.weft("show", "-o", "out", cwd=self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)

    @e2e.needs("sha256sum")
    def test_the_manifest_holds(self):
        (self.folder / "b.md").write_text("Another line.\n")
        self.assertEqual(self.inventory("-o", "out", "a.md", "b.md").returncode, 0)
        subprocess.run(["sha256sum", "-c", "--quiet", "--strict", "manifest.sha256"], cwd=self.out,
                       check=True)
        self.assertEqual(len((self.out / "manifest.sha256").read_text().splitlines()), 2)


class Killed(e2e.Case):
    def test_a_killed_helper_is_started_again(self):
        """What was under way is tried again: nothing is blamed, nothing is missing."""
        pile = self.folder / "pile"
        pile.mkdir()
        sound = (e2e.INBOX / "voice-memo.flac").read_bytes()
        for i in range(150):
            (pile / f"{i:03}.flac").write_bytes(sound + b"%d" % i)
        command = [e2e.WEFT, "run", "-q", "-t", "inventory", "-j", "1", "-o", self.out, pile]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        while process.poll() is None and not e2e.record_files(self.out):
            time.sleep(0.005)
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        for child in children.split():
            if b"weft-decode-av" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
        _, errors = process.communicate(timeout=200)
        self.assertEqual(process.returncode, 0, errors)
        found = e2e.records(self.out)
        self.assertEqual(len(found), 150)
        blamed = [name for name, text in found.items() if '"status":"failed"' in text.replace(" ", "")]
        self.assertEqual(blamed, [])

    def test_a_killed_run_is_gone_on_with(self):
        pile = self.folder / "pile"
        pile.mkdir()
        for i in range(40):
            lines = [f"Document {i}, line {j}: {i * j} crates." for j in range(40)]
            (pile / f"{i:02}.pdf").write_bytes(e2e.pdf([lines] * 4))
        command = ["run", "-t", "inventory", "-j", "2", "pile", "-o"]
        process = subprocess.Popen([e2e.WEFT, *command, "out"], cwd=self.folder,
                                   stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 100
        while len(e2e.record_files(self.out)) < 3 and time.monotonic() < deadline:
            time.sleep(0.005)
        process.kill()
        process.wait()
        n_kept = len(e2e.record_files(self.out))
        for path in e2e.record_files(self.out):
            json.loads(path.read_text())  # whole, or not there
        for name in ("out", "whole"):
            done = e2e.weft(*command, name, cwd=self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(e2e.records(self.out), e2e.records(self.folder / "whole"))
        self.assertEqual(len(e2e.record_files(self.out)), 40)
        # What was whole is not decoded again.
        counts = e2e.summary(self.out)
        self.assertLessEqual(counts["done"], 40 - n_kept)
        self.assertEqual({p.suffix for p in (self.out / "records").rglob("*") if p.is_file()},
                         {".json"})


class Trace(e2e.Case):
    def test_events(self):
        done = self.run_weft("-m", e2e.BUNDLE, "--reader", "none", "--trace",
                             self.folder / "t.json", "-j", "3", "-o", "-",
                             e2e.INBOX / "annual-report.pdf", code=0)
        self.assertEqual(len(e2e.lines(done)), 1)
        events = json.loads((self.folder / "t.json").read_bytes())["traceEvents"]
        spans = [event for event in events if event["ph"] == "X"]
        for event in spans:
            self.assertGreaterEqual(min(event["ts"], event["dur"]), 0)
            self.assertIsInstance(event["pid"], int)
            self.assertIsInstance(event["tid"], int)
        self.assertLessEqual({"sniff", "decode", "window", "fuse", "generate", "merge", "record",
                              "sink"}, {event["name"] for event in spans})

    def test_a_trace_that_cant_be_written(self):
        done = e2e.weft("run", "-t", "inventory", "--trace", "no/such/t.json", "-o", "-",
                        e2e.INBOX / "notes.md", cwd=self.folder)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("no/such/t.json", done.stderr)
        self.assertFalse(os.path.exists(self.folder / "no"))


if __name__ == "__main__":
    e2e.main()
