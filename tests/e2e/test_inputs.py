"""What people really give: broken files, odd names, links, lists; each ends in a record or a line."""
import base64
import json
import os
import shutil

import e2e

RUN = ["-m", e2e.BUNDLE, "--reader", "none"]
INVENTORY = ["-t", "inventory"]


class Inputs(e2e.Case):
    def put(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def assert_fault(self, record, status, stage, code, words):
        self.assertEqual(record["status"], status, record["errors"])
        fault = record["errors"][0]
        self.assertEqual((fault["stage"], fault["code"]), (stage, code), fault)
        self.assertIn(words, fault["message"])

    def test_bad_ones_beside_a_good_one(self):
        jpeg = (e2e.INBOX / "photo-receipt.jpg").read_bytes()
        self.put("pile/good.txt", "The harbour office is open from nine to five.\n")
        self.put("pile/broken.pdf", (e2e.INBOX / "broken.pdf").read_bytes())
        self.put("pile/empty.pdf", b"")
        self.put("pile/half.jpg", jpeg[:len(jpeg) * 6 // 10])
        self.put("pile/minutes.docx", (e2e.INBOX / "minutes.docx").read_bytes())
        self.put("pile/noise.bin", bytes(range(256)) * 9)
        self.put("pile/lying.png", b"%PDF-1.4\nnot much of a document")
        done = self.run_weft(*INVENTORY, "-o", self.out, self.folder / "pile", code=1)
        found = e2e.by_name(self.out)
        self.assertEqual(len(found), 7)
        self.assertEqual(found["good.txt"]["status"], "ok")
        self.assertIn("nine to five", found["good.txt"]["content"][0]["text"])
        self.assert_fault(found["broken.pdf"], "failed", "decode", "corrupt", "damaged")
        self.assert_fault(found["empty.pdf"], "skipped", "sniff", "empty", "empty")
        self.assert_fault(found["half.jpg"], "partial", "decode", "truncated", "")
        self.assert_fault(found["minutes.docx"], "skipped", "sniff", "unsupported", "Word document")
        self.assertIn("convert", found["minutes.docx"]["errors"][0]["message"])
        self.assert_fault(found["noise.bin"], "skipped", "sniff", "unsupported", "")
        self.assertEqual(found["lying.png"]["source"]["media_type"], "application/pdf")
        self.assertEqual(found["lying.png"]["status"], "failed")
        for name, record in found.items():
            lines = [line for line in done.stderr.splitlines() if f"pile/{name}:" in line]
            self.assertEqual(len(lines), 0 if record["status"] == "ok" else 1, done.stderr)
            for fault in record["errors"]:
                self.assertNotIn(str(self.folder), fault["message"])

    def test_folder_without_permission(self):
        self.put("pile/a.txt", "first\n")
        self.put("pile/closed/b.txt", "hidden\n")
        self.put("pile/secret.txt", "not to be read\n")
        self.put("pile/z.txt", "last\n")
        (self.folder / "pile/closed").chmod(0)
        (self.folder / "pile/secret.txt").chmod(0)
        done = e2e.weft("run", *INVENTORY, "-o", self.out, self.folder / "pile",
                        preexec_fn=e2e.bound_by_permissions, cwd="/")
        self.addCleanup((self.folder / "pile/closed").chmod, 0o755)
        self.assertEqual(done.returncode, 1, done.stderr)
        found = e2e.by_name(self.out)
        self.assertEqual(sorted(found), ["a.txt", "closed", "secret.txt", "z.txt"])
        for name in ["closed", "secret.txt"]:
            self.assert_fault(found[name], "failed", "open", "io", "Permission denied")
            self.assertIsNone(found[name]["source"]["sha256"])
        self.assertEqual(found["z.txt"]["status"], "ok")

    def test_missing_path(self):
        self.put("here.txt", "here\n")
        self.run_weft(*INVENTORY, "-o", self.out, "gone.txt", "here.txt", code=1, cwd=self.folder)
        found = e2e.by_name(self.out)
        self.assert_fault(found["gone.txt"], "failed", "open", "io", "No such file")
        self.assertEqual(found["here.txt"]["status"], "ok")

    def test_same_bytes_twice(self):
        self.put("pile/one.txt", "the same words\n")
        self.put("pile/two.txt", "the same words\n")
        self.put("pile/three.txt", "other words\n")
        self.run_weft(*INVENTORY, "-o", self.out, "pile", code=0, cwd=self.folder)
        self.assertEqual(len(e2e.record_files(self.out)), 2)
        self.assertEqual(e2e.by_name(self.out)["one.txt"]["source"]["paths"],
                         ["pile/one.txt", "pile/two.txt"])
        self.assertEqual(e2e.summary(self.out)["copies"], 1)
        self.run_weft(*INVENTORY, "-o", self.out, "pile", code=0, cwd=self.folder)
        self.assertEqual(e2e.summary(self.out)["unchanged"], 3)

    def test_what_is_walked(self):
        self.put("pile/.hidden.txt", "hidden\n")
        self.put("pile/below/deep.txt", "deep\n")
        self.put("pile/skip.tmp", "left out by name\n")
        self.put("pile/old/a.txt", "left out with its folder\n")
        self.put("elsewhere.txt", "behind a link\n")
        os.symlink("../elsewhere.txt", self.folder / "pile/link.txt")
        os.symlink("..", self.folder / "pile/loop")
        os.mkfifo(self.folder / "pile/pipe")
        self.run_weft(*INVENTORY, "-o", "pile/out", "--exclude", "*.tmp", "--exclude", "old", "pile",
                      "./pile//below/", "pile/below/deep.txt", code=0, cwd=self.folder)
        found = e2e.by_name(self.folder / "pile/out")
        self.assertEqual(sorted(found), [".hidden.txt", "deep.txt"])
        self.assertEqual(found["deep.txt"]["source"]["paths"], ["pile/below/deep.txt"])
        # What is no input is counted: two by --exclude, two links, a pipe.
        self.assertEqual(e2e.summary(self.folder / "pile/out")["left_out"], 5)
        # The output folder lies in the input folder: it is not read again.
        self.run_weft(*INVENTORY, "-o", "pile/out", "--exclude", "*.tmp", "--exclude", "old", "pile",
                      code=0, cwd=self.folder)
        self.assertEqual(e2e.summary(self.folder / "pile/out")["inputs"], 2)
        # A link that is given itself is followed.
        self.run_weft(*INVENTORY, "-o", "out", "pile/link.txt", code=0, cwd=self.folder)
        self.assertEqual(e2e.by_name(self.out)["link.txt"]["status"], "ok")

    def test_names_that_are_not_utf8(self):
        name = b"caf\xe9\x1b[31m.txt"
        (self.folder / "pile").mkdir()
        with open(os.path.join(os.fsencode(self.folder), b"pile", name), "wb") as file:
            file.write(b"")
        done = self.run_weft(*INVENTORY, "-o", self.out, "pile", code=0, cwd=self.folder)
        self.assertNotIn("\x1b", done.stderr)
        record = json.loads(e2e.record_files(self.out)[0].read_text())
        self.assertEqual(base64.b64decode(record["source"]["paths_b64"][0]), b"pile/" + name)

    def test_lists_of_files(self):
        self.put("a b\nc.txt", "odd name\n")
        self.put("plain.txt", "plain\n")
        self.run_weft(*INVENTORY, "-o", self.out, "--files-from", "-", "-0", code=0,
                      cwd=self.folder, input="a b\nc.txt\0plain.txt\0")
        self.assertEqual(sorted(e2e.by_name(self.out)), ["a b\nc.txt", "plain.txt"])

    def test_job_file(self):
        self.put("pile/a.txt", "some words\n")
        self.put("night.job", "[job]\ninputs=pile\ntask=inventory\noutput=records-of-the-night\n")
        self.run_weft("-c", self.folder / "night.job", code=0)
        self.assertEqual(list(e2e.by_name(self.folder / "records-of-the-night")), ["a.txt"])

    def test_text_file_to_an_answer(self):
        self.put("letter.txt", "Dear Ms Ingrid Solheim,\nthe pier was mended on 3 May 2025.\n")
        schema = {"type": "object", "properties": {"name": {"enum": ["Ingrid Solheim"]},
                                                   "day": {"type": ["string", "null"], "maxLength": 8}},
                  "required": ["name", "day"], "additionalProperties": False}
        self.put("s.json", json.dumps(schema))
        self.run_weft(*RUN, "-t", "extract", "-s", "s.json", "-o", self.out, "letter.txt", code=0,
                      cwd=self.folder)
        record = e2e.by_name(self.out)["letter.txt"]
        self.assertEqual(record["answer"]["name"], "Ingrid Solheim")
        found = record["provenance"]["/name"][0]
        self.assertEqual((found["kind"], found["content"], found["quote"]),
                         ("matched", "c1", "Ingrid Solheim"))
        self.assertEqual(record["content"][0]["text"][slice(*found["chars"])], "Ingrid Solheim")
        self.assertGreater(record["model"]["tokens"]["text"], 20)
        self.assertEqual(record["ledger"]["windows"], {"in": 1, "done": 1, "failed": 0, "skipped": 0})

    def test_unknown_chat_template(self):
        """Named once, on standard error; a template of a known family is not mentioned."""
        self.put("letter.txt", "The pier was mended on 3 May 2025.\n")
        self.put("s.json", '{"type": "object", "properties": {"n": {"type": "null"}}, "required": ["n"]}')
        bundle = e2e.bundle_with(self.folder)
        template = bundle / "chat_template.jinja"
        for text, says in (("{{ '<|im_start|>' + messages[0]['role'] }}", 1),
                           ("<|header_start|> {{ role }} <|header_end|> {{ text }} <|eot|>", 0)):
            template.write_text(text)
            done = self.run_weft("-m", bundle, "--reader", "none", "-t", "extract", "-s", "s.json", "-o",
                                 self.out, "letter.txt", code=0, cwd=self.folder)
            self.assertEqual(done.stderr.count("chat_template.jinja is none of"), says, done.stderr)
            doctor = e2e.weft("doctor", "-m", bundle)
            self.assertIn("turns        plain (chat_template.jinja" if says else "turns        llama4\n",
                          doctor.stdout)

    def test_nothing_to_ask_about(self):
        """A blank page is never shown to the model; the answer says that nothing is there."""
        self.put("blank.pdf", e2e.pdf([[], []]))
        self.run_weft(*RUN, "-o", self.out, "blank.pdf", code=0, cwd=self.folder)
        record = e2e.by_name(self.out)["blank.pdf"]
        self.assertEqual({item["kind"] for item in record["content"]}, {"blank"})
        self.assertEqual(set(record["answer"].values()), {None})
        self.assertEqual(set(record["absent"].values()), {"absent"})
        self.assertEqual(record["ledger"]["windows"]["in"], 0)
        self.assertEqual([page["status"] for page in record["document"]["pages"]], ["blank", "blank"])

    def test_speech_is_told_and_not_read(self):
        shutil.copy(e2e.INBOX / "voice-memo.flac", self.folder)
        self.run_weft(*RUN, "-o", self.out, "voice-memo.flac", code=1, cwd=self.folder)
        record = e2e.by_name(self.out)["voice-memo.flac"]
        self.assert_fault(record, "partial", "read", "no_reader", "--audio")
        self.assertIn("speech", {item["kind"] for item in record["content"]})
        ledger = record["ledger"]["seconds"]
        self.assertGreater(ledger["skipped"], 0)
        self.assertEqual(ledger["in"], ledger["done"] + ledger["skipped"] + ledger["failed"])


if __name__ == "__main__":
    e2e.main()
