"""The front door: help, version, verbs, and the table that people see."""

import json
import os
import pty
import re
import subprocess

import e2e

VERBS = ["run", "show", "search", "export", "status", "verify", "gc", "rebuild-index", "plan", "schema", "model",
         "doctor", "bench", "probe"]


class Help(e2e.Case):
    def test_help_and_version(self):
        result = e2e.weft("--help")
        self.assert_code(result, 0)
        for verb in VERBS:
            self.assertIn(f"weft {verb}", result.stdout)
        self.assertEqual(result.stderr, "")
        self.assertRegex(e2e.weft("--version").stdout, r"^weft \d+\.\d+\.\d+\n$")

    def test_no_arguments(self):
        result = e2e.weft()
        self.assert_code(result, 2)
        self.assertEqual(result.stdout, "")
        self.assertIn("weft run", result.stderr)

    def test_help_of_a_verb(self):
        for verb in VERBS:
            with self.subTest(verb):
                result = e2e.weft(verb, "--help")
                self.assert_code(result, 0)
                self.assertIn("weft " + verb, result.stdout)

    def test_without_a_locale(self):
        """What cron starts has none: bytes are taken as UTF-8 all the same."""
        bare = {"PATH": os.environ["PATH"]}
        for verb in VERBS + ["ask", "report", "calibrate"]:
            options = re.findall(r"^  (?:-\w, )?(--[\w-]+)=(?!N )", e2e.weft(verb, "--help").stdout, re.M)
            with self.subTest(verb):
                done = e2e.weft(verb, *[word for option in options for word in (option, "Ümläut 🙂")], cwd=self.folder,
                                env=bare)
                self.assertNotIn("byte sequence", done.stderr)
        (self.folder / "Fähre.md").write_text("Die Fähre fährt um neun.\n")
        done = e2e.weft("run", "-q", "-t", "ask", "--question", "Wann fährt die Fähre? 🙂", "-o", "Ausgänge", "Fähre.md",
                        cwd=self.folder, env=bare)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("Wann fährt die Fähre? 🙂", "".join(
            path.read_text() for path in (self.folder / "Ausgänge/jobs").rglob("*") if path.is_file()))
        done = e2e.weft("search", "-o", "Ausgänge", "Fähre", cwd=self.folder, env=bare)
        self.assertIn("Fähre.md", done.stdout)

    def test_wrong_verb(self):
        result = e2e.weft("rnu")
        self.assert_code(result, 2)
        self.assertIn("rnu", result.stderr)


class Show(e2e.Case):
    def setUp(self):
        super().setUp()
        e2e.weft("run", "-t", "inventory", "-o", "out", e2e.INBOX, cwd=self.folder)

    def test_table(self):
        result = e2e.weft("show", "-o", "out", cwd=self.folder)
        self.assert_code(result, 0)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 12)
        self.assertLessEqual(max(map(len, lines)), 100)
        rows = {line.split("  ")[0].rsplit("/", 1)[-1]: line for line in lines[1:]}
        self.assertRegex(rows["annual-report.pdf"], r"PDF, 2 pages .* p\.\d .*ok$")
        self.assertRegex(rows["broken.pdf"], r"failed$")
        self.assertRegex(rows["minutes.docx"], r"skipped$")
        self.assertRegex(rows["interview.mp3"], r"sound, 00:16")

    def test_one(self):
        result = e2e.weft("show", "-o", "out", e2e.INBOX / "annual-report.pdf", cwd=self.folder)
        self.assert_code(result, 0)
        text = result.stdout
        self.assertIn("Annual Report 2025", text)
        self.assertIn("1,412", text)
        self.assertIn("      | Vessel calls | ", text)
        self.assertNotIn("\\x09", text)
        found = json.loads(subprocess.run(
            [e2e.WEFT, "run", "-q", "-t", "inventory", "-o", "-", e2e.INBOX / "annual-report.pdf"],
            stdout=subprocess.PIPE, timeout=500, check=True).stdout)["id"]
        by_id = e2e.weft("show", "-o", "out", found.split(":")[1][:10], cwd=self.folder)
        self.assertEqual(by_id.stdout, result.stdout)

    def test_what_is_not_there(self):
        for arguments in (["-o", "nowhere"], ["-o", "out", "nothing.pdf"]):
            result = e2e.weft("show", *arguments, cwd=self.folder)
            self.assert_code(result, 3)
            said = [line for line in result.stderr.splitlines() if "lists its options" not in line]
            self.assertEqual(len(said), 1, result.stderr)


class Schema(e2e.Case):
    def test_record(self):
        result = e2e.weft("schema", "record")
        self.assert_code(result, 0)
        schema = json.loads(result.stdout)
        (record,) = e2e.lines(e2e.weft("run", "-q", "-t", "inventory", "-o", "-",
                                      e2e.INBOX / "notes.md"))
        self.assertLessEqual(set(record), set(schema["properties"]))
        self.assertLessEqual(set(schema["required"]), set(record))

    def test_check(self):
        good, bad = self.folder / "good.json", self.folder / "bad.json"
        good.write_text('{"type": "object", "properties": {"a": {"type": "integer"}}, '
                        '"required": ["a"], "additionalProperties": false}')
        bad.write_text('{"type": "object", "properties": {"a": {"contains": {}}}}')
        self.assert_code(e2e.weft("schema", "check", good), 0)
        result = e2e.weft("schema", "check", bad)
        self.assert_code(result, 3)
        self.assertIn("contains", result.stderr)


class Terminal(e2e.Case):
    def test_progress_is_for_terminals(self):
        out = e2e.weft("run", "-t", "inventory", "-o", "out", e2e.INBOX, cwd=self.folder)
        self.assertNotIn("\r", out.stderr)
        self.assertNotIn("\x1b", out.stderr)
        self.assertEqual(out.stdout, "")

    def test_on_a_terminal(self):
        try:
            ours, theirs = pty.openpty()
        except OSError as error:  # no /dev/pts, as in a bare chroot
            self.skipTest(str(error))
        child = subprocess.Popen([e2e.WEFT, "run", "-t", "inventory", "-o", "out", e2e.INBOX],
                                 stdout=theirs, stderr=theirs, cwd=self.folder,
                                 env={**os.environ, "TERM": "xterm"})
        os.close(theirs)
        seen = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            seen += data
        os.close(ours)
        self.assertEqual(child.wait(500), 1)
        last = seen.decode().splitlines()[-1]
        self.assertRegex(last, r"9 done, 1 failed, 1 skipped, [\d.]+ s$")

    def test_json_lines(self):
        result = e2e.weft("run", "-t", "inventory", "--log", "json", "-o", "-", e2e.INBOX)
        for line in result.stderr.splitlines():
            self.assertLessEqual({"level", "message"}, set(json.loads(line)))

    def test_quiet(self):
        result = e2e.weft("run", "-q", "-t", "inventory", "-o", "-", e2e.INBOX / "notes.md")
        self.assertEqual(result.stderr, "")


if __name__ == "__main__":
    e2e.main()
