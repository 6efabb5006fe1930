"""weft report: the page's numbers are those of the records, and nothing of a document is markup in it."""

import html.parser
import json
import os
import re
import unittest
import urllib.parse

import e2e

NASTY = "<script>x</script><img src=x onerror=y>\"'&amp;\x1b[31m\u202e"


class Page(html.parser.HTMLParser):
    """Tags in their nesting, links, cells of rows, and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.rows, self.text = [], set(), [], [], ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href"]
        assert all(not name.startswith("on") for name, _ in attrs)
        if tag not in ("meta",):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


class Report(e2e.Case):
    def setUp(self):
        super().setUp()
        inputs = self.folder / "in"
        inputs.mkdir()
        self.names = ["a.md", "b.md", "c.html", "d & <e>.md", "\x1b[31m.md"]
        for name in self.names:
            (inputs / name).write_text("<!DOCTYPE html><html></html>" if "html" in name else f"Words of {name!r}.\n")
        (inputs / "f.pdf").write_bytes(e2e.pdf([["One"], ["Two"]]))
        e2e.weft("run", "-q", "-t", "inventory", "-o", "out", "in", cwd=self.folder)
        self.out = self.folder / "out"

    def page(self, *more, code=0):
        done = e2e.weft("report", "-o", "out", *more, cwd=self.folder)
        self.assert_code(done, code)
        path = self.folder / done.stdout.strip()
        return Page(path.read_text())

    def test_numbers(self):
        (job,) = (self.out / "jobs").iterdir()
        (job / "schema.json").write_text(json.dumps({"type": "object", "properties": {
            "total": {"type": "number"}, "<b>": {"type": "string"}}}))
        for i, path in enumerate(e2e.record_files(self.out)):
            record = json.loads(path.read_text())
            if i < 4:
                record["answer"] = {"total": None if i == 0 else i, "<b>": NASTY}
                record["absent"] = {"/total": "unreadable"} if i == 0 else {}
                record["provenance"] = {"/total": [{"kind": ("none", "copied")[i % 2], "confidence": i / 4}]}
            if i == 4:
                record.update(status="failed", errors=[{"stage": "read", "code": NASTY, "message": NASTY, "at": None}])
            if i == 5:
                path.write_text("{")
                continue
            record["document"] = record["document"] or {}
            record["document"]["tracks"] = [{"n": 1, "seconds": 7.2}] if i == 0 else []
            path.write_text(json.dumps(record))
        (self.out / "corrections.csv").write_text("")
        page = self.page()
        self.assertEqual(page.tags, {"html", "head", "meta", "style", "title", "body", "h1", "h2", "h3", "p", "table", "tr",
                                     "th", "td", "meter", "ul", "li", "a"})
        self.assertIn("6 documents, 2 pages, 7 s of sound and video\n", page.text)
        self.assertIn(["damaged", "1"], page.rows)
        # corrected, absent, unreadable, not_examined, ambiguous; copied, derived, matched, pointed, none; mean
        self.assertIn(["total", "", "3 of 4", "0", "0", "1", "0", "0", "2", "0", "0", "0", "2", "0.38"], page.rows)
        self.assertIn(["<b>", "", "4 of 4", *["0"] * 10, ""], page.rows)
        self.assertIn("<script>x</script>", page.text)
        self.assertNotRegex(page.text, "[\x00-\x09\x0b-\x1f\x7f\u202e]")

    def test_links(self):
        page = self.page()
        documents = [link for link in page.links if link.startswith("file://")]
        records = [link for link in page.links if not link.startswith("file://")]
        self.assertEqual(sorted(urllib.parse.unquote(link[7:]) for link in set(documents)),
                         sorted(str(self.folder / "in" / name) for name in [*self.names, "f.pdf"]))
        self.assertTrue(all((self.out / link).is_file() for link in records), records)
        self.assertEqual(len(records), 6)
        elsewhere = self.page("--to", "page.html")
        self.assertTrue(all(os.path.exists(urllib.parse.unquote(link[7:])) for link in elsewhere.links))
        self.assertIn("2 pages", page.text)
        self.assertRegex(page.text, r"sniff: unsupported \(1\)")

    def test_usage(self):
        for arguments, code in ((["x"], 2), (["-o", "nowhere"], 3), (["--to", "nowhere/x.html"], 74)):
            done = e2e.weft("report", "-o", "out", *arguments, cwd=self.folder)
            self.assertEqual(done.returncode, code, done.stderr)
        self.assertTrue(re.search("report.html", e2e.weft("report", "-o", "out", cwd=self.folder).stdout))


if __name__ == "__main__":
    unittest.main()
