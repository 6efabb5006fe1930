"""Documents that are cut, closed, misnamed or oddly named; models that can't be."""

import json
import os
import shutil

import e2e


class Documents(e2e.Case):
    def inventory(self, *arguments, **keywords):
        return e2e.weft("run", "-t", "inventory", "-o", "-", *arguments, cwd=self.folder,
                        **keywords)

    def one(self, name, data):
        """The record of one file beside a good one."""
        self.inputs = self.folder / "in"
        self.inputs.mkdir()
        (self.inputs / "good.md").write_text("A good neighbour.\n")
        (self.inputs / name).write_bytes(data)
        self.result = self.inventory("in")
        records = e2e.named(e2e.lines(self.result))
        self.assertEqual(records["good.md"]["status"], "ok")
        self.assertEqual(len(records), 2)
        return records[name]

    def assert_fault(self, record, status, stage, code):
        self.assertEqual(record["status"], status, record["errors"])
        self.assertIn((stage, code), [(e["stage"], e["code"]) for e in record["errors"]])
        for error in record["errors"]:
            self.assertNotIn("\n", error["message"])

    def test_named_types_are_skipped_with_a_hint(self):
        record = self.one("page.html", b"<!DOCTYPE html><html><body>hello</body></html>\n")
        self.assert_fault(record, "skipped", "sniff", "unsupported")
        self.assertIn("PDF", record["errors"][0]["message"])

    def test_the_type_is_in_the_content_not_in_the_name(self):
        record = self.one("chart.mp3", (e2e.INBOX / "chart.png").read_bytes())
        self.assertEqual(record["status"], "ok")
        self.assertEqual(record["source"]["media_type"], "image/png")

    def test_truncated_jpeg_is_partial(self):
        data = (e2e.INBOX / "photo-receipt.jpg").read_bytes()
        record = self.one("half.jpg", data[:len(data) // 2])
        self.assert_fault(record, "partial", "decode", "truncated")
        self.assert_code(self.result, 1)
        self.assertEqual([c["kind"] for c in record["content"]], ["image"])
        self.assertEqual(record["content"][0]["at"][0]["bbox"], [0, 0, 900, 1200])

    def test_truncated_png_is_not_ok(self):
        data = (e2e.INBOX / "chart.png").read_bytes()
        record = self.one("half.png", data[:len(data) // 2])
        self.assertIn(record["status"], ("partial", "failed"))
        self.assert_code(self.result, 1)

    def test_truncated_mp3_keeps_what_is_there(self):
        data = (e2e.INBOX / "interview.mp3").read_bytes()
        record = self.one("half.mp3", data[:len(data) // 2])
        self.assertIn(record["status"], ("ok", "partial"))
        last = record["content"][-1]["at"][0]["time"]
        self.assertAlmostEqual(last[1], 8, delta=0.7)

    def test_truncated_mp4(self):
        data = (e2e.INBOX / "slides-talk.mp4").read_bytes()  # its index stands first
        record = self.one("half.mp4", data[:len(data) // 2])
        self.assertEqual(record["status"], "partial", record["errors"])
        self.assert_code(self.result, 1)
        self.assertIn("speech", {c["kind"] for c in record["content"]})

    def test_mp4_without_its_index(self):
        record = self.one("head.mp4", (e2e.INBOX / "slides-talk.mp4").read_bytes()[:64])
        self.assertEqual(record["status"], "failed", record["errors"])
        self.assert_code(self.result, 1)

    def test_a_pdf_with_a_password(self):
        data = (e2e.SOURCE / "tests/ingest/data/encrypted.pdf").read_bytes()
        record = self.one("locked.pdf", data)
        self.assert_fault(record, "failed", "decode", "encrypted")
        self.assert_code(self.result, 1)

    def test_a_random_tail_does_no_harm(self):
        for name in ("chart.png", "photo-receipt.jpg", "notes.md"):
            with self.subTest(name):
                data = (e2e.INBOX / name).read_bytes()
                record = self.one(name, data + os.urandom(512))
                self.assertIn(record["status"], ("ok", "partial", "skipped"))
                shutil.rmtree(self.inputs)


class Names(e2e.Case):
    def test_strange_names(self):
        names = [b"two\nlines.md", b"not utf-8 \xff\xfe.md", b" .md", b"-o.md", b"\x1b[31m.md",
                 "Łódź \u202egnp.md".encode(), b"'\";rm.md", b"a" * 240 + b".md"]
        (self.folder / "in").mkdir()
        for name in names:
            with open(os.path.join(os.fsencode(self.folder), b"in", name), "wb") as file:
                file.write(b"This is the file " + name.hex().encode() + b"\n")
        result = e2e.weft("run", "-t", "inventory", "-o", "-", "in", cwd=self.folder)
        self.assert_code(result, 0)
        records = {e2e.paths_of(r)[0]: r for r in e2e.lines(result)}
        self.assertEqual(set(records), {b"in/" + name for name in names})
        for name in names:
            record = records[b"in/" + name]
            self.assertIn(name.hex(), record["content"][0]["text"])
            is_utf8 = b"\xff" not in name
            self.assertEqual("paths_b64" in record["source"], not is_utf8)
        self.assertNotIn("\x1b[31m", result.stderr)
        # The same through an output folder and its table.
        stored = e2e.weft("run", "-t", "inventory", "-o", "out", "in", cwd=self.folder)
        self.assert_code(stored, 0)
        again = e2e.weft("run", "-t", "inventory", "-o", "out", "in", cwd=self.folder)
        self.assertRegex(again.stderr.splitlines()[-1], rf"^{len(names)} unchanged")
        table = e2e.weft("show", "-o", "out", cwd=self.folder)
        self.assert_code(table, 0)
        self.assertEqual(len(table.stdout.splitlines()), len(names) + 1)
        self.assertNotIn("\x1b[31m", table.stdout)

    def test_what_is_not_a_file(self):
        os.mkfifo(self.folder / "pipe")
        (self.folder / "loop").symlink_to("loop")
        done = e2e.weft("run", "-t", "inventory", "-o", "-", "pipe", "loop", cwd=self.folder)
        self.assert_code(done, 1)
        found = e2e.named(e2e.lines(done))
        self.assertEqual({name: record["errors"][0]["code"] for name, record in found.items()},
                         {"pipe": "unsupported", "loop": "io"})

    def test_empty_folder(self):
        (self.folder / "in").mkdir()
        done = e2e.weft("run", "-t", "inventory", "-o", "-", "in", cwd=self.folder)
        self.assert_code(done, 0)
        self.assertEqual(done.stdout, "")


class Start(e2e.Case):
    """What can't start says so in one line, and leaves no output folder behind."""

    def refuse(self, code, *arguments, words=()):
        (self.folder / "a.md").write_text("a\n")
        result = e2e.weft(*arguments, cwd=self.folder)
        self.assert_code(result, code)
        lines = [line for line in result.stderr.splitlines()
                 if not line.endswith("lists its options.")]
        self.assertEqual(len(lines), 1, result)
        for word in words:
            self.assertIn(word, lines[0])
        self.assertEqual(result.stdout, "")
        self.assertFalse((self.folder / "weft-out" / "records").exists())

    def test_configuration_with_a_wrong_value_names_the_key(self):
        for key, value in (("hidden_size", "many"), ("num_attention_heads", 0),
                           ("num_key_value_heads", 3), ("vocab_size", -1),
                           ("rms_norm_eps", None)):
            with self.subTest(key):
                folder = e2e.bundle_with(self.folder, **{key: value})
                self.refuse(3, "run", "-m", folder, "a.md", words=[key])
                shutil.rmtree(folder)

    def test_truncated_weights(self):
        folder = e2e.bundle_with(self.folder)
        data = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(data[:len(data) // 2])
        self.refuse(3, "run", "-m", folder, "a.md", words=["model.safetensors"])

    def test_options(self):
        for arguments in (["run"], ["run", "--no-such-option", "a.md"], ["run", "-j", "x", "a.md"],
                          ["run", "--reader", "nobody", "a.md"], ["run", "--pages", "9-3", "a.md"],
                          ["run", "--memory", "1K", "a.md"], ["nosuchverb"],
                          ["run", "--time", "30-20", "a.md"], ["run", "-t", "ask", "a.md"],
                          ["run", "-t", "extract", "a.md"]):
            with self.subTest(arguments):
                self.refuse(2, *arguments)

    def test_schema_that_is_refused(self):
        (self.folder / "s.json").write_text(json.dumps({"type": "object", "properties": {
            "a": {"contains": {"type": "string"}}}}))
        self.refuse(3, "run", "-m", e2e.BUNDLE, "-t", "extract", "-s", "s.json", "a.md",
                    words=["contains", "#/properties/a"])


if __name__ == "__main__":
    e2e.main()
