"""Values that stand in the document: whatever random weights choose, strings are spans of it, verbatim numbers
and days what spans of it mean, and each says where. Checks are recorded, doubts become null."""
import json
import wave

import e2e

TEXT = """Harbour Works invoice 2041 for "Oak & Iron" and the pilots
rope 19,99 and paint 1.240,00, together 1.259,99 due on 12. March 2024
"""
STRING = {"type": ["string", "null"], "maxLength": 40}
NUMBER = {"type": ["number", "null"], "x-weft-verbatim": True}
SCHEMA = {"type": "object", "properties": {
    "name": STRING, "names": {"type": "array", "items": {"type": "string"}, "maxItems": 3, "uniqueItems": True},
    "sum": NUMBER, "due": {"type": ["string", "null"], "format": "date", "x-weft-verbatim": True},
    "free": {"type": "string", "maxLength": 5, "x-weft-verbatim": False}},
    "required": ["name", "names", "sum", "due", "free"], "additionalProperties": False}
NUMBERS = {2041, 19.99, 1240, 1259.99, 12, 2024, None, *range(12)}  # of the letters, too


class Verbatim(e2e.Case):
    def setUp(self):
        super().setUp()
        self.n_runs = 0
        self.pile = self.folder / "pile"
        self.pile.mkdir()

    def records(self, schema, *options, task="extract"):
        path = self.folder / "schema.json"
        path.write_text(json.dumps(schema))
        self.n_runs += 1
        out = self.folder / f"out-{self.n_runs}"
        self.run_weft("-m", e2e.BUNDLE, "--reader", "none", "-t", task, "-s", path, "-o", out, *options, self.pile,
                      code=0)
        return list(e2e.by_name(out).values())

    def assert_stands(self, record, pointer, value, kind):
        if value in (None, ""):
            return
        evidence = record["provenance"][pointer]
        self.assertEqual({item["kind"] for item in evidence}, {kind}, (value, evidence))
        for item in evidence:
            content = next(one for one in record["content"] if one["id"] == item["content"])
            self.assertEqual(content["text"][slice(*item["chars"])], item["quote"])
            self.assertEqual(item["rests_on"], "file")
        if kind == "copied":
            self.assertEqual(" ".join(" ".join(item["quote"] for item in evidence).split()), value)

    def assert_record(self, record):
        answer = record["answer"]
        self.assert_stands(record, "/name", answer["name"], "copied")
        self.assertEqual(len(set(answer["names"])), len(answer["names"]))
        for i, name in enumerate(answer["names"]):
            self.assert_stands(record, f"/names/{i}", name, "copied")
        self.assertIn(answer["sum"], NUMBERS)
        self.assert_stands(record, "/sum", answer["sum"], "derived")
        self.assertIn(answer["due"], ("2024-03-12", None))
        self.assert_stands(record, "/due", answer["due"], "derived")

    def test_random_answers(self):
        for i in range(12):
            (self.pile / f"{i}.txt").write_text(TEXT + f"\n\nletter {i}\n")
        records = self.records(SCHEMA, "--temperature", "2")
        self.assertEqual(len(records), 12)
        for record in records:
            self.assert_record(record)
        self.assertGreater(len({record["answer"]["name"] for record in records}), 1)
        self.assertTrue(any(record["answer"]["sum"] is not None for record in records))
        self.assertTrue(any(record["answer"]["due"] is not None for record in records))

    def test_long_ones_merged_by_the_model(self):
        (self.folder / "merged.task").write_text("[task]\nprompt=Take the values out.\nmerge=model\nverbatim=true\n")
        (self.pile / "long.txt").write_text((TEXT + "\n") * 60)
        for temperature in ("0", "2"):
            record = self.records(SCHEMA, "--temperature", temperature, task=self.folder / "merged.task")[0]
            self.assertGreater(len(record["windows"]), 1)
            self.assertEqual(record["errors"], [])
            for pointer, value in (("/name", record["answer"]["name"]), *(
                    (f"/names/{i}", name) for i, name in enumerate(record["answer"]["names"]))):
                self.assert_stands(record, pointer, value, "copied")
            self.assertIn(record["answer"]["sum"], NUMBERS)
            self.assert_stands(record, "/sum", record["answer"]["sum"], "derived")

    def test_nothing_there(self):
        (self.pile / "blank.txt").write_text("\n \n")
        (self.pile / "short.txt").write_text("-\n")
        for record in self.records(SCHEMA, "--temperature", "2"):
            answer = record["answer"]
            if answer is None:
                continue
            self.assertIn(answer["name"], (None, "", "-"))
            self.assertIsNone(answer["sum"])
            self.assertEqual(record["absent"]["/sum"], "absent")

    def test_blank_and_silent(self):
        """No model is asked about a page without ink or a recording without sound."""
        (self.pile / "blank.pdf").write_bytes(e2e.pdf([[]]))
        with wave.open(str(self.pile / "silence.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(bytes(2 * 16000 * 3))
        records = self.records(SCHEMA)
        self.assertEqual({item["kind"] for record in records for item in record["content"]}, {"blank", "silence"})
        for record in records:
            self.assertIsNone(record["model"])
            self.assertIsNone(record["answer"]["sum"])
            self.assertEqual(record["absent"]["/sum"], "absent")

    def test_doubts_and_checks(self):
        forced = {"type": "object", "properties": {
            "a": {"enum": [1240]}, "b": {"enum": [1.24, None]}, "net": {"const": 1241},
            "first": {"const": "2024-03-04"}, "last": {"const": "2024-04-03"}},
            "required": ["a", "b", "net", "first", "last"],
            "x-weft-check": [{"sum": "/a", "equals": "/net"}, {"sum": "/a", "equals": "/net", "within": 1},
                             {"before": ["/first", "/last"]}]}
        (self.pile / "open.txt").write_text("1.240 on 03/04/2024\n")
        record = self.records(forced)[0]
        self.assertEqual(record["answer"]["a"], 1240)
        self.assertIsNone(record["answer"]["b"])
        self.assertEqual(record["provenance"]["/a"][0]["readings"], ["1.24", "1240"])
        self.assertEqual(record["provenance"]["/last"][0]["readings"], ["2024-04-03", "2024-03-04"])
        self.assertIn(record["absent"]["/b"], ("ambiguous", "absent"))
        self.assertEqual([check["ok"] for check in record["checks"]], [False, True, True])
        self.assertEqual(record["checks"][0]["values"], ["1240", "1241"])
        record = self.records(dict(forced, **{"x-weft-locale": "de"}))[0]
        self.assertEqual(record["provenance"]["/a"][0]["quote"], "1.240")
        self.assertNotIn("readings", record["provenance"]["/a"][0])
        for bad in ({"x-weft-locale": "klingon"}, {"x-weft-check": [{"sum": "a"}]},
                    {"x-weft-check": [{"sum": "/aa", "equals": "/net"}]}):
            path = self.folder / "bad.json"
            path.write_text(json.dumps(dict(forced, **bad)))
            done = self.run_weft("-m", e2e.BUNDLE, "-t", "extract", "-s", path, "-o", self.out, self.pile, code=3)
            self.assertIn("#/" + next(iter(bad)), done.stderr)


if __name__ == "__main__":
    e2e.main()
