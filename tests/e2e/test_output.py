"""Where results go: folders that can't be written, traces, and what a killed run leaves."""
import fcntl
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import time
import wave

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


def laughs(n_pages, bad):
    """A PDF whose page `bad` takes for ever: forms within forms, ten times each."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", None,
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]

    def stream(text, extra=b""):
        objects.append(b"<< %s /Length %d >>\nstream\n%s\nendstream" % (extra, len(text), text))
        return len(objects)

    inner = stream(b"0 0 m 9 9 l S", b"/Type /XObject /Subtype /Form /BBox [0 0 612 792]")
    for _ in range(12):
        inner = stream(b"/X Do " * 10, b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] "
                       b"/Resources << /XObject << /X %d 0 R >> >>" % inner)
    kids = []
    for n in range(1, n_pages + 1):
        content = stream(b"/X Do" if n == bad else b"BT /F1 11 Tf 72 720 Td (Page %d) Tj ET" % n)
        objects.append(b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources "
                       b"<< /Font << /F1 3 0 R >> /XObject << /X %d 0 R >> >> >>" % (content, inner))
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (n_pages, b" ".join(kids))
    return e2e.assemble_pdf(objects)


class NobodySaw(e2e.Case):
    """What a document announces and does not give has come in, and failed."""

    def ledger(self, name, what, *arguments, code=1):
        self.run_weft("-q", "-t", "inventory", "-o", self.out, *arguments, self.folder / name, code=code)
        record = e2e.by_name(self.out)[name]
        self.assertEqual(e2e.weft("verify", "-o", self.out).stdout, "")
        run = e2e.summary(self.out)["ledger"]
        return record, record["ledger"][what], run["pages" if what == "pages" else "milliseconds"]

    def test_pages_behind_one_that_breaks_its_decoder(self):
        (self.folder / "a.pdf").write_bytes(laughs(10, 3))
        record, pages, run = self.ledger("a.pdf", "pages", "--limit", "stall-seconds=1")
        self.assertEqual((record["status"], record["errors"][0]["code"]), ("partial", "timeout"))
        self.assertEqual(len(record["document"]["pages"]), 2)
        self.assertEqual(pages, {"in": 10, "done": 2, "failed": 8, "skipped": 0})
        self.assertEqual(run, {**pages, "left": 0})
        # The same when what was read before comes out of the journal.
        record, pages, run = self.ledger("a.pdf", "pages", "--limit", "stall-seconds=1", "--retry-failed",
                                         code=0)
        self.assertEqual(pages, {"in": 10, "done": 2, "failed": 8, "skipped": 0})
        self.assertEqual(run, {**pages, "left": 0})

    def test_and_behind_a_limit(self):
        (self.folder / "a.pdf").write_bytes(laughs(10, 3))
        _, pages, run = self.ledger("a.pdf", "pages", "--limit", "stall-seconds=1", "--limit", "pages=5")
        self.assertEqual(pages, {"in": 10, "done": 2, "failed": 3, "skipped": 5})
        self.assertEqual(run, {**pages, "left": 0})
        self.out = self.folder / "asked"
        _, pages, _ = self.ledger("a.pdf", "pages", "--limit", "stall-seconds=1", "--pages", "2-7")
        self.assertEqual(pages, {"in": 6, "done": 1, "failed": 5, "skipped": 0})

    def test_a_page_that_is_not_there(self):
        text = e2e.pdf([["One"], ["Two"], ["Three"]])
        (self.folder / "a.pdf").write_bytes(text.replace(b"5 0 R 7 0 R 9 0 R", b"5 0 R 4 0 R 9 0 R"))
        record, pages, run = self.ledger("a.pdf", "pages")
        self.assertIn(": not there", record["errors"][0]["message"])
        self.assertEqual(pages, {"in": 3, "done": 2, "failed": 1, "skipped": 0})
        self.assertEqual(run, {**pages, "left": 0})

    def recording(self, name, seconds, beat=b""):
        """Two seconds at a time; silence, as a hole, where there is no beat."""
        with wave.open(str(self.folder / name), "wb") as sound:
            sound.setparams((1, 2, 16000, 0, "NONE", ""))
            for _ in range(seconds // 2 if beat else 0):
                sound.writeframes(beat)
        if not beat:
            header = (self.folder / name).read_bytes()
            n_bytes = seconds * 32000
            header = header[:4] + struct.pack("<I", n_bytes + 36) + header[8:40] + struct.pack("<I", n_bytes)
            (self.folder / name).write_bytes(header)
            os.truncate(self.folder / name, n_bytes + 44)

    def test_seconds_behind_the_limit_of_output(self):
        loud = b"".join(struct.pack("<h", (i * 991) % 20001 - 10000) for i in range(16000))
        self.recording("a.wav", 2400, loud + bytes(32000))
        record, seconds, run = self.ledger("a.wav", "seconds", "--limit", "output-bytes=65536")
        self.assertIn("output-bytes", record["errors"][0]["message"])
        self.assertEqual((seconds["in"], seconds["failed"]), (2400, 0))
        self.assertGreater(seconds["done"], 0)
        self.assertEqual((run["in"], run["failed"], run["left"]), (2400000, 0, 0))

    def test_seconds_behind_a_timeout(self):
        self.recording("a.wav", 24000)
        record, seconds, run = self.ledger("a.wav", "seconds", "--limit", "total-seconds=0.5")
        self.assertEqual(record["errors"][0]["code"], "timeout")
        if record["document"]["tracks"]:  # the decoder got as far as to say how long it is
            self.assertEqual(seconds["in"], 24000)
            self.assertEqual(run["in"], 24000000)
        self.assertEqual(seconds["in"], seconds["done"] + seconds["failed"])
        self.assertEqual(run["failed"] > 0, seconds["failed"] > 0)


class State(e2e.Case):
    """A state folder elsewhere belongs to one output folder."""

    def run_to(self, out, code=0):
        done = e2e.weft("run", "-q", "-t", "inventory", "-o", out, "--state", "state",
                        e2e.INBOX / "annual-report.pdf", cwd=self.folder)
        self.assert_code(done, code)
        return done.stderr

    def test_of_another_folder(self):
        self.run_to("one")
        said = self.run_to("two", code=3)
        self.assertIn(f"{self.folder}/one", said)
        self.assertIn("--state", said)
        self.run_to("one")
        self.assertEqual(e2e.records(self.folder / "two"), {})

    def test_moved_and_gone(self):
        self.run_to("one")
        before = e2e.records(self.folder / "one")
        (self.folder / "one").rename(self.folder / "two")
        self.run_to("two")
        self.assertEqual(e2e.records(self.folder / "two"), before)
        shutil.rmtree(self.folder / "two")
        self.run_to("three")  # nobody has it any more
        self.assertEqual(e2e.records(self.folder / "three"), before)

if __name__ == "__main__":
    e2e.main()
