"""A scan with a text layer: whether the layer says what the pixels show is seen, value by value, and the record says
where it does not. The page is drawn by Poppler; what it shows is judged by Tesseract's own program, what the layer
says by pdftotext."""

import json
import subprocess

import e2e

LINES = [(72, 700, "Harbour Works Ltd"), (72, 670, "Invoice No. RE-2048 of 12 March 2024"),
         (72, 630, "Deck paint, six tins"), (400, 630, "1,180.00"), (72, 610, "Rope ladder"), (400, 610, "60.00"),
         (72, 570, "Amount payable"), (400, 570, "1,240.00"),
         (72, 530, "Payment is due on 30 April 2024 to Nordlicht"), (72, 516, "Ltd in Bremen. Thank you for your trust.")]
#: what somebody has laid over it, by a mistake or on purpose
WRONG = {"RE-2048": "RE-2049", "1,240.00": "1,740.00"}
ANSWER = {"number": "RE-2049", "total": 1740, "paint": 1180, "seller": "Harbour Works Ltd", "issued": "2024-03-12",
          "payee": "Nordlicht Ltd", "is_paid": True}
DPI = 150


def words(lines, mode):
    return "".join(f"BT {mode} Tr /F1 12 Tf {x} {y} Td ({text}) Tj ET\n" for x, y, text in lines).encode()


#: a font that says of each 2 that it is a 7
LYING = (b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Lie def 1 begincodespacerange <00> "
         b"<ff> endcodespacerange 2 beginbfrange <20> <31> <0020> <33> <7e> <0033> endbfrange 1 beginbfchar <32> "
         b"<0037> endbfchar endcmap end end")


def page(content, more=b"", resources=b"", font=b""):
    return e2e.assemble_pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1 /Kids [5 0 R] >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica %s >>" % font,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources "
        b"<< /Font << /F1 3 0 R >> %s >> >>" % resources, *([more] if more else [])])


def scan(folder, layer):
    """A picture of LINES, and the layer over it."""
    (folder / "plain.pdf").write_bytes(page(words(LINES, 0)))
    subprocess.run(["pdftoppm", "-r", str(DPI), "-gray", "-singlefile", "plain.pdf", "plain"], cwd=folder, check=True)
    header, pixels = (folder / "plain.pgm").read_bytes().split(b"\n255\n", 1)
    width, height = map(int, header.split()[1:3])
    picture = (b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 "
               b"/Length %d >>\nstream\n%s\nendstream" % (width, height, len(pixels), pixels))
    return page(b"q 612 0 0 792 0 0 cm /Im Do Q\n" + words(layer, 3), picture, b"/XObject << /Im 6 0 R >>")


def changed(text):
    for right, wrong in WRONG.items():
        text = text.replace(right, wrong)
    return text


