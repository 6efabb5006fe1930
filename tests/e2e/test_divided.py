"""A file that holds many documents: an element of the answer for each, with its pages, however windows fall.

Random weights answer anything: how many elements there are, which pages and which windows are theirs, and
that evidence stays within them is tested, not what they say.
"""
import json
import signal
import subprocess
import time

import e2e
import journal

N = 30
ITEM = {"type": "object",
        "properties": {"number": {"type": ["string", "null"], "maxLength": 9}, "rows": {"$ref": "#/$defs/rows"}},
        "required": ["number", "rows"], "additionalProperties": False}
SCHEMA = {"type": "array", "items": ITEM,
          "$defs": {"rows": {"type": ["array", "null"], "items": {"enum": ["row", "tug"]}, "maxItems": 2}}}


def n_pages(i):
    """Most invoices have one page, some two, one has nine."""
    return 9 if i == 11 else 1 + i % 3 % 2


def scan(n=N):
    pages, places = [], []
    for i in range(n):
        first = len(pages) + 1
        for k in range(n_pages(i)):
            head = f"Invoice No. {1000 + i}" if k == 0 else f"page {k + 1}"
            pages.append([head] + [f"row {i}.{k}.{row} of goods for the tug" for row in range(9)])
        places.append([first, len(pages)])
    return e2e.pdf(pages), places


