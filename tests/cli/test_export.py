"""weft export: captions and Markdown of a record, read back by FFmpeg and by cmark-gfm.

The record is one that weft wrote, with speech put into it by hand: what is tested is the writing.
"""

import csv
import html
import io
import json
import os
import re
import shutil
import subprocess
import unittest

import e2e

NASTY = "a --> b <b>bold</b> & [link](http://x) *star* `code` # head\x1b[31m\u202e | cell"
SPOKEN = ("Good morning. We decided on the ninth of March that the north breakwater is to be "
          "raised by one metre, and Ben sees to it. Is that so?")


def words_of(text, begin, per_word):
    """A word each 0.4 s or so."""
    return [{"chars": [found.start(), found.end()],
             "at": {"time": [begin + i * per_word, begin + (i + 0.8) * per_word]}}
            for i, found in enumerate(re.finditer(r"\S+", text))]


def speech(text, begin, end, **more):
    return {"id": "c0", "kind": "speech", "text": text, "at": [{"track": 1, "time": [begin, end]}],
            "by": "whisper", **more}


class Exported(e2e.Case):
    def setUp(self):
        super().setUp()
        self.source = e2e.INBOX / "interview.mp3"
        e2e.weft("run", "-q", "-t", "inventory", "-o", "out", self.source, cwd=self.folder)
        (self.path,) = e2e.record_files(self.folder / "out")

    def edit(self, **members):
        record = json.loads(self.path.read_text())
        record.update(members)
        self.path.write_text(json.dumps(record))

    def export(self, form, *more, code=0):
        done = e2e.weft("export", "-o", "out", "-f", form, *more, cwd=self.folder, text=False)
        self.assert_code(done, code)
        return done.stdout.decode()


