"""A task that tells types of documents apart: each is asked by the schema of its type, by a word that stands
in it or by the model's choice; what is of none has the task's own schema, or is skipped.

Random weights choose anything: that the choice makes sense is not tested, that it is kept is.
"""
import json
import signal
import subprocess
import time

import e2e
import journal

TASK = """[task]
prompt=Take the values out.
{more}
[type invoice]
about=a bill for goods or services
match=invoice no;Rechnung Nr
schema=@invoice.json

[type letter]
match=dear sir
schema=@letter.json
"""


def schema(key, *values):
    value = {"enum": list(values)} if values else {"type": ["string", "null"], "maxLength": 9}
    return {"type": "object", "properties": {key: value}, "required": [key], "additionalProperties": False}


class Types(e2e.Case):
    def setUp(self):
        super().setUp()
        self.temperature = 0
        self.pile = self.folder / "pile"
        self.pile.mkdir()
        self.write("invoice.json", schema("total"))
        self.write("letter.json", schema("from"))
        self.write("other.json", schema("about"))
        self.task()

    def write(self, name, value):
        (self.folder / name).write_text(json.dumps(value))

    def task(self, more="", text=TASK):
        (self.folder / "mail.task").write_text(text.format(more=more))

    def letter(self, name, text):
        (self.pile / name).write_text(text)

    def arguments(self, bundle=e2e.BUNDLE):
        return ["-m", bundle, "--temperature", self.temperature, "--reader", "none", "-t", self.folder / "mail.task", self.pile]

    def read(self, bundle=e2e.BUNDLE, code=0, out=None):
        self.run_weft("-q", "-o", out or self.out, *self.arguments(bundle), code=code)
        self.assert_code(e2e.weft("verify", "-o", out or self.out), 0)
        return e2e.by_name(out or self.out)

    def test_by_word(self):
        self.letter("a.txt", "INVOICE  No. 17\nDear Sir, pay.")
        self.letter("b.txt", "D\u00e9ar sir,\nhow are you?")
        self.letter("c.txt", "Rechnung\nNr 9")
        records = self.read()
        self.assertEqual(records["a.txt"]["type"],
                         {"name": "invoice", "by": "rule", "word": "invoice no", "content": "c1"})
        self.assertEqual(list(records["a.txt"]["answer"]), ["total"])
        self.assertEqual(records["b.txt"]["type"]["name"], "letter")
        self.assertEqual(list(records["b.txt"]["answer"]), ["from"])
        self.assertEqual(records["c.txt"]["type"]["word"], "Rechnung Nr")
        shown = e2e.weft("show", "-o", self.out, records["a.txt"]["id"].removeprefix("sha256:")).stdout
        self.assertIn('invoice          its text has "invoice no"', shown)

    def test_by_model(self):
        """Whatever it chooses has that type's schema; a document of none is skipped, and says so."""
        self.temperature = 50  # hot enough that any name may come
        for i in range(12):
            self.letter(f"{i}.txt", f"{'xyzq'[i % 4] * (i + 1)} {i * 7919}")
        names = set()
        for record in self.read().values():
            kind = record["type"]
            self.assertEqual(kind["by"], "model")
            self.assertIn("confidence", kind)
            names.add(kind["name"])
            if kind["name"] is None:
                self.assertEqual((record["status"], record["answer"]), ("skipped", None))
                self.assertEqual([fault["stage"] for fault in record["errors"]], ["type"])
                self.assertEqual(record["ledger"]["windows"]["skipped"], 1)
                self.assertTrue(record["content"])
            else:
                key = {"invoice": "total", "letter": "from"}[kind["name"]]
                self.assertEqual(list(record["answer"]), [key])
                self.assertEqual(record["status"], "ok")
        self.assertGreater(len(names), 1)

    def test_others(self):
        """With a schema of its own the task asks also about documents of no type."""
        self.task("schema=@other.json")
        for i in range(12):
            self.letter(f"{i}.txt", f"{'xyzq'[i % 4] * (i + 1)} {i * 7919}")
        found = [record for record in self.read().values() if record["type"]["name"] is None]
        for record in found:
            self.assertEqual((record["status"], list(record["answer"])), ("ok", ["about"]))
        self.assertTrue(found)

    def test_windows(self):
        """The first window decides for all; what they say is merged by the type's schema."""
        bundle = e2e.bundle_with(self.folder, max_position_embeddings=2048)
        for merge in ("fields", "model"):
            self.task(f"merge={merge}")
            self.letter("long.txt", "Invoice No. 17\n" + "\n\n".join(
                f"Line {i} of the goods that were sent, dear sir." for i in range(400)))
            record = self.read(bundle, out=self.folder / merge)["long.txt"]
            self.assertGreater(len(record["windows"]), 2)
            self.assertEqual(record["type"]["name"], "invoice")
            self.assertEqual(list(record["answer"]), ["total"])

    def test_ids(self):
        """Another schema of any type, another word, make other records."""
        self.letter("a.txt", "Invoice No. 17")
        ids = set()
        for change in (lambda: None, lambda: self.write("letter.json", schema("to")),
                       lambda: self.task(text=TASK.replace("dear sir", "dear madam")),
                       lambda: self.task(text=TASK.replace("a bill", "a receipt"))):
            change()
            ids |= {record["id"] for record in self.read(out=self.folder / str(len(ids))).values()}
        self.assertEqual(len(ids), 4)

    def test_nothing_to_ask_about(self):
        (self.pile / "blank.pdf").write_bytes(e2e.pdf([[]]))
        record = self.read()["blank.pdf"]
        self.assertEqual((record["answer"], record["status"]), (None, "ok"))

    def test_after_a_kill(self):
        """The choice is kept with the answers, so a run that goes on asks the same question."""
        self.write("invoice.json", schema("place", "harbour"))
        self.write("letter.json", schema("place", "harbour"))
        self.task("schema=@letter.json")
        bundle = e2e.bundle_with(self.folder, max_position_embeddings=2048)
        self.letter("long.txt", "\n\n".join(f"Line {i} of what the tug brought." for i in range(6000)))
        whole = self.folder / "whole"
        self.read(bundle, out=whole)
        process = subprocess.Popen([e2e.WEFT, "run", "-q", "-o", self.out, *map(str, self.arguments(bundle))])
        deadline = time.monotonic() + 120
        # What was read, the choice, and answers from the second on.
        while process.poll() is None and time.monotonic() < deadline and len(journal.in_work(self.out)) < 3:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.assertEqual(e2e.record_files(self.out), [])
        kept = [n for n in (journal.kinds(path).count(journal.ANSWER) for path in
                            journal.in_work(self.out)) if n]
        self.assertEqual(min(kept), 1, kept)  # the choice
        self.read(bundle)
        self.assertEqual(e2e.records(self.out), e2e.records(whole))
        self.assertEqual(e2e.summary(self.out)["windows_kept"], sum(kept))
        self.assertEqual(journal.in_work(self.out), [])

    def test_examples(self):
        """Those that users copy: with words, and with a list of invoices."""
        examples = e2e.SOURCE / "examples/documents"
        self.letter("a.txt", "Kassenbon\nSumme 3,50")
        (self.pile / "scan.pdf").write_bytes(e2e.pdf([["Invoice No. 1", "due"], ["page 2"],
                                                      ["Rechnung Nr. 2"]]))
        bundle = e2e.bundle_with(self.folder, max_position_embeddings=16384)
        for task in ("documents", "invoices"):
            done = e2e.weft("run", "-q", "-m", bundle, "--reader", "none", "-t", examples / f"{task}.task",
                            "-o", self.folder / task, self.pile)
            self.assertIn(done.returncode, (0, 1), done.stderr)
            self.assert_code(e2e.weft("verify", "-o", self.folder / task), 0)
        found = e2e.by_name(self.folder / "documents")
        self.assertEqual(found["a.txt"]["type"]["name"], "receipt")
        self.assertEqual(found["scan.pdf"]["type"]["name"], "invoice")
        found = e2e.by_name(self.folder / "invoices")
        self.assertEqual([one["pages"] for one in found["scan.pdf"]["elements"]], [[1, 2], [3, 3]])

    def test_refused(self):
        self.letter("a.txt", "x")
        for text, message in (
                (TASK.replace("[type letter]", "[type in voice]"), "letters"),
                (TASK.replace("[type letter]", "[type invoice]\n[kind letter]"), "no group of a task"),
                (TASK.replace("[type letter]", "[type  invoice]"), "two types"),
                (TASK.replace("match=dear sir", "match=..."), "no letter"),
                (TASK.replace("match=dear sir", "word=x"), "no key of a type"),
                (TASK.replace("schema=@letter.json", ""), "schema is missing"),
                (TASK.replace("schema=@letter.json", "schema=3"), "[type letter]"),
                (TASK.format(more="windows=none"), "windows=none")):
            with self.subTest(message):
                self.task(text=text)
                done = self.run_weft("-o", self.out, *self.arguments(), code=3)
                self.assertIn(message, done.stderr)
        self.task()
        done = self.run_weft("-o", self.out, "-s", self.folder / "other.json", *self.arguments(), code=2)
        self.assertIn("types have their own", done.stderr)


if __name__ == "__main__":
    e2e.main()
