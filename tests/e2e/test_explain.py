"""weft show --explain: what it prints of a value, and the crops and clips that it writes, beside poppler's and
FFmpeg's own. The answers are put into records that weft wrote: what is tested is the explaining."""

import csv
import json
import os
import re
import shutil
import subprocess

import numpy

import e2e

PAGES = [["Bill of the harbour.", "Nothing else here."],
         ["We built a wall.", "The total is 1,240.00 EUR in all. It is due in May.", "Thank you."]]


def raw(path, *more):
    """What FFmpeg makes of a file, as bytes."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, *more, "-"], capture_output=True, check=True)
    return done.stdout


def pixels(path):
    """height x width x 3 of a picture, as FFmpeg reads it."""
    done = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0",
                           path], capture_output=True, text=True, check=True)
    width, height = map(int, done.stdout.strip().split(","))
    data = raw(path, "-f", "rawvideo", "-pix_fmt", "rgb24")
    return numpy.frombuffer(data, numpy.uint8).reshape(height, width, 3).astype(float)


class Explain(e2e.Case):
    def run_on(self, path):
        self.run_weft("-q", "-t", "inventory", "-o", "out", path, code=0, cwd=self.folder)
        (self.path,) = e2e.record_files(self.folder / "out")
        self.id = json.loads(self.path.read_text())["id"]

    def edit(self, **members):
        record = json.loads(self.path.read_text())
        record.update(members)
        self.path.write_text(json.dumps(record))

    def explain(self, pointer, *more, code=0):
        done = e2e.weft("show", "-o", "out", "--explain", pointer, *more, self.id, cwd=self.folder)
        self.assert_code(done, code)
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.error = done.stderr
        return re.findall(r"^  (\S+(?: by)?) +(.*)$", done.stdout, re.MULTILINE)

    def evidence(self, text, kind="matched", **more):
        """As weft itself finds it."""
        record = json.loads(self.path.read_text())
        (item,) = e2e.items_with(record, text)
        first = item["text"].index(text)
        return {"kind": kind, "content": item["id"], "chars": [first, first + len(text)], "quote": text,
                "at": [e2e.place_of(item, text)], **more}

    def crop_of(self, told, name="crop"):
        return self.folder / dict(told)[name].split(" (")[0]

    @e2e.needs("pdftoppm")
    @e2e.needs("ffmpeg")
    def test_page(self):
        (self.folder / "bill.pdf").write_bytes(e2e.pdf(PAGES))
        self.run_on("bill.pdf")
        evidence = self.evidence("1,240.00", confidence=0.875, window=1)
        self.edit(answer={"items": [{"n": 1}, {"total": 1240.5}]},
                  provenance={"/items/1/total": [evidence]})
        told = self.explain("/items/1/total")
        self.assertEqual(dict(told)["value"], "1240.5")
        self.assertEqual(dict(told)["quote"], "1,240.00")
        self.assertEqual(dict(told)["sentence"], "The total is [1,240.00] EUR in all.")
        self.assertEqual(dict(told)["confidence"], "0.875")
        self.assertIn("the file's own text", dict(told)["read by"])
        self.assertTrue(dict(told)["evidence"].startswith("matched: "))
        self.assertTrue(dict(told)["place"].startswith("page 2, box "), told)
        # The box and 12 points around it, at 200 dpi.
        crop = pixels(self.crop_of(told))
        box = evidence["at"][0]["bbox"]
        x, y = [int((side - 12) * 200 / 72) for side in box[:2]]
        self.assertAlmostEqual(crop.shape[1], (box[2] - box[0] + 24) * 200 / 72, delta=2)
        self.assertAlmostEqual(crop.shape[0], (box[3] - box[1] + 24) * 200 / 72, delta=2)
        subprocess.run(["pdftoppm", "-r", "200", "-f", "2", "-l", "2", "-png", "bill.pdf", "page"],
                       cwd=self.folder, check=True)
        (page_file,) = self.folder.glob("page*.png")
        page = pixels(page_file)

        def difference(dx, dy):
            part = page[y + dy:y + dy + crop.shape[0], x + dx:x + dx + crop.shape[1]]
            return numpy.abs(part - crop).mean()

        # Of a font that is not in the file pdftoppm puts letters on whole pixels (hinting), so a bit is left.
        self.assertGreater(255 - crop.min(), 200, "there is ink in it")
        self.assertLess(difference(0, 0), 12)
        self.assertGreater(difference(8, 0), 2 * difference(0, 0))
        self.assertGreater(difference(0, 8), 2 * difference(0, 0))

    @e2e.needs("ffmpeg")
    def test_picture(self):
        shutil.copy(e2e.INBOX / "chart.png", self.folder)
        self.run_on("chart.png")
        self.edit(answer={"shop": "x"}, provenance={"/shop": [
            {"kind": "pointed", "confirmed": False, "at": [{"bbox": [100, 50, 180, 82]}]}]})
        told = self.explain("/shop")
        self.assertIn("hint", dict(told)["evidence"])
        self.assertIn("something else", dict(told)["confirmed"])
        crop, whole = pixels(self.crop_of(told)), pixels(self.folder / "chart.png")
        self.assertEqual(crop.shape, (32 + 32, 80 + 32, 3))
        self.assertTrue((crop == whole[34:98, 84:196]).all())
        self.assertGreater(crop.std(), 1)

    @e2e.needs("ffmpeg")
    def test_lines(self):
        """Of a quote on two lines the crop has both, and what stands beside them is pale."""
        shutil.copy(e2e.INBOX / "chart.png", self.folder)
        self.run_on("chart.png")
        boxes = [[140, 50, 180, 60], [100, 66, 130, 82]]
        self.edit(answer={"shop": "x"}, provenance={"/shop": [
            {"kind": "matched", "at": [{"bbox": [100, 50, 180, 82]}], "boxes": boxes}]})
        told = self.explain("/shop")
        self.assertEqual(dict(told)["lines"].split(";")[0], "2")
        crop, whole = pixels(self.crop_of(told)), pixels(self.folder / "chart.png")
        expected = (whole[34:98, 84:196] + 255) // 2
        for x0, y0, x1, y1 in boxes:  # and a pixel around each
            expected[y0 - 35:y1 - 33, x0 - 85:x1 - 83] = whole[y0 - 1:y1 + 1, x0 - 1:x1 + 1]
        self.assertTrue((crop == expected).all())
        self.assertFalse((crop == whole[34:98, 84:196]).all())

    def test_row(self):
        """Of a table the row, of a quote over two lines one line."""
        (self.folder / "a.md").write_text("One.\n")
        self.run_on("a.md")
        self.edit(answer={"q": 12}, content=[{"id": "c1", "kind": "table", "text": "a\t7\nb c\t12\t9\nd\t8",
                                              "by": "file", "at": []}],
                  provenance={"/q": [{"kind": "matched", "content": "c1", "chars": [8, 10], "quote": "12", "at": []},
                                     {"kind": "matched", "content": "c1", "chars": [0, 5], "quote": "a\t7\nb", "at": []}]})
        told = self.explain("/q")
        self.assertEqual([text for name, text in told if name in ("row", "quote")],
                         ["12", "b c | [12] | 9", "a 7 b", "[a | 7 b] c | 12 | 9"])

    @e2e.needs("ffmpeg")
    def test_sound(self):
        shutil.copy(e2e.INBOX / "interview.mp3", self.folder)
        self.run_on("interview.mp3")
        self.edit(answer={"who": ["Anna", "Ben"]}, content=[
            {"id": "c1", "kind": "speech", "text": "I am Anna. He is Ben.", "by": "whisper", "speaker": "S1",
             "confidence": 0.5, "at": [{"track": 1, "time": [3, 5]}]}],
                  provenance={"/who/1": [{"kind": "matched", "content": "c1", "chars": [17, 20], "quote": "Ben",
                                          "at": [{"track": 1, "time": [3.25, 4]}]}]})
        told = self.explain("/who/1")
        self.assertEqual(dict(told)["sentence"], "He is [Ben].")
        self.assertEqual(dict(told)["read by"], "Whisper, from sound, sure of it 0.500")
        clip = numpy.frombuffer(raw(self.crop_of(told, "clip"), "-f", "s16le"), "<i2").astype(int)
        whole = numpy.frombuffer(raw(self.folder / "interview.mp3", "-f", "f32le", "-ac", "1", "-ar", "16000"), "<f4")
        part = whole[int(2.25 * 16000):5 * 16000]  # a second around it
        self.assertEqual(len(clip), len(part))
        self.assertGreater(numpy.abs(clip).max(), 1000)
        self.assertLessEqual(numpy.abs(clip - part * 32768).max(), 1)
        self.assertEqual(len(self.explain("/who")), 5 + 7 + 2 - 2 - 2, self.explain("/who"))

    def test_changed_and_gone(self):
        (self.folder / "bill.pdf").write_bytes(e2e.pdf(PAGES))
        self.run_on("bill.pdf")
        self.edit(answer={"total": 1240}, provenance={"/total": [self.evidence("1,240.00")]})
        (self.folder / "bill.pdf").write_bytes(e2e.pdf(PAGES) + b"\n")
        self.assertIn("bill.pdf is no file any more with the bytes", dict(self.explain("/total", code=1))["crop"])
        os.remove(self.folder / "bill.pdf")
        os.mkfifo(self.folder / "bill.pdf")
        self.assertIn("none: ", dict(self.explain("/total", code=1))["crop"])
        self.assertFalse((self.folder / "out/crops").exists())

    def test_a_copy_will_do_and_a_password_is_known(self):
        shutil.copy(e2e.SOURCE / "tests/ingest/data/encrypted.pdf", self.folder / "a.pdf")
        shutil.copy(self.folder / "a.pdf", self.folder / "b.pdf")
        (self.folder / "passwords").write_text("geheim\n")
        self.run_weft("-q", "-t", "inventory", "--password-file", "passwords", "-o", "out", "a.pdf", "b.pdf",
                      code=0, cwd=self.folder)
        (self.path,) = e2e.record_files(self.folder / "out")
        self.id = json.loads(self.path.read_text())["id"]
        os.remove(self.folder / "a.pdf")
        self.edit(answer={"x": 1}, provenance={"/x": [{"kind": "matched", "at": [{"page": 1}]}]})
        self.assertTrue(self.crop_of(self.explain("/x")).exists())

    def test_no_evidence(self):
        (self.folder / "a.md").write_text("One.\n")
        self.run_on("a.md")
        hostile = "\x1b[31m\u202e\n"
        self.edit(answer={"a": 1, "b": None, hostile: hostile, "d": []}, absent={"/b": "unreadable"},
                  provenance={"/" + hostile: [{"kind": "none"}]},
                  content=[{"id": "c1", "kind": "text", "text": hostile, "by": hostile, "at": []}])
        self.assertEqual(self.explain("/a"), [("value", "1"), ("evidence", "none is noted")])
        self.assertEqual(self.explain("/b"), [("value", "null"), ("status", "unreadable")])
        self.assertEqual(dict(self.explain("/" + hostile))["evidence"], "none: it was not found in what was read")
        self.assertEqual(len(self.explain("")), 2 + 2 + 2 + 1)
        for pointer in ("/nowhere", "a", "/a/b", "/d/0"):
            self.assertEqual(self.explain(pointer, code=3), [])
        self.assertIn("there are a, b", self.error if self.explain("/nowhere", code=3) == [] else "")
        done = e2e.weft("show", "-o", "out", "--explain", "/a", cwd=self.folder)
        self.assert_code(done, 2)

    def test_a_place_that_is_none(self):
        """A record may be anybody's."""
        (self.folder / "bill.pdf").write_bytes(e2e.pdf(PAGES))
        self.run_on("bill.pdf")
        for at in ({"page": 99}, {"page": 1, "bbox": [1e308, -1e308, -1e308, 1e308]}, {"time": [-1, 5]},
                   {"page": 4294967296, "bbox": [0, 0, 1, 1]}, {"time": [1e300, 1e301]}):
            self.edit(answer={"x": 1}, provenance={"/x": [
                {"kind": "matched", "content": "c1", "chars": [5, 4294967295], "at": [at],
                 "boxes": [[1e308, -1e308, 7, 1e308], [0, 0, 1e308, 1e308], ["x"]]}]})
            done = e2e.weft("show", "-o", "out", "--explain", "/x", self.id, cwd=self.folder)
            self.assertIn(done.returncode, (0, 1), (at, done.stderr))
            self.assertEqual(done.returncode == 0, "  crop        out/crops" in done.stdout or
                             "clip" in done.stdout, (at, done.stdout))

    def test_an_id_that_is_none(self):
        (self.folder / "bill.pdf").write_bytes(e2e.pdf(PAGES))
        self.run_on("bill.pdf")
        for identity in ("x", "sha256:../../../../y", None, "sha256:" + "g" * 64):
            self.edit(id=identity, answer={"total": 1}, provenance={"/total": [{"kind": "matched", "at": [{"page": 1}]}]})
            done = e2e.weft("show", "-o", "out", "--explain", "/total", self.id, cwd=self.folder)
            self.assertEqual(done.returncode, 3, (identity, done.stdout, done.stderr))
            e2e.weft("export", "-o", "out", "-f", "txt", "--to", "texts", self.id, cwd=self.folder)
        self.assertEqual(sorted(os.listdir(self.folder)), ["bill.pdf", "out", "texts"])
        self.assertFalse((self.folder / "out/crops").exists())

    def test_corrected(self):
        (self.folder / "bill.pdf").write_bytes(e2e.pdf(PAGES))
        self.run_on("bill.pdf")
        self.edit(answer={"total": 1240.5, "due": "May"}, provenance={"/total": [self.evidence("1,240.00")]})
        before = self.path.read_bytes()
        with open(self.folder / "out/corrections.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([(self.id, "/total", "1240", "anna", "2026-11-21"),
                                        (self.id, "/due", '"May"', "ben\x1b[31m", "today")])
        told = dict(self.explain("/total"))
        self.assertEqual([told["value"], told["status"], told["corrected"], told["quote"]],
                         ["1240", "corrected", "by anna, 2026-11-21; the answer was 1240.5", "1,240.00"])
        self.assertEqual(dict(self.explain("/due"))["confirmed"], "by ben\\x1B[31m, today")
        shown = e2e.weft("show", "-o", "out", self.id, cwd=self.folder).stdout
        self.assertRegex(shown, r"\ncorrections\n  /total +by anna 2026-11-21; the answer was 1240.5\n"
                                r"  /due +by ben\\x1B\[31m today: it is so\n")
        self.assertRegex(shown, r"\n  total +1240\n")
        self.assertEqual(self.path.read_bytes(), before)


e2e.main()
