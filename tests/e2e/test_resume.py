"""What was read is not read again, what was answered is not asked again: after a kill, and for another
question."""
import json
import math
import pathlib
import shutil
import signal
import struct
import subprocess
import time
import wave

import e2e
import journal

N_PAGES = 400  # some seconds of decoding


def page(number):
    return [f"Page {number} of the log of the harbour office."] + [
        f"{number}.{i} The tug came in at {i} with {number * i % 97} tons." for i in range(1, 30)]


class Resume(e2e.Case):
    def setUp(self):
        super().setUp()
        self.log = self.folder / "log.pdf"

    def write_log(self, n_pages):
        self.log.write_bytes(e2e.pdf([page(n + 1) for n in range(n_pages)]))

    def killed_when(self, is_time, *arguments):
        """Runs weft into self.out and kills it, with its helpers, when the test says so."""
        process = subprocess.Popen([e2e.WEFT, "run", "-q", "-o", str(self.out), *map(str, arguments)],
                                   stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while not is_time() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        self.assertEqual(process.wait(), -signal.SIGKILL, "the run had ended before it was killed")
        self.assertEqual(e2e.record_files(self.out), [])

    def in_work_with(self, kind, n_marks):
        """The journal in work that has an entry of this kind and so many marks, or None."""
        for path in journal.in_work(self.out):
            kinds = journal.kinds(path)
            if kind in kinds and kinds.count(journal.MARK) >= n_marks:
                return path
        return None

    def undisturbed(self, *arguments, code=0):
        whole = self.folder / "whole"
        shutil.rmtree(whole, ignore_errors=True)
        self.run_weft("-q", "-o", whole, *arguments, code=code)
        return e2e.records(whole)

    def assert_tidy(self):
        self.assertEqual(journal.in_work(self.out), [])

    def test_pages_after_a_kill(self):
        self.write_log(N_PAGES)
        # With a limit: it counts from the first page, whoever read it.
        arguments = ["-t", "inventory", "-j", "1", "--limit", f"pages={N_PAGES - 30}", self.log]
        whole = self.undisturbed(*arguments, code=1)
        self.killed_when(lambda: self.in_work_with(journal.PART, 40), *arguments)
        path = self.in_work_with(journal.PART, 40)
        n_pages = journal.kinds(path).count(journal.MARK) - 1  # the last one's page may be torn
        self.run_weft("-q", "-o", self.out, *arguments, code=1)
        self.assertEqual(e2e.records(self.out), whole)
        kept = e2e.summary(self.out)["pages_kept"]
        self.assertGreaterEqual(kept, 39)
        self.assertEqual(kept, n_pages)
        self.assert_tidy()

    def test_pages_come_out_of_the_journal(self):
        """Other words stand in the record: so the page was not decoded again."""
        self.write_log(N_PAGES)
        arguments = ["-t", "inventory", "-j", "1", self.log]
        whole = self.undisturbed(*arguments)
        self.killed_when(lambda: self.in_work_with(journal.PART, 20), *arguments)
        path = self.in_work_with(journal.PART, 20)
        n_marks = journal.kinds(path).count(journal.MARK)
        journal.forge(path, b"of the log of", b"of the LOG of")
        self.run_weft("-q", "-o", self.out, *arguments, code=0)
        (name, record), = e2e.records(self.out).items()
        self.assertEqual(record.count("of the LOG of"), n_marks - 1)  # what stands behind the last is torn
        self.assertEqual(record.replace("of the LOG of", "of the log of"), whole[name])

    def test_a_torn_tail(self):
        self.write_log(N_PAGES)
        arguments = ["-t", "inventory", "-j", "1", self.log]
        whole = self.undisturbed(*arguments)
        self.killed_when(lambda: self.in_work_with(journal.PART, 20), *arguments)
        saved = self.in_work_with(journal.PART, 20)
        data = saved.read_bytes()
        flipped = bytearray(data)
        flipped[len(data) // 2] ^= 1
        for torn in (data[:-1], data + bytes(5000), b"weft", bytes(flipped)):
            shutil.rmtree(self.out / "records", ignore_errors=True)
            shutil.rmtree(self.out / "state/cache", ignore_errors=True)
            for index in self.out.glob("state/catalog*"):
                index.unlink()
            saved.write_bytes(torn)
            self.run_weft("-q", "-o", self.out, *arguments, code=0)
            self.assertEqual(e2e.records(self.out), whole)
            self.assert_tidy()

    def schema(self, name, **values):
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps({
            "type": "object", "properties": {key: {"enum": [value]} for key, value in values.items()},
            "required": list(values), "additionalProperties": False}))
        return path

    def test_windows_after_a_kill(self):
        self.write_log(60)
        bundle = e2e.bundle_with(self.folder, max_position_embeddings=2048)
        arguments = ["-m", bundle, "-t", "extract", "-s", self.schema("s", place="harbour"), self.log]
        whole = self.undisturbed(*arguments)
        self.killed_when(lambda: self.in_work_with(journal.ANSWER, 4), *arguments)
        path = self.in_work_with(journal.ANSWER, 4)
        n_answers = journal.kinds(path).count(journal.ANSWER)
        self.assertEqual(journal.forge(path, b'"harbour"', b'"HARBOUR"'), n_answers)
        shutil.copytree(self.out, self.folder / "saved")
        # HARBOUR is no instance of the schema: nothing is put together with it, and that is said.
        self.run_weft("-q", "-o", self.out, *arguments, code=1)
        # The first window's answer counts: it came out of the journal.
        (name, record), = e2e.records(self.out).items()
        self.assertEqual(json.loads(record)["answer"], {"place": "HARBOUR"})
        self.assertEqual(e2e.summary(self.out)["windows_kept"], n_answers)
        self.assertLess(n_answers, json.loads(record)["ledger"]["windows"]["done"])
        self.assert_tidy()
        # And with what it had said, the record is the same.
        shutil.rmtree(self.out)
        shutil.copytree(self.folder / "saved", self.out)
        journal.forge(path, b'"HARBOUR"', b'"harbour"')
        self.run_weft("-q", "-o", self.out, *arguments, code=0)
        self.assertEqual(e2e.summary(self.out)["windows_kept"], n_answers)
        self.assertEqual(e2e.records(self.out), whole)

    def test_another_question_reads_nothing_again(self):
        self.write_log(5)
        bundle = ["-m", e2e.BUNDLE, "-t", "extract"]
        self.run_weft("-q", "-o", self.out, *bundle, "-s", self.schema("a", place="harbour"), self.log,
                      code=0)
        kept, = journal.in_cache(self.out)
        self.assertEqual(journal.kinds(kept)[-1], journal.END)
        self.assertEqual(journal.forge(kept, b"of the log of", b"of the LOG of"), 5)
        self.run_weft("-q", "-o", self.out, *bundle, "-s", self.schema("b", ship="tug"), self.log, code=0)
        self.assertEqual(e2e.summary(self.out)["pages_kept"], 5)
        answers = {tuple(json.loads(path.read_text())["answer"]): path.read_text()
                   for path in e2e.record_files(self.out)}
        self.assertEqual(answers[("place",)].count("of the LOG of"), 0)
        self.assertEqual(answers[("ship",)].count("of the LOG of"), 5)
        self.assertEqual(journal.in_cache(self.out), [kept])
        self.assert_tidy()

    @e2e.needs("tesseract")
    def test_pictures_are_read_once(self):
        """A scanned letter and a chart: read by Tesseract once, for two questions."""
        inputs = [e2e.INBOX / "scanned-letter.pdf", e2e.INBOX / "chart.png"]
        first = self.folder / "first"
        task = ["--reader", "tesseract", "-m", e2e.BUNDLE, "-t", "extract", "-s"]
        for out, name in ((first, "b"), (self.out, "a")):
            self.run_weft("-q", "-o", out, *task, self.schema(name, **{name: "x"}), *inputs, code=0)
        done = self.run_weft("--graph", "-o", self.out, *task, self.schema("b", b="x"), *inputs, code=0)
        rows = {line.split()[0]: line.split() for line in done.stderr.splitlines() if "lanes" in line}
        self.assertEqual(rows["read"][4], rows["read"][5])  # nothing was added: nothing was read
        now = e2e.records(self.out)
        for name, record in e2e.records(first).items():
            self.assertEqual(now[name], record)

    def test_unread_pictures_are_shown_again(self):
        """Without a reader the model looks at pictures: their pixels are not kept, they come anew."""
        inputs = [e2e.INBOX / "scanned-letter.pdf", e2e.INBOX / "chart.png"]
        first = self.folder / "first"
        task = ["--reader", "none", "-m", e2e.BUNDLE, "-t", "extract", "-s"]
        for out, name in ((first, "b"), (self.out, "a"), (self.out, "b")):
            self.run_weft("-q", "-o", out, *task, self.schema(name, **{name: "x"}), *inputs, code=0)
        self.assertEqual(e2e.summary(self.out)["pages_kept"], 3)
        now = e2e.records(self.out)
        for name, record in e2e.records(first).items():
            self.assertEqual(now[name], record)

    def sound(self, minutes):
        """Half a minute of a tone, half a minute of silence, and so on."""
        rate = 8000
        tone = bytes(int(128 + 100 * math.sin(440 * 2 * math.pi * i / rate)) for i in range(rate))
        path = self.folder / "night.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 1, rate, 0, "NONE", "not compressed"))
            for _ in range(minutes):
                file.writeframes(tone * 30 + b"\x80" * (30 * rate))
        return path

    def test_a_recording_after_a_kill(self):
        """Three hours; decoded again from the start, what was known is passed over."""
        path = self.sound(180)
        arguments = ["-t", "inventory", path]
        whole = self.undisturbed(*arguments)
        self.killed_when(lambda: self.in_work_with(journal.PART, 30), *arguments)
        n_kept = journal.kinds(self.in_work_with(journal.PART, 30)).count(journal.MARK)
        self.assertGreaterEqual(n_kept, 30)
        self.run_weft("-q", "-o", self.out, *arguments, code=0)
        self.assertEqual(e2e.records(self.out), whole)
        self.assert_tidy()

    def test_a_recording_with_captions_after_a_kill(self):
        """Those that went down the flow before do not come again, and none is missing."""
        path = self.sound(180)
        cues = [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}.000 --> 03:00:00.000\nWords {s}\n"
                for s in range(7, 180 * 60, 50)]
        path.with_suffix(".vtt").write_text("WEBVTT\n\n" + "\n".join(cues))
        arguments = ["-t", "inventory", path]
        whole = self.undisturbed(*arguments)
        record, = (json.loads(text) for text in whole.values())
        self.assertEqual([item["text"] for item in record["content"] if item["by"] == "sidecar"],
                         [f"Words {s}" for s in range(7, 180 * 60, 50)])
        self.killed_when(lambda: self.in_work_with(journal.PART, 30), *arguments)
        self.run_weft("-q", "-o", self.out, *arguments, code=0)
        self.assertEqual(e2e.records(self.out), whole)
        self.assert_tidy()

    def test_the_cache_is_bounded(self):
        pile = self.folder / "pile"
        pile.mkdir()
        for i in range(30):
            (pile / f"{i}.txt").write_text(f"Number {i}.\n" + "word " * 1500)
        self.run_weft("-q", "-t", "inventory", "--cache", "64K", "-o", self.out, pile, code=0)
        kept = journal.in_cache(self.out)
        self.assertGreater(len(kept), 1)
        self.assertLessEqual(sum(path.stat().st_blocks * 512 for path in kept), 64 << 10)
        # What stays are those that were read last.
        self.assertTrue(any(b"Number 9." in path.read_bytes() for path in kept))
        self.assertFalse(any(b"Number 0." in path.read_bytes() for path in kept))
        self.run_weft("-q", "-t", "inventory", "--cache", "0", "-o", self.folder / "none", pile, code=0)
        self.assertEqual(journal.in_cache(self.folder / "none"), [])
        self.assertEqual(journal.in_work(self.folder / "none"), [])

    def test_a_journal_of_hostile_entries(self):
        """Frames that hold together, of entries that don't: begun anew."""
        self.write_log(3)
        arguments = ["-t", "inventory", self.log]
        whole = self.undisturbed(*arguments)
        shutil.copytree(self.folder / "whole", self.out)
        kept, = journal.in_cache(self.out)
        for payload in (b"\x10\x00\xff\xff", b"\x11\x09", b"\x12abc", b"\x63", b"\x10"):
            shutil.rmtree(self.out / "records")
            for index in self.out.glob("state/catalog*"):
                index.unlink()
            data = kept.read_bytes()[:journal.HEADER]
            for one in (payload, b"\x02"):
                data += struct.pack("<II", len(one), journal.checksum(one)) + one
            kept.write_bytes(data)
            self.run_weft("-q", "-o", self.out, *arguments, code=0)
            self.assertEqual(e2e.records(self.out), whole)
            self.assertGreater(len(journal.load(pathlib.Path(kept))), 5)


if __name__ == "__main__":
    e2e.main()