def pictures(n):
    """A scan: each page is a picture, and no text."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", None]
    for i in range(n):
        grey = bytes((i * 37 + k * (i + 3)) % 256 for k in range(64 * 80))
        at = len(objects) + 1
        objects += [b"<< /Type /XObject /Subtype /Image /Width 64 /Height 80 /ColorSpace /DeviceGray "
                    b"/BitsPerComponent 8 /Length %d >>\nstream\n%s\nendstream" % (len(grey), grey),
                    b"<< /Length 30 >>\nstream\nq 612 0 0 792 0 0 cm /Im Do Q \nendstream",
                    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources "
                    b"<< /XObject << /Im %d 0 R >> >> >>" % (at + 1, at)]
    kids = b" ".join(b"%d 0 R" % (5 + 3 * i) for i in range(n))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (n, kids)
    return e2e.assemble_pdf(objects)


class Divided(e2e.Case):
    def setUp(self):
        super().setUp()
        self.pile = self.folder / "pile"
        self.pile.mkdir()
        data, self.places = scan()
        (self.pile / "scan.pdf").write_bytes(data)
        self.bundle = e2e.bundle_with(self.folder, max_position_embeddings=2048)
        self.schema()
        self.task("begins=invoice no;facture")

    def schema(self, **more):
        (self.folder / "s.json").write_text(json.dumps(SCHEMA | more))

    def task(self, more=""):
        (self.folder / "many.task").write_text(f"[task]\nprompt=Read the invoice.\nschema=@s.json\n{more}\n")

    def read(self, *more, codes=(0,)):
        done = e2e.weft("run", "-q", "-m", self.bundle, "--reader", "none", "-t", self.folder / "many.task",
                        *more, "-o", self.out, self.pile)
        self.assertIn(done.returncode, codes, done.stderr)
        self.assert_code(e2e.weft("verify", "-o", self.out), 0)
        return e2e.by_name(self.out)

    def assert_whole(self, record, places):
        """An element for each document, its pages and windows its own, its evidence on its pages."""
        self.assertEqual([element["pages"] for element in record["elements"]], places)
        self.assertEqual([element["pointer"] for element in record["elements"]],
                         [f"/{i}" for i in range(len(places))])
        self.assertEqual(len(record["answer"]), len(places))
        after = 0
        for number, (element, (first, last)) in enumerate(zip(record["elements"], places), 1):
            begin, end = element["windows"]
            self.assertEqual(begin, after + 1)
            after = end
            for window in record["windows"][begin - 1:end]:
                self.assertEqual(window["element"], number)
                self.assertLessEqual(first, window["from"]["page"])
                self.assertLessEqual(window["to"]["page"], last)
        self.assertEqual(after, len(record["windows"]))
        found = 0
        for pointer, evidence in record["provenance"].items():
            first, last = places[int(pointer.split("/")[1])]
            for one in evidence:
                found += one["kind"] == "matched"
                for place in one.get("at", []):
                    self.assertTrue(first <= place["page"] <= last, (pointer, one))
        self.assertEqual({one["content"] for evidence in record["provenance"].values() for one in evidence
                          if "content" in one} - {item["id"] for item in record["content"]}, set())
        return found

    def test_by_words(self):
        record = self.read()["scan.pdf"]
        self.assertEqual((record["status"], record["errors"]), ("ok", []))
        self.assert_whole(record, self.places)
        large = record["elements"][11]["windows"]
        self.assertGreater(large[1], large[0])  # it is larger than a window, and one element
        for item in record["answer"]:
            self.assertEqual(list(item), ["number", "rows"])
        done = e2e.weft("show", "-o", self.out, record["id"].removeprefix("sha256:"))
        self.assert_code(done, 0)
        self.assertIn("\n  28               p.46-47\n  29               p.48\n", done.stdout)
        self.assertEqual(done.stderr, "")
        self.assert_code(e2e.weft("show", "-o", self.out), 0)

    def test_evidence_stays_at_home(self):
        """Every document says "tug"; each finds its own."""
        self.schema(items={"type": "object", "properties": {"what": {"enum": ["tug"]}}, "required": ["what"],
                           "additionalProperties": False})
        record = self.read()["scan.pdf"]
        self.assertEqual(self.assert_whole(record, self.places), N)

    def test_without_it(self):
        """documents=one: the model is asked for a list, window by window."""
        self.task("documents=one")
        record = self.read()["scan.pdf"]
        self.assertNotIn("elements", record)
        self.assertIsInstance(record["answer"], list)

    def test_by_model(self):
        """Whatever pages it names, the elements cover all pages in order, none twice."""
        self.task()
        for seed in ("1", "2"):
            record = self.read("--temperature", "9", "--seed", seed, codes=(0, 1))["scan.pdf"]
            self.out = self.folder / f"again{seed}"
            places = [element["pages"] for element in record["elements"]]
            self.assertEqual(places[0][0], 1)
            self.assertEqual(places[-1][1], self.places[-1][1])
            for (_, last), (first, _) in zip(places, places[1:]):
                self.assertEqual(first, last + 1)
            self.assert_whole(record, places)
            self.assertEqual({fault["stage"] for fault in record["errors"]} - {"divide"}, set())

    def test_room(self):
        """What the schema has no room for is counted; fewer than it asks for are no answer."""
        self.schema(maxItems=10)
        record = self.read(codes=(1,))["scan.pdf"]
        self.assertEqual((record["status"], len(record["answer"])), ("partial", 10))
        self.assertIn(f"{N - 10} items of /answer were left out", record["errors"][0]["message"])
        self.schema(minItems=31)
        record = self.read(codes=(1,))["scan.pdf"]
        self.assertEqual((record["status"], record["answer"]), ("partial", None))
        self.assertIn("30 documents in the file", record["errors"][0]["message"])

    def test_others(self):
        """What has no pages is one document; what has no text is none."""
        (self.pile / "scan.pdf").unlink()
        (self.pile / "note.txt").write_text("Invoice No. 1\n\nInvoice No. 2\n")
        (self.pile / "blank.pdf").write_bytes(e2e.pdf([[], []]))
        records = self.read()
        self.assertEqual(len(records["note.txt"]["answer"]), 1)
        self.assertEqual(records["note.txt"]["elements"], [{"pointer": "/0", "windows": [1, 1]}])
        self.assertEqual(records["blank.pdf"]["answer"], [])

    def test_extract(self):
        """A schema of one's own does it, too."""
        self.read("-t", "extract", "-s", self.folder / "s.json", codes=(0, 1))
        self.assertIn("elements", e2e.by_name(self.out)["scan.pdf"])

    def test_same_with_any_threads(self):
        self.read("-j", "1")
        first, self.out = e2e.records(self.out), self.folder / "again"
        self.read("-j", "4")
        self.assertEqual(e2e.records(self.out), first)

    def test_pictures_after_a_kill(self):
        """Pages that are pictures: what an earlier run was told about them is not asked, nor are they decoded,
        again, and the record is the same."""
        (self.pile / "scan.pdf").write_bytes(pictures(60))
        self.task()
        more = ["--temperature", "3", "-j", "1"]
        whole, self.out = self.out, self.folder / "killed"
        arguments = ["-q", "-m", self.bundle, "--reader", "none", "-t", self.folder / "many.task", *more]
        done = e2e.weft("run", *arguments, "-o", whole, self.pile)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        record = e2e.by_name(whole)["scan.pdf"]
        self.assert_whole(record, [element["pages"] for element in record["elements"]])
        self.assertEqual(sum(window["pictures"] for window in record["windows"]), 60)
        process = subprocess.Popen([e2e.WEFT, "run", *map(str, arguments), "-o", self.out, self.pile])
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline and not any(
                journal.kinds(path).count(journal.ANSWER) > 2 for path in journal.in_work(self.out)):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.assertEqual(e2e.record_files(self.out), [])
        done = e2e.weft("run", *arguments, "-o", self.out, self.pile)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertEqual(e2e.records(self.out), e2e.records(whole))
        self.assertGreater(e2e.summary(self.out)["windows_kept"], 2)
        self.assertEqual(journal.in_work(self.out), [])

    def test_refused(self):
        for more, message in (("documents=many\nmerge=model", "merge=fields"),
                              ("documents=many\nwindows=ends", "windows=all"),
                              ("begins=...", "no letter"), ("documents=two", "none of"),
                              ("documents=one\nbegins=invoice", "begins is for")):
            self.task(more)
            done = e2e.weft("run", "-m", self.bundle, "-t", self.folder / "many.task", "-o", self.out, self.pile)
            self.assert_code(done, 3)
            self.assertIn(message, done.stderr)


if __name__ == "__main__":
    e2e.main()
