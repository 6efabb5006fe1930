"""Null with a reason: whatever random weights choose, the answer is an instance of the schema, each null has one
reason, the model's own where it may have the last word, and nothing of it depends on how the run went."""
import json
import signal
import subprocess
import time

import e2e
import journal

NULLABLE = {"type": ["string", "null"], "maxLength": 20}
SCHEMA = {"type": "object", "properties": {
    "name": NULLABLE, "kind": {"enum": ["letter", None, "invoice"]}, "sum": {"type": ["number", "null"]},
    "party": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/party"}]},
    "dates": {"type": "array", "items": {"type": ["integer", "null"]}, "maxItems": 3}, "none": {"type": "null"}},
    "required": ["name", "kind", "sum", "party", "dates", "none"], "additionalProperties": False,
    "$defs": {"party": {"type": "object", "properties": {"town": NULLABLE}, "required": ["town"],
                        "additionalProperties": False}}}
REASONS = {"absent", "unreadable", "not_examined"}


def nulls(value, pointer=""):
    """Pointers of the nulls in a value; its keys need no escapes."""
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {one for key, item in items for one in nulls(item, f"{pointer}/{key}")}
    return {pointer} if value is None else set()


def is_instance(answer):
    """Of SCHEMA, by hand."""
    def is_name(value):
        return value is None or (isinstance(value, str) and len(value) <= 20)
    party = answer["party"]
    return (list(answer) == SCHEMA["required"] and is_name(answer["name"]) and answer["none"] is None and
            answer["kind"] in ("letter", None, "invoice") and
            (answer["sum"] is None or isinstance(answer["sum"], (int, float))) and
            (party is None or (list(party) == ["town"] and is_name(party["town"]))) and
            len(answer["dates"]) <= 3 and all(one is None or isinstance(one, int) for one in answer["dates"]))


class Declines(e2e.Case):
    def setUp(self):
        super().setUp()
        self.pile = self.folder / "pile"
        self.pile.mkdir()
        self.schema = self.folder / "schema.json"
        self.schema.write_text(json.dumps(SCHEMA))
        self.task = self.folder / "silent.task"
        self.task.write_text("[task]\nprompt=Take the values out.\nverbatim=true\n")

    def letters(self, n):
        for i in range(n):
            (self.pile / f"{i}.txt").write_text(f"Dear pilots,\nthe rope is {i},99 and due on day {i}.\n")

    def arguments(self, *options, task="extract", out=None):
        return ["-q", "-m", e2e.BUNDLE, "--reader", "none", "-t", task, "-s", self.schema, "-o", out or self.out,
                "--temperature", "8", *options, self.pile]

    def test_each_null_has_one(self):
        self.letters(24)
        self.run_weft(*self.arguments(), code=0)
        records = e2e.by_name(self.out).values()
        self.assertEqual(len(records), 24)
        for record in records:
            self.assertTrue(is_instance(record["answer"]), record["answer"])
            self.assertEqual(set(record["absent"]), nulls(record["answer"]))
            self.assertEqual(record["absent"]["/none"], "absent")  # nobody could choose
            self.assertEqual(record["status"], "ok")
        self.assertEqual({reason for record in records for reason in record["absent"].values()}, REASONS)
        self.assert_code(e2e.weft("verify", "-o", self.out, "--sample", "4"), 0)
        columns = e2e.weft("export", "-o", self.out, "--format", "csv").stdout
        self.assertIn(",unreadable,", columns)
        self.run_weft(*self.arguments("-j", "1", out=self.folder / "one"), code=0)
        self.assertEqual(e2e.records(self.out), e2e.records(self.folder / "one"))

    def test_not_where_the_task_does_not_allow_it(self):
        self.letters(8)
        self.run_weft(*self.arguments(task=self.task), code=0)
        for record in e2e.by_name(self.out).values():
            self.assertEqual(set(record["absent"].values()), {"absent"})

    def test_what_was_not_shown(self):
        """That something is absent is not said of a document of which a part was left out."""
        for i in range(8):
            (self.pile / f"{i}.pdf").write_bytes(e2e.pdf([[f"rope {i}"], ["paint"], ["tar"]]))
        self.run_weft(*self.arguments("--limit", "pages=1"), code=1)
        reasons = set()
        for record in e2e.by_name(self.out).values():
            self.assertEqual(record["status"], "partial")
            reasons |= set(record["absent"].values())
        self.assertIn("not_examined", reasons)
        self.assertNotIn("absent", reasons)

    def test_too_little_room(self):
        """An answer that is cut is closed without a reason that nobody gave."""
        self.task.write_text(self.task.read_text() + "declines=true\nanswer_tokens=90\n")
        self.letters(12)
        done = e2e.weft("run", *self.arguments(task=self.task))
        self.assertIn(done.returncode, (0, 1))
        cut = [record for record in e2e.by_name(self.out).values() if record["status"] == "partial"]
        self.assertGreater(len(cut), 0)
        for record in cut:
            self.assertTrue(is_instance(record["answer"]), record["answer"])
            self.assertEqual(record["errors"][0]["code"], "limit")
            self.assertNotIn("absent", record["absent"].values())

    def test_resumed(self):
        """Reasons come out of the journal of answers as they went in."""
        bundle = e2e.bundle_with(self.folder, max_position_embeddings=2048)
        (self.pile / "log.txt").write_text("".join(f"The tug came in at {i} with rope.\n\n" for i in range(900)))
        arguments = ["-q", "-m", bundle, "--reader", "none", "-t", self.merged(), "-s", self.schema,
                     "--temperature", "8", "-j", "1", self.pile]
        whole = self.folder / "whole"
        self.run_weft("-o", whole, *arguments, code=0)
        process = subprocess.Popen([e2e.WEFT, "run", "-o", self.out, *map(str, arguments)],
                                   stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while not self.is_answered(3) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.run_weft("-o", self.out, *arguments, code=0)
        self.assertGreaterEqual(e2e.summary(self.out)["windows_kept"], 3)
        self.assertEqual(e2e.records(self.out), e2e.records(whole))
        record, = e2e.by_name(self.out).values()
        self.assertEqual(set(record["absent"]), nulls(record["answer"]))
        self.assertGreater(len(record["absent"]), 0)

    def merged(self):
        """Lists, which are joined, so that a null of some window stays."""
        path = self.folder / "merged.task"
        path.write_text("[task]\nprompt=Take the values out.\nverbatim=true\ndeclines=true\n")
        self.schema.write_text(json.dumps({"type": "object", "properties": {
            key: {"type": "array", "items": {"enum": [1, None, "x"]}, "minItems": 3, "maxItems": 6}
            for key in "abcdef"}, "required": list("abcdef"), "additionalProperties": False}))
        return path

    def is_answered(self, n):
        return any(journal.kinds(path).count(journal.ANSWER) >= n for path in journal.in_work(self.out))


if __name__ == "__main__":
    e2e.main()