@e2e.needs("pdftoppm")
@e2e.needs("tesseract")
class Disagreement(e2e.Case):
    def setUp(self):
        super().setUp()
        properties = {name: {"const": value} for name, value in ANSWER.items()}
        (self.folder / "s.json").write_text(json.dumps(
            {"type": "object", "properties": properties, "required": list(ANSWER), "additionalProperties": False}))
        (self.folder / "bill.pdf").write_bytes(scan(self.folder, [(x, y, changed(text)) for x, y, text in LINES]))

    def read(self, out="out", *more, by="ocr-layer"):
        self.run_weft("-q", "-m", e2e.BUNDLE, "--reader", "tesseract", "-t", "extract", "-s", "s.json", "-o", out, *more,
                      "bill.pdf", code=0, cwd=self.folder)
        (record,) = map(json.loads, (file.read_text() for file in e2e.record_files(self.folder / out)))
        self.assertEqual({item["by"] for item in record["content"]}, {by})
        return record

    def outside_judges(self):
        """What the layer says, and what the picture shows."""
        layer = subprocess.run(["pdftotext", "bill.pdf", "-"], cwd=self.folder, capture_output=True, text=True, check=True)
        subprocess.run(["pdfimages", "-png", "bill.pdf", "shown"], cwd=self.folder, check=True)
        shown = subprocess.run(["tesseract", "shown-000.png", "-", "--dpi", str(DPI)], cwd=self.folder,
                               capture_output=True, text=True, check=True)
        return layer.stdout.split(), shown.stdout.split()

    def test_a_layer_that_lies(self):
        record = self.read()
        layer, shown = self.outside_judges()
        told = {check["of"][0]: check for check in record["checks"]}
        self.assertEqual(list(told), ["/number", "/total"])
        for pointer, (right, wrong) in zip(told, WRONG.items()):
            self.assertIn(wrong, layer)
            self.assertNotIn(wrong, shown)
            self.assertIn(right, shown)
            (evidence,) = record["provenance"][pointer]
            self.assertEqual((evidence["rests_on"], evidence["quote"], evidence["confirmed"], evidence["read"]),
                             ("reading", wrong, False, right))
            self.assertEqual(told[pointer], {
                "kind": "disagreement", "ok": False, "of": [pointer],
                "readings": [{"content": evidence["content"], "by": "ocr-layer", "text": wrong},
                             {"content": evidence["content"], "by": "tesseract", "text": right}]})
        # All others say the same, the one on two lines, too; nothing is corrected; true stands nowhere.
        for pointer in ("/paint", "/seller", "/issued", "/payee"):
            self.assertIs(record["provenance"][pointer][0]["confirmed"], True, record["provenance"][pointer])
        self.assertEqual(len(record["provenance"]["/payee"][0]["boxes"]), 2)
        self.assertEqual((record["answer"], record["status"]), (ANSWER, "ok"))
        shown = e2e.weft("show", "-o", "out", "bill.pdf", cwd=self.folder).stdout
        self.assertIn("\nchecks that do not hold\n  disagreement     /number: ocr-layer RE-2049, tesseract RE-2048\n"
                      "  disagreement     /total: ocr-layer 1,740.00, tesseract 1,240.00\n", shown)
        told = e2e.weft("show", "-o", "out", "--explain", "/total", "bill.pdf", cwd=self.folder).stdout
        self.assertRegex(told, r"\n  confirmed +no: .*\n  read there +1,240\.00\n")

    def test_a_layer_that_is_right(self):
        (self.folder / "bill.pdf").write_bytes(scan(self.folder, LINES))
        record = self.read()
        self.assertEqual(record["checks"], [])
        self.assertEqual({pointer for pointer, (evidence,) in record["provenance"].items() if evidence.get("confirmed")},
                         {"/paint", "/seller", "/issued", "/payee"})
        self.assertEqual(record["provenance"]["/total"], [{"kind": "none", "window": 1, "confidence": 1}])

    def test_a_font_that_lies(self):
        """What is drawn is not what the text says: seen when it is asked for."""
        more = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(LYING), LYING)
        shown = page(words([LINES[0], LINES[7]], 0), more, font=b"/ToUnicode 6 0 R")
        (self.folder / "bill.pdf").write_bytes(shown)
        said = subprocess.run(["pdftotext", "bill.pdf", "-"], cwd=self.folder, capture_output=True, text=True, check=True)
        self.assertEqual(said.stdout.split(), ["Harbour", "Works", "Ltd", "1,740.00"])
        plain = self.read("plain", by="file")
        self.assertEqual(plain["checks"], [])
        self.assertNotIn("confirmed", plain["provenance"]["/total"][0])
        record = self.read("checked", "--check-text", by="file")
        self.assertNotEqual(record["id"], plain["id"])
        (evidence,) = record["provenance"]["/total"]
        self.assertEqual((evidence["rests_on"], evidence["quote"], evidence["confirmed"], evidence["read"]),
                         ("file", "1,740.00", False, "1,240.00"))
        self.assertIs(record["provenance"]["/seller"][0]["confirmed"], True)
        self.assertEqual([check["of"] for check in record["checks"]], [["/total"]])
        done = e2e.weft("run", "-q", "-m", e2e.BUNDLE, "--reader", "none", "-t", "extract", "-s", "s.json", "--check-text",
                        "bill.pdf", cwd=self.folder)
        self.assert_code(done, 2)
        self.assertIn("check-text", done.stderr)

    def test_same_with_any_number_of_threads(self):
        one, two = self.read("one", "-j", "1"), self.read("two", "-j", "2")
        del one["run"], two["run"]
        self.assertEqual(one, two)


if __name__ == "__main__":
    e2e.main()