class Export(Exported):
    def as_ffmpeg_reads(self, text, form):
        """(begin, end, text) of each caption."""
        path = self.folder / f"captions.{form}"
        path.write_text(text)
        done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "srt", "-"],
                              capture_output=True, text=True, check=True)
        cues = re.findall(r"(\d\d:\d\d:\d\d,\d{3}) --> (\d\d:\d\d:\d\d,\d{3})\n(.*?)\n\n",
                          done.stdout + "\n\n", re.DOTALL)
        seconds = [[sum(float(part) * 60 ** i for i, part in
                        enumerate(reversed(time.replace(",", ".").split(":"))))
                    for time in cue[:2]] + [cue[2]] for cue in cues]
        return seconds

    @e2e.needs("ffmpeg")
    def test_captions(self):
        self.edit(content=[speech(SPOKEN, 61.0, 75.0, speaker="Anna",
                                  words=words_of(SPOKEN, 61, 0.4)),
                           speech("Ja & nein, <i>vielleicht</i>.", 3723.5, 3726.25)])
        for form in ("srt", "vtt"):
            cues = self.as_ffmpeg_reads(self.export(form), form)
            self.assertEqual([cues[0][0], cues[-1][0], cues[-1][1]], [61, 3723.5, 3726.25], cues)
            self.assertGreaterEqual(len(cues), 3)
            for begin, end, text in cues:
                self.assertLessEqual(end - begin, 7.0)
                self.assertTrue(all(len(line) <= 52 for line in text.split("\n")), text)
            said = " ".join(text.replace("\n", " ") for _, _, text in cues[:-1])
            self.assertEqual(said.replace("Anna: ", ""), SPOKEN)
        self.assertIn("<v Anna>", self.export("vtt"))
        self.assertIn("Anna: ", self.export("srt"))

    @e2e.needs("ffmpeg")
    def test_nothing_breaks_out_of_a_caption(self):
        nasty = "one\n\n2\n00:00:01,000 --> 00:00:02,000\nforged\n\nNOTE x" + NASTY
        self.edit(content=[speech(nasty, 1, 4, speaker="00:00:01,000 --> 00:00:02,000 x>y\n\n<v z")])
        for form in ("srt", "vtt"):
            text = self.export(form)
            cues = self.as_ffmpeg_reads(text, form)
            self.assertTrue(all(1 <= begin <= end <= 4 for begin, end, _ in cues), cues)
            self.assertEqual(text.count("-->"), len(cues))
            self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f\u202e]")
        self.assertNotIn("<b>", self.export("vtt"))

    @e2e.needs("cmark-gfm")
    def test_markdown(self):
        answer = {"decisions": [{"what": NASTY, "owner": "Ben"}, {"what": "1. x", "owner": None}],
                  "open_questions": ["- who pays", "+ when"], "title": "# Minutes"}
        self.edit(answer=answer, content=[speech("<script>x</script>\n# no\n1) no\n***", 61, 62,
                                                 speaker="*An_na*")],
                  provenance={"/decisions/0/owner": [{"kind": "matched", "at": [{"time": [61, 62]}]}]})
        done = subprocess.run(["cmark-gfm", "-e", "table", "--unsafe"],
                              input=self.export("md"), capture_output=True, text=True, check=True)
        page = done.stdout
        self.assertEqual(sorted(set(re.findall(r"<(\w+)", page))),
                         ["br", "h1", "h2", "li", "p", "strong", "table", "tbody", "td", "th",
                          "thead", "tr", "ul"])
        self.assertEqual(re.findall(r"<h\d>(.*?)</h\d>", page),
                         ["interview.mp3", "Decisions", "Open questions", "Content"])
        text = html.unescape(re.sub(r"<[^>]+>", "", page))
        for said in (NASTY.replace("\x1b", " ").replace("\u202e", ""),
                     "1. x", "- who pays", "+ when", "# Minutes", "<script>x</script>", "# no", "1) no",
                     "***", "*An_na* [00:01:01]", "Ben [00:01:01]"):
            self.assertIn(said, text)

    @e2e.needs("cmark-gfm")
    def test_minutes(self):
        """Minutes are tables with the time once; what has several lines is a section."""
        at = [{"kind": "pointed", "at": [{"time": [61, 62]}]}]
        answer = {"title": "Harbour", "people": ["Anna", "Ben"], "tasks": [],
                  "decisions": [{"at": "00:01:00", "decision": "The crane is paid.", "by": "Anna"},
                                {"at": None, "decision": "We meet again.", "by": "Ben"}],
                  "slides": [{"at": "00:00:20", "slide": 1, "text": "Budget\n# of 2026", "said": None}]}
        places = ["/decisions/0/at", "/decisions/0/by", "/decisions/1/by", "/slides/0/slide"]
        self.edit(answer=answer, content=[], provenance={place: at for place in places})
        text = self.export("md")
        done = subprocess.run(["cmark-gfm", "-e", "table", "--unsafe"], input=text,
                              capture_output=True, text=True, check=True)
        rows = [re.findall(r"<td>(.*?)</td>", row)
                for row in re.findall(r"<tr>(.*?)</tr>", done.stdout, re.DOTALL)]
        self.assertEqual(rows, [[], ["00:01:00", "The crane is paid.", "Anna"],
                                ["–", "We meet again.", "Ben [00:01:01]"]])
        self.assertEqual(re.findall(r"<h\d>(.*?)</h\d>", done.stdout),
                         ["interview.mp3", "People", "Tasks", "Decisions", "Slides", "00:00:20"])
        self.assertIn("<strong>Text:</strong> Budget<br />\n# of 2026", done.stdout)
        self.assertIn("<strong>Slide:</strong> 1</p>", done.stdout)

    def test_files(self):
        self.edit(content=[speech("Hello.", 1, 2)])
        self.export("vtt", "--to", "captions")
        self.assertEqual([path.name for path in (self.folder / "captions").iterdir()],
                         ["interview.vtt"])
        self.assertIn("Hello.", (self.folder / "captions/interview.vtt").read_text())
        self.assertEqual(self.export("txt", self.source), "[00:00:01] Hello.\n")

    def test_long_names(self):
        """Names of 255 bytes, and what they become with an extension; two that differ at their end."""
        inputs = self.folder / "in"
        inputs.mkdir()
        names = ["é" * 125 + tail + ".md" for tail in ("aa", "bb")] + ["\x1b[31m\n.md", "-x.md"]
        for name in names:
            (inputs / name).write_text(f"Words of {name!r}.\n")
        e2e.weft("run", "-q", "-t", "inventory", "-o", "out2", "in", cwd=self.folder)
        for form in ("txt", "docling"):
            done = e2e.weft("export", "-o", "out2", "-f", form, "--to", form, cwd=self.folder)
            self.assert_code(done, 0)
            written = sorted(path.name for path in (self.folder / form).iterdir())
            self.assertEqual(len(written), 4, written)
            self.assertTrue(all(len(os.fsencode(name)) <= 241 for name in written), written)
            self.assertNotRegex("".join(written), "[\x00-\x1f]")

    def test_errors(self):
        self.assertIn("srt, vtt, md, txt, docling, csv, jsonl",
                      e2e.weft("export", "-o", "out", "-f", "doc", cwd=self.folder).stderr)
        self.export("doc", code=2)
        self.export("txt", "nowhere.mp3", code=3)
        self.edit(content=[])
        done = e2e.weft("export", "-o", "out", "-f", "srt", self.source, cwd=self.folder)
        self.assert_code(done, 0)
        self.assertIn("interview.mp3: no speech", done.stderr)


