"""The tasks that come with weft, as files that users copy: a copy is the same task."""
import json
import shutil
import unittest

import e2e

SCHEMA = {"type": "object", "properties": {"total": {"type": ["string", "null"], "maxLength": 9}},
          "required": ["total"], "additionalProperties": False}


class Tasks(e2e.Case):
    def setUp(self):
        super().setUp()
        self.pile = self.folder / "pile"
        self.pile.mkdir()
        (self.pile / "a.txt").write_text("Dear Anna,\nthe total is 12.50.\n\nBen\n")
        (self.pile / "scan.pdf").write_bytes(e2e.pdf([["Invoice No. 17"], ["total 12.50"]]))
        (self.folder / "s.json").write_text(json.dumps(SCHEMA))
        self.mine = self.folder / "mine"
        shutil.copytree(e2e.SOURCE / "tasks", self.mine)

    def read(self, task, *more, out):
        done = e2e.weft("run", "-q", "-m", e2e.BUNDLE, "--reader", "none", "-t", task, *more, "-o", out, self.pile)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return e2e.records(out)

    def test_copies(self):
        names = {path.stem for path in self.mine.glob("*.task")}
        self.assertLessEqual({"index", "transcript", "describe", "extract", "ask"}, names)
        for name in sorted(names):
            with self.subTest(name):
                more = {"extract": ["-s", self.folder / "s.json"], "ask": ["--question", "How much?"],
                        "across": ["--question", "How much?"]}.get(name, [])
                shipped = self.read(name, *more, out=self.folder / f"{name}.shipped")
                copied = self.read(self.mine / f"{name}.task", *more, out=self.folder / f"{name}.copied")
                self.assertEqual(shipped, copied)
                self.assertEqual(len(shipped), 2)
                self.assert_code(e2e.weft("verify", "-o", self.folder / f"{name}.copied"), 0)

    def test_changed(self):
        """One's own words make one's own task, under any name."""
        (self.mine / "own.task").write_text(
            "[task]\n# mine\nprompt=What is the total?\\n{document}\\nSay it.\nschema=" + json.dumps(SCHEMA) + "\n")
        records = self.read(self.mine / "own.task", out=self.out)
        self.assertEqual({tuple(json.loads(text)["answer"]) for text in records.values()}, {("total",)})
        done = e2e.weft("run", "-m", e2e.BUNDLE, "-t", self.mine / "gone.task", "-o", self.out, self.pile)
        self.assert_code(done, 3)
        self.assertIn("gone.task", done.stderr)
        done = e2e.weft("run", "-t", "extrct", "-o", self.out, self.pile)
        self.assert_code(done, 3)
        self.assertRegex(done.stderr, r'no task "extrct" comes .* describe, extract, index, .*\./extrct\.task')

    @unittest.skipUnless(e2e.SHIPPED, "there is no bundle")
    def test_untaught(self):
        """Who asks the shipped bundle what it never learned is told, unless they want quiet."""
        for more, is_told in ((["-t", "index"], False), (["-t", "describe"], True), (["-q", "-t", "describe"], False),
                              (["-t", "inventory"], False), (["-m", e2e.BUNDLE, "-t", "describe"], False)):
            done = e2e.weft("run", *more, "--reader", "none", "-o", "-", self.pile / "a.txt")
            self.assert_code(done, 0)
            self.assertEqual("was trained for index alone" in done.stderr, is_told, done.stderr)

    def test_verbatim_and_declines(self):
        """Each makes another record, and is kept with the job, so that verify can do it again."""
        ids = set()
        for more in ("", "verbatim=true\n", "declines=true\n\n"):
            (self.mine / "own.task").write_text("[task]\nprompt=Read.\nschema=@../s.json\n" + more)
            out = self.folder / f"out{len(more)}"
            ids |= set(self.read(self.mine / "own.task", out=out))
            (kept,) = out.glob("jobs/*/own.task")
            for key in ("verbatim=true", "declines=true"):
                self.assertEqual(key in kept.read_text(), key in more)
            self.assert_code(e2e.weft("verify", "-o", out, "--sample", "2"), 0)
        self.assertEqual(len(ids), 6)

    def test_summaries(self):
        """Each says in one line what it is for, and weft-run(1) names it."""
        page = (e2e.SOURCE / "docs/man/weft-run.1").read_text()
        for path in self.mine.glob("*.task"):
            self.assertIn("\nsummary=", "\n" + path.read_text(), path.name)
            if path.stem != "across":  # of weft-ask(1)
                self.assertIn(f"\n.B {path.stem}\n", page)


if __name__ == "__main__":
    e2e.main()
