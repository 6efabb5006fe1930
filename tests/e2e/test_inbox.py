"""examples/inbox becomes 11 records: what is in them, and where it stands."""

import html
import re
import subprocess

import e2e

FAILED, SKIPPED = "broken.pdf", "minutes.docx"
SOUNDS = ["voice-memo.flac", "interview.mp3"]


def pdf_word(name, page, word):
    """Where pdftotext sees a word: the boxes of its places on the page."""
    text = subprocess.run(["pdftotext", "-bbox", "-f", str(page), "-l", str(page),
                           str(e2e.INBOX / name), "-"], check=True, stdout=subprocess.PIPE).stdout
    pattern = r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>'
    return [tuple(map(float, found[:4])) for found in re.findall(pattern, text.decode())
            if html.unescape(found[4]) == word]


class Inventory(e2e.Case):
    """What the files hold, with no model and no reader."""

    @classmethod
    def setUpClass(cls):
        cls.result = e2e.weft("run", "-t", "inventory", "-o", "-", e2e.INBOX)
        cls.records = e2e.named(e2e.lines(cls.result))

    def test_a_record_for_each_file(self):
        self.assert_code(self.result, 1)
        self.assertEqual(sorted(self.records), sorted(p.name for p in e2e.INBOX.iterdir()))
        self.assertEqual(len(self.records), 11)
        status = {name: r["status"] for name, r in self.records.items()}
        self.assertEqual(status.pop(FAILED), "failed")
        self.assertEqual(status.pop(SKIPPED), "skipped")
        self.assertEqual(set(status.values()), {"ok"}, status)

    def test_reasons(self):
        failed, skipped = self.records[FAILED], self.records[SKIPPED]
        self.assertEqual([(e["stage"], e["code"]) for e in failed["errors"]],
                         [("decode", "corrupt")])
        self.assertEqual((failed["content"], failed["answer"]), ([], None))
        self.assertEqual([e["code"] for e in skipped["errors"]], ["unsupported"])
        self.assertIn("Word", skipped["errors"][0]["message"])
        self.assertIn("PDF", skipped["errors"][0]["message"])  # the hint how to convert
        for name in (FAILED, SKIPPED):
            self.assertIn(name, self.result.stderr)

    @e2e.needs("sha256sum")
    def test_source(self):
        sums = subprocess.run(["sha256sum", *e2e.INBOX.iterdir()], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        for line in sums.splitlines():
            digest, path = line.split("  ")
            source = self.records[path.rsplit("/", 1)[1]]["source"]
            self.assertEqual(source["sha256"], digest)
            self.assertEqual(source["paths"], [path])
        types = {name: r["source"]["media_type"] for name, r in self.records.items()}
        self.assertEqual(types["chart.png"], "image/png")
        self.assertEqual(types["photo-receipt.jpg"], "image/jpeg")
        self.assertEqual(types["voice-memo.flac"], "audio/flac")
        self.assertEqual(types["interview.mp3"], "audio/mpeg")
        self.assertEqual(types["slides-talk.mp4"], "video/mp4")
        self.assertEqual(types["broken.pdf"], "application/pdf")

    @e2e.needs("pdftotext")
    def test_report(self):
        report = self.records["annual-report.pdf"]
        document = report["document"]
        self.assertEqual(len(document["pages"]), 2)
        self.assertEqual(document["metadata"]["title"], "Annual Report 2025")
        self.assertEqual(document["metadata"]["author"], "Kestrel Bay Harbour Authority")
        outline = [(e["title"], e["page"]) for e in document["outline"]]
        self.assertIn(("The storm", 1), outline)
        self.assertIn(("Figures", 2), outline)
        found = [e2e.place_of(c, "1,412") for c in e2e.items_with(report, "1,412")]
        on_two = [at for at in found if at["page"] == 2]
        self.assertEqual(len(on_two), 1, found)
        boxes = pdf_word("annual-report.pdf", 2, "1,412")
        self.assertTrue(any(all(abs(a - b) <= 3 for a, b in zip(on_two[0]["bbox"], box))
                            for box in boxes), (on_two, boxes))
        table = [c for c in report["content"] if c["kind"] == "table"]
        self.assertTrue(any("Vessel calls" in c["text"] and "1,284" in c["text"] for c in table))
        pictures = [c["at"][0]["page"] for c in report["content"] if c["kind"] == "image"]
        self.assertEqual(pictures, [2])

    def test_report_is_read_column_by_column(self):
        text = " ".join(" ".join(c["text"] or "" for c in
                                 self.records["annual-report.pdf"]["content"]).split())
        places = [text.index(words) for words in (
            "Annual Report 2025", "The year in short", "busiest", "61 knots", "declared an",
            "The contract was given", "There were two accidents", "The Authority employs",
            "Table 1 gives", "Questions to the office")]
        self.assertEqual(places, sorted(places))

    @e2e.needs("pdftotext")
    def test_ocr_layer(self):
        record = self.records["scanned-with-ocr-layer.pdf"]
        items = e2e.items_with(record, "223,200.00")
        self.assertEqual(len(items), 1)
        at = e2e.place_of(items[0], "223,200.00")
        self.assertEqual(at["page"], 1)
        # As tools/make_inbox.py writes it: right end at 531, baseline at 350.
        self.assertAlmostEqual(at["bbox"][2], 531, delta=3)
        self.assertTrue(at["bbox"][1] < 350 < at["bbox"][3] + 3, at)
        box = pdf_word("scanned-with-ocr-layer.pdf", 1, "223,200.00")[0]
        self.assertTrue(all(abs(a - b) <= 4 for a, b in zip(at["bbox"], box)), (at, box))
        texts = [c for c in record["content"] if c["kind"] in ("text", "table")]
        self.assertEqual({c["by"] for c in texts}, {"ocr-layer"})
        self.assertEqual(record["hidden"], [])

    def test_scan(self):
        record = self.records["scanned-letter.pdf"]
        pages = record["document"]["pages"]
        self.assertEqual([p["n"] for p in pages], [1, 2, 3])
        self.assertEqual(pages[1]["status"], "blank")
        self.assertLess(pages[1]["ink"], 0.001)
        self.assertGreater(min(pages[0]["ink"], pages[2]["ink"]), 0.01)
        blank = [c["at"][0]["page"] for c in record["content"] if c["kind"] == "blank"]
        self.assertEqual(blank, [2])

    def test_pictures(self):
        chart = self.records["chart.png"]
        self.assertEqual([c["at"][0]["bbox"] for c in chart["content"]], [[0, 0, 960, 540]])
        photo = self.records["photo-receipt.jpg"]  # 1200 x 900 in the file, lying on its side
        self.assertEqual(photo["content"][0]["at"][0]["bbox"], [0, 0, 900, 1200])
        self.assertEqual(photo["document"]["metadata"]["make"], "Lumia Optics")
        self.assertEqual(photo["document"]["metadata"]["model"], "Pocket 3")

    def test_sound(self):
        for name, title, seconds in (("voice-memo.flac", "Memo, buoy 7", 16.4),
                                     ("interview.mp3", "Interview with the chief pilot", 16.1)):
            record = self.records[name]
            tracks = record["document"]["tracks"]
            self.assertEqual([t["kind"] for t in tracks], ["audio"])
            self.assertAlmostEqual(tracks[0]["seconds"], seconds, delta=0.2)
            self.assertEqual(record["document"]["metadata"]["title"], title)
            kinds = [c["kind"] for c in record["content"]]
            self.assertLessEqual({"speech", "silence"}, set(kinds))
            times = [c["at"][0]["time"] for c in record["content"]]
            self.assertEqual(times, sorted(times))
            for before, after in zip(times, times[1:]):
                self.assertAlmostEqual(before[1], after[0], delta=0.05)
        # "Buoy seven has lost its red lamp" comes after a pause of 2.4 s, at 00:07.
        speech = [c["at"][0]["time"] for c in self.records["voice-memo.flac"]["content"]
                  if c["kind"] == "speech"]
        self.assertEqual([int(t[0]) for t in speech], [0, 7])

    def test_video(self):
        record = self.records["slides-talk.mp4"]
        tracks = {t["kind"]: t for t in record["document"]["tracks"]}
        self.assertAlmostEqual(tracks["video"]["seconds"], 18.6, delta=0.2)
        self.assertEqual(tracks["audio"]["language"], "eng")
        self.assertEqual([e["title"] for e in record["document"]["outline"]],
                         ["North breakwater", "14 January 2025", "The repair", "Plans for 2026"])
        self.assertIn("speech", {c["kind"] for c in record["content"]})

    def test_notes(self):
        record = self.records["notes.md"]
        text = "".join(c["text"] for c in record["content"])
        self.assertEqual(text.strip(), (e2e.INBOX / "notes.md").read_text("utf-8").strip())
        self.assertEqual(record["document"]["metadata"]["encoding"], "UTF-8")


class Index(e2e.Case):
    """The whole way, with a model and with the reader that is there."""

    def setUp(self):
        super().setUp()
        model = [] if e2e.SHIPPED else ["-m", e2e.BUNDLE]
        self.out = self.folder / "out"
        self.result = e2e.weft("run", *model, "-o", self.out, e2e.INBOX)
        self.records = e2e.by_name(self.out)

    def test_inbox(self):
        self.assert_code(self.result, 1)
        self.assertEqual(len(self.records), 11)
        status = {name: r["status"] for name, r in self.records.items()}
        self.assertEqual(status.pop(FAILED), "failed")
        self.assertEqual(status.pop(SKIPPED), "skipped")
        self.assertLessEqual(set(status.values()), {"ok", "partial"}, status)
        for name, record in self.records.items():
            with self.subTest(name):
                self.check_answer(name, record)
        for name in SOUNDS:
            self.check_unheard(self.records[name])
        summary = e2e.summary(self.out)
        self.assertEqual((summary["inputs"], summary["failed"], summary["skipped"]), (11, 1, 1))
        self.assertEqual(summary["done"] + summary["partial"], 9)
        if (e2e.HELPERS / "weft-decode-ocr").exists():
            self.check_readings()

    def check_answer(self, name, record):
        if record["status"] in ("failed", "skipped"):
            self.assertIsNone(record["answer"])
            self.assertNotEqual(record["errors"], [])
            return
        answer = record["answer"]
        self.assertEqual(list(answer), ["title", "kind", "date", "language", "people",
                                        "organisations", "summary"])
        for key, value in answer.items():
            self.assertEqual(value is None, f"/{key}" in record["absent"], (key, value))
        ids = {c["id"]: c for c in record["content"]}
        for pointer, evidence in record["provenance"].items():
            for one in evidence:
                if one["kind"] == "none":
                    continue
                item = ids[one["content"]]
                if item["text"] is None:  # sound, by its seconds
                    self.assertEqual(item["kind"], "speech")
                    begin, end = one["at"][0]["time"]
                    self.assertLessEqual(item["at"][0]["time"][0], begin)
                    self.assertLessEqual(end, item["at"][0]["time"][1])
                    continue
                first, end = one["chars"]
                self.assertEqual(item["text"][first:end], one["quote"], (pointer, one))
                self.assertNotEqual(one["at"], [], (pointer, one))
        windows = record["ledger"]["windows"]
        self.assertEqual(windows["in"], windows["done"] + windows["failed"] + windows["skipped"])

    def check_unheard(self, record):
        """Nobody reads what is said, though the shipped bundle may know the language: what would read it is
        said, and where the speech is."""
        self.assertEqual(record["status"], "partial")
        self.assertLess(record["ledger"]["seconds"]["done"], 5)
        self.assertEqual({k for k, v in record["answer"].items() if v is not None} - {"language"}, set())
        self.assertIn(record["answer"]["language"], ("en", None))
        unread = [e for e in record["errors"] if e["stage"] == "read"]
        self.assertEqual(len(unread), 1, record["errors"])
        self.assertIn("--audio", unread[0]["message"])
        self.assertIn("time", unread[0]["at"])
        self.assertIn("speech", {c["kind"] for c in record["content"]})

    def fact(self, name, text):
        items = e2e.items_with(self.records[name], text)
        self.assertNotEqual(items, [], f"{name}: {text} in " + "|".join(
            c["text"] or "" for c in self.records[name]["content"]))
        return items[0], e2e.place_of(items[0], text)

    def check_readings(self):
        item, at = self.fact("scanned-letter.pdf", "HMW-2025-031")
        self.assertEqual((item["by"], at["page"]), ("tesseract", 1))
        # As tools/make_inbox.py writes it: right end at 531, baseline at 148, skewed by 0.8°.
        self.assertAlmostEqual(at["bbox"][2], 531, delta=8)
        self.assertAlmostEqual(at["bbox"][3], 148, delta=10)
        self.assertEqual(self.fact("scanned-letter.pdf", "1,240,000.00")[1]["page"], 1)
        self.assertEqual(self.fact("scanned-letter.pdf", "402,500.00")[1]["page"], 3)
        self.assertEqual([p["status"] for p in self.records["scanned-letter.pdf"]["document"]
                          ["pages"]], ["done", "blank", "done"])
        item, at = self.fact("photo-receipt.jpg", "627.00")
        self.assertTrue(0 <= at["bbox"][0] < at["bbox"][2] <= 900, at)
        self.assertTrue(0 <= at["bbox"][1] < at["bbox"][3] <= 1200, at)
        item, at = self.fact("chart.png", "Kestrel Bay")
        self.assertLess(at["bbox"][3], 80)  # in the title
        self.fact("chart.png", "161")
        item, at = self.fact("slides-talk.mp4", "EUR 1,240,000")
        self.assertTrue(7 <= at["time"][0] < 14.8, at)
        # A page that has its text is not read again.
        for name in ("annual-report.pdf", "scanned-with-ocr-layer.pdf"):
            self.assertNotIn("tesseract", {c["by"] for c in self.records[name]["content"]})


class Shipped(e2e.Case):
    """The shipped bundle was trained for one task: it claims nothing about any other."""

    def test_other_tasks_are_not_examined(self):
        if not e2e.SHIPPED:
            self.skipTest("no shipped bundle")
        schema = self.folder / "s.json"
        schema.write_text('{"type": "object", "properties": {"payer": {"type": ["string", "null"]}, '
                          '"sum": {"type": ["number", "null"]}}, "required": ["payer", "sum"]}')
        done = e2e.weft("run", "-t", "extract", "-s", schema, "-o", "-", e2e.INBOX / "notes.md")
        self.assert_code(done, 0)
        (record,) = e2e.lines(done)
        self.assertEqual(record["answer"], {"payer": None, "sum": None})
        self.assertEqual(record["absent"], {"/payer": "not_examined", "/sum": "not_examined"})

    def test_what_it_is_not_sure_of_is_withheld(self):
        if not e2e.SHIPPED:
            self.skipTest("no shipped bundle")
        done = e2e.weft("run", "-o", "-", "--reader", "none", e2e.INBOX / "notes.md",
                        e2e.INBOX / "annual-report.pdf")
        self.assert_code(done, 0)
        for record in e2e.lines(done):
            self.assertEqual(set(record["absent"].values()), {"not_examined"})
            for key in ("people", "organisations", "summary"):
                self.assertIsNone(record["answer"][key])
            for pointer, (evidence,) in record["provenance"].items():
                self.assertGreaterEqual(evidence["confidence"], 0.95, pointer)


class Again(e2e.Case):
    def test_same_command_again(self):
        model = [] if e2e.SHIPPED else ["-m", e2e.BUNDLE]
        out = self.folder / "out"
        self.assert_code(e2e.weft("run", *model, "--reader", "none", "-o", out, e2e.INBOX), 1)
        again = e2e.weft("run", *model, "--reader", "none", "-o", out, e2e.INBOX)
        self.assert_code(again, 0)
        self.assertRegex(again.stderr.splitlines()[-1], r"^11 unchanged .*, \d+\.\d s$")


if __name__ == "__main__":
    e2e.main()