SCHEMA = {
    "type": "object",
    "properties": {
        "total": {"type": ["number", "null"]},
        "seller": {"anyOf": [{"$ref": "#/$defs/party"}, {"type": "null"}]},
        "a.b": {"type": ["string", "null"]},
        "a": {"type": "object", "properties": {"b": {"type": "boolean"}}},
        "people": {"type": ["array", "null"], "items": {"type": "string"}},
        "items": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "rates": {"type": "object", "additionalProperties": {"type": "number"}},
        "node": {"$ref": "#/$defs/node"},
    },
    "$defs": {
        "party": {"type": "object", "properties": {"name": {"type": ["string", "null"]}}},
        "node": {"type": "object", "properties": {"v": {"type": "string"}, "next": {"$ref": "#/$defs/node"}}},
    },
}
ANSWER = {"total": -1240.5, "seller": {"name": '=HYPERLINK("http://x")'}, "a.b": None, "a": {"b": True},
          "people": ["Anna", "-Ben\x1b[31m"], "items": [{"n": 1}, {"n": 2}], "rates": {"x": 0.5}}
PROVENANCE = {"/total": [{"kind": "matched", "quote": "-1.240,50", "at": [{"page": 3}], "confidence": 0.9}],
              "/people/0": [{"kind": "matched", "quote": "Anna", "at": [{"time": [61, 62]}], "confidence": 0.8}],
              "/people/1": [{"kind": "none", "confidence": 0.25}]}


class Table(Exported):
    """The same record, with an answer put into it, as a table, as a line, and corrected."""

    def setUp(self):
        super().setUp()
        record = json.loads(self.path.read_text())
        self.id = record["id"]
        (job,) = (self.folder / "out/jobs").iterdir()
        (job / "schema.json").write_text(json.dumps(SCHEMA))
        self.job = job
        self.edit(answer=ANSWER, absent={"/a.b": "ambiguous"}, provenance=PROVENANCE)

    def table(self, *more, code=0):
        text = self.export("csv", *more, code=code)
        self.assertTrue(text.endswith("\r\n"), text)
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def correct(self, *rows, name="out/corrections.csv"):
        with open(self.folder / name, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("id", "pointer", "value", "who", "when"), *rows])

    def test_table(self):
        (row,) = self.table()
        self.assertEqual(list(row)[:9], ["id", "path", "status", "total", "total.page", "total.quote",
                                         "total.status", "total.evidence", "total.confidence"])
        told = {name: value for name, value in row.items() if value}
        self.assertEqual(told.pop("path"), str(self.source))
        self.assertEqual(told, {
            "id": self.id, "status": "ok",
            "total": "-1240.5", "total.page": "3", "total.quote": "'-1.240,50", "total.status": "ok",
            "total.evidence": "matched", "total.confidence": "0.9",
            "seller.name": "'=HYPERLINK(\"http://x\")", "seller.name.status": "ok",
            "a.b.status": "ambiguous", "/a/b": "true", "/a/b.status": "ok",
            "people": "Anna; -Ben [31m", "people.page": "00:01:01; ", "people.quote": "Anna; ",
            "people.status": "ok", "people.evidence": "none", "people.confidence": "0.25",
            "items": '[{"n":1},{"n":2}]', "items.status": "ok",
            "rates": '{"x":0.5}', "rates.status": "ok",
            "node.v.status": "absent", "node.next.status": "absent"})

    def test_types(self):
        """Where types are told apart, what is of another type's schema is not absent: it was not asked."""
        self.edit(type={"name": "receipt", "by": "rule", "word": "paid", "content": "c1"})
        (row,) = self.table()
        self.assertEqual([row[f"{name}.status"] for name in ("node.v", "total", "a.b")], ["", "ok", "ambiguous"])

    def test_names(self):
        """No two columns have one name, whatever the schema calls its members."""
        names = ["id", "status", "x", "x.page", "y.page", "y", "path", "element", "\n=a", "a/b~c", ""]
        schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
        (self.job / "schema.json").write_text(json.dumps(schema))
        self.edit(answer={name: f"value of {i}" for i, name in enumerate(names)})
        text = self.export("csv")
        heading, row = csv.reader(io.StringIO(text, newline=""))
        self.assertEqual(len(set(heading)), len(heading), heading)
        told = dict(zip(heading, row))
        columns = ["/id", "/status", "x", "/x.page", "y.page", "/y", "/path", "/element", "'\n=a", "a/b~c", ""]
        self.assertEqual([told[name] for name in columns], [f"value of {i}" for i in range(len(names))])

    def test_hostile_schemas(self):
        """References without end, alone and multiplied, and more columns than a table has room for."""
        many = {f"p{i}": {"$ref": "#/$defs/a"} for i in range(40)}
        bombs = [({"$ref": "#"}, 0), ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, 0),
                 ({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}, 0), ([], 0), ("x", 0), ({"items": {"$ref": "#"}}, 0),
                 ({"properties": many, "$defs": {"a": {"anyOf": [{"properties": many}, {"items": {"properties": many}}]}}}, 0),
                 ({"properties": {f"p{i}": {} for i in range(5000)}}, 3)]
        deep = {"type": "string"}
        for _ in range(200):
            deep = {"properties": {"a": deep, "b": deep}} if len(json.dumps(deep)) < 100000 else {
                "properties": {"a": deep}}
        for schema, code in [*bombs, (deep, 3)]:
            (self.job / "schema.json").write_text(json.dumps(schema))
            done = e2e.weft("export", "-o", "out", "-f", "csv", cwd=self.folder)
            self.assertIn(done.returncode, (0, code), (str(schema)[:200], done.stderr))

    def test_formulas(self):
        for text in ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1"):
            self.edit(answer={**ANSWER, "seller": {"name": text}})
            (row,) = self.table()
            self.assertEqual(row["seller.name"], "'" + text)

    def test_corrected(self):
        self.correct((self.id, "/total", "1240", "anna", "2026-11-21"),
                     (self.id[7:].upper(), "/total", "-1240", "anna\x1b[31m", "2026-11-22"),
                     (self.id, "/seller/name", json.dumps('=Müller, "M"'), "ben", ""),
                     (self.id, "/people/0", '"Anna"', "ben", ""),
                     (self.id, "/people/2", '"Zoë"', "ben", ""))
        (row,) = self.table()
        self.assertEqual([row["total"], row["total.status"], row["total.quote"]],
                         ["-1240", "corrected", "'-1.240,50"])
        self.assertEqual([row["seller.name"], row["people"], row["people.status"]],
                         ["'=Müller, \"M\"", "Anna; -Ben [31m; Zoë", "corrected"])
        line = json.loads(self.export("jsonl"))
        self.assertEqual(line["answer"]["total"], -1240)
        self.assertEqual(line["corrections"]["/total"], {"confirms": False, "was": -1240.5,
                                                         "who": "anna\x1b[31m", "when": "2026-11-22"})
        self.assertTrue(line["corrections"]["/people/0"]["confirms"])
        self.assertNotIn("was", line["corrections"]["/people/2"])
        stored = json.loads(self.path.read_text())
        self.assertEqual(stored["answer"], ANSWER, "records are never edited")
        self.assertIn("Müller", self.export("md"))

    def test_bad_corrections(self):
        lines = ["id,pointer,value,who,when", f"{self.id},/total,1,anna,now",
                 f"{self.id},/total", f"{self.id[:20]},/total,1,a,b", f"{self.id},total,1,a,b",
                 f"{self.id},/total,so,a,b", f'{self.id},/to"tal,1,a,b', f"{self.id},/nowhere/x,1,a,b",
                 f'{self.id},/total,"2,a,b']
        (self.folder / "mine.csv").write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
        done = e2e.weft("export", "-o", "out", "-f", "jsonl", "--corrections", "mine.csv",
                        cwd=self.folder)
        self.assert_code(done, 0)
        self.assertEqual(json.loads(done.stdout)["answer"]["total"], 1)
        told = [int(n) for n in re.findall(r"mine.csv: line (\d+): ", done.stderr)]
        self.assertEqual(told, [3, 4, 5, 6, 7, 9, 8])
        self.export("csv", "--corrections", "nowhere.csv", code=3)

    def test_line(self):
        line = self.export("jsonl")
        self.assertEqual([line.count("\n"), line[-1]], [1, "\n"])
        self.assertEqual(json.loads(line), json.loads(self.path.read_text()))
        self.export("jsonl", "--to", "all.jsonl")
        self.assertEqual((self.folder / "all.jsonl").read_text(), line)
        self.export("csv", "--to", ".")
        self.assertEqual((self.folder / "records.csv").read_bytes().decode(), self.export("csv"))

    def test_elements(self):
        """A schema whose root is a list: an element of the answer is a document, and a row."""
        schema = {"type": "array", "items": {"type": "object", "properties": {
            "total": {"type": ["number", "null"]}}}}
        (self.job / "schema.json").write_text(json.dumps(schema))
        (self.job / "bill.type.json").write_text(json.dumps(SCHEMA))
        self.edit(answer=[{"total": 5}, {"total": None}], absent={"/1/total": "unreadable"},
                  type={"name": "=bill", "by": "rule"},
                  elements=[{"pointer": "/0", "pages": [1, 3]}, {"pointer": "/1", "pages": [4, 4]}],
                  provenance={"/0/total": [{"kind": "matched", "quote": "5", "at": [{"page": 3}, {"page": 3}]},
                                           {"kind": "matched", "quote": ".00", "at": [{"page": 4}]}]})
        rows = self.table()
        self.assertEqual([[row[name] for name in ("type", "element", "element.pages", "total", "total.page",
                                                  "total.quote", "total.status")] for row in rows],
                         [["'=bill", "1", "1 to 3", "5", "3, 4", "5 .00", "ok"],
                          ["'=bill", "2", "4", "", "", "", "unreadable"]])

    def test_many(self):
        """Copies are one row, in the order of paths; a damaged record is told, the others are there."""
        inputs = self.folder / "in"
        inputs.mkdir()
        for name, text in (("b.md", "one"), ("a.md", "two"), ("c.md", "one"), ("d.md", "three")):
            (inputs / name).write_text(text)
        e2e.weft("run", "-q", "-t", "inventory", "-o", "out2", "in", cwd=self.folder)
        damaged = next(path for path in e2e.record_files(self.folder / "out2")
                       if "three" in path.read_text())
        damaged.write_text(damaged.read_text()[:-5])
        for form in ("csv", "jsonl", "txt"):
            done = e2e.weft("export", "-o", "out2", "-f", form, cwd=self.folder)
            self.assert_code(done, 1)
            self.assertEqual(done.stderr.count(damaged.name), 1, done.stderr)
            found = re.findall(r"in/(\w)\.md" if form == "csv" else r'"paths":\["in/(\w)'
                               if form == "jsonl" else "(one|two)", done.stdout)
            self.assertEqual(found, ["two", "one"] if form == "txt" else ["a", "b"])

    def test_without_a_catalogue(self):
        """All records are found by the catalogue: without it nobody says that there are none."""
        shutil.rmtree(self.folder / "out/state")
        for arguments in (["export", "-f", "csv"], ["export", "-f", "jsonl"], ["report"], ["show"]):
            done = e2e.weft(*arguments, "-o", "out", cwd=self.folder)
            self.assert_code(done, 3)
            self.assertIn("weft rebuild-index", done.stderr)
        self.assertIn(self.id, self.export("csv", self.id))
        self.assert_code(e2e.weft("rebuild-index", "-o", "out", cwd=self.folder), 0)
        self.assertIn(self.id, self.export("csv"))

    def test_docling(self):
        """What docling-core accepts (tools/check_docling.py): its shape, and places from the top left."""
        words = "one <b>\x1b[31m"
        self.edit(content=[
            {"id": "c1", "kind": "text", "text": words, "at": [{"page": 1, "bbox": [1, 2, 3, 4]}]},
            {"id": "c2", "kind": "table", "text": "a\tb\n1\t2\t3", "at": [{"page": 1, "bbox": [1, 2, 3, 4]}]},
            {"id": "c3", "kind": "image", "text": "seen", "at": [{"bbox": [0, 0, 30, 40]}]},
            speech("said", 1, 1, speaker="Anna"), {"id": "c5", "kind": "silence", "text": None, "at": []}],
                  hidden=[{"id": "c6", "kind": "text", "text": "unseen", "at": []}])
        document = json.loads(self.export("docling"))
        self.assertEqual([document["schema_name"], document["version"]], ["DoclingDocument", "1.10.0"])
        self.assertEqual([child["$ref"] for child in document["body"]["children"]],
                         ["#/texts/0", "#/tables/0", "#/pictures/0", "#/texts/2"])
        self.assertEqual([text["text"] for text in document["texts"]], [words, "seen", "said"])
        self.assertEqual(document["texts"][0]["prov"], [{
            "page_no": 1, "bbox": {"l": 1, "t": 2, "r": 3, "b": 4, "coord_origin": "TOPLEFT"},
            "charspan": [0, len(words)]}])
        self.assertEqual(document["texts"][1]["parent"], {"$ref": "#/pictures/0"})
        self.assertEqual(document["texts"][2]["source"], [{
            "kind": "track", "start_time": 1, "end_time": 1.001, "voice": "Anna"}])
        self.assertEqual([document["tables"][0]["data"][key] for key in ("num_rows", "num_cols")], [2, 3])
        self.assertNotIn("unseen", json.dumps(document))

    def test_several_files(self):
        """Pages begin anew in each file of a document of several; in docling they count on."""
        inputs = self.folder / "in"
        inputs.mkdir()
        (inputs / "a.pdf").write_bytes(e2e.pdf([["One"], ["Two"]]))
        (inputs / "b.pdf").write_bytes(e2e.pdf([["Three"]]))
        (inputs / "c.pdf").write_bytes(e2e.pdf([["Four"], ["Five"]]))
        done = e2e.weft("run", "-q", "--together", "-t", "inventory", "-o", "out2", "in", cwd=self.folder)
        self.assert_code(done, 0)
        export = e2e.weft("export", "-o", "out2", "-f", "docling", cwd=self.folder)
        document = json.loads(export.stdout)
        self.assertEqual(list(document["pages"]), ["1", "2", "3", "4", "5"])
        self.assertEqual([[text["text"], text["prov"][0]["page_no"]] for text in document["texts"]],
                         [["One", 1], ["Two", 2], ["Three", 3], ["Four", 4], ["Five", 5]])
        (path,) = e2e.record_files(self.folder / "out2")
        record = json.loads(path.read_text())
        item = e2e.items_with(record, "Five")[0]
        record.update(answer={"x": "Five"}, provenance={"/x": [
            {"kind": "copied", "content": item["id"], "chars": [0, 4], "quote": "Five", "at": item["at"]}]})
        path.write_text(json.dumps(record))
        (job,) = (self.folder / "out2/jobs").iterdir()
        (job / "schema.json").write_text('{"properties": {"x": {"type": "string"}}}')
        table = e2e.weft("export", "-o", "out2", "-f", "csv", cwd=self.folder).stdout
        self.assertIn(",Five,file 3: 2,Five,ok,copied,", table)
        told = e2e.weft("show", "-o", "out2", "--explain", "/x", record["id"], cwd=self.folder)
        self.assert_code(told, 0)
        self.assertRegex(told.stdout, r"place +page 2, box .* of c.pdf\n  crop +out2/crops/")


if __name__ == "__main__":
    unittest.main()
