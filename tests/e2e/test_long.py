"""A document that is much longer than the context: windows, one record, flat memory."""
import json
import os
import re
import subprocess

import e2e

N_PAGES = 300


def page(number):
    lines = [f"Page {number} of the log of the harbour office."]
    lines += [f"{number}.{i} The tug came in at {i} with {number * i % 97} tons." for i in range(1, 4)]
    if number in (1, N_PAGES // 2, N_PAGES):
        lines.append(f"Signature: keeper number K{number}X.")
    return lines


class Long(e2e.Case):
    def setUp(self):
        super().setUp()
        self.bundle = e2e.bundle_with(self.folder, max_position_embeddings=4096)
        names = {1: "first", N_PAGES // 2: "middle", N_PAGES: "last"}
        schema = {"type": "object",
                  "properties": {name: {"enum": [f"K{n}X"]} for n, name in names.items()},
                  "required": list(names.values()), "additionalProperties": False}
        (self.folder / "s.json").write_text(json.dumps(schema))

    def measured(self, n_pages, *arguments):
        """Runs weft over a document of so many pages; its record and its peak memory in KiB."""
        name = f"log-{n_pages}.pdf"
        (self.folder / name).write_bytes(e2e.pdf([page(n + 1) for n in range(n_pages)]))
        out = self.folder / f"out-{n_pages}"
        process = subprocess.Popen([e2e.WEFT, "run", "-q", "-m", self.bundle, "-o", out, *arguments,
                                    self.folder / name])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        return e2e.by_name(out)[name], usage.ru_maxrss

    def test_windows_and_memory(self):
        extract = ["-t", "extract", "-s", self.folder / "s.json", "--memory", "192M",
                   "--limit", "decoder-bytes=64M", "--limit", "raster-pixels=2000000"]
        _, short_kib = self.measured(30, *extract)
        record, long_kib = self.measured(N_PAGES, *extract)
        self.assertEqual(len(record["document"]["pages"]), N_PAGES)
        self.assertEqual(record["ledger"]["pages"],
                         {"in": N_PAGES, "done": N_PAGES, "failed": 0, "skipped": 0})
        windows = record["ledger"]["windows"]
        self.assertGreater(windows["in"], 8)
        self.assertEqual(windows["in"], windows["done"])
        # Evidence from the first window, from one in the middle, and from the last.
        pages = {name: record["provenance"][f"/{name}"][0]["at"][0]["page"]
                 for name in ("first", "middle", "last")}
        self.assertEqual(pages, {"first": 1, "middle": N_PAGES // 2, "last": N_PAGES})
        # Ten times the pages: what grows is the record, text with a box for each word.
        self.assertLess(long_kib, short_kib * 1.25 + 16 * 1024)

    def test_ends_only(self):
        """index asks the first and the last window, and says how many it left out."""
        record, _ = self.measured(150, "--reader", "none", "-t", self.task())
        windows = record["ledger"]["windows"]
        self.assertGreater(windows["in"], 2)
        self.assertEqual((windows["done"], windows["skipped"]), (2, windows["in"] - 2))

    def test_pictures_that_are_left_out(self):
        """Scanned pages in windows that are not asked, without a reader: told, not passed over."""
        scans = self.folder / "scans.pdf"
        letter = str(e2e.INBOX / "scanned-letter.pdf")
        subprocess.run(["pdfunite", *[letter] * 8, str(scans)], check=True)
        self.run_weft("-m", self.bundle, "--reader", "none", "-t", self.task(), "-o", self.out, scans,
                      code=1)
        record = e2e.by_name(self.out)["scans.pdf"]
        windows = record["ledger"]["windows"]
        self.assertGreater(windows["skipped"], 0)
        left_out = [fault["at"]["page"] for fault in record["errors"]
                    if fault["code"] == "not_examined"]
        pages = {page["n"]: page["status"] for page in record["document"]["pages"]}
        self.assertEqual(record["status"], "partial")
        self.assertEqual(left_out, [n for n, status in pages.items() if status == "skipped"])
        self.assertEqual(record["ledger"]["pages"]["skipped"], len(left_out))
        self.assertEqual([pages[n] for n in (1, 2, 24)], ["done", "blank", "done"])

    def task(self):
        path = self.folder / "ends.task"
        path.write_text("[task]\nprompt=Who keeps the log?\nschema=@s.json\nwindows=ends\n")
        return path

    def test_merge_by_the_model(self):
        path = self.folder / "model.task"
        path.write_text("[task]\nprompt=Who keeps the log?\nschema=@s.json\nmerge=model\n")
        record, _ = self.measured(40, "-t", path)
        self.assertGreater(record["ledger"]["windows"]["done"], 1)
        self.assertEqual(record["answer"]["first"], "K1X")
        self.assertEqual(record["errors"], [])

    def test_every_answer_that_was_cut_is_named(self):
        """By fields, and by the model, which is not asked about the pages and so can't tell."""
        note = {"type": "object", "properties": {"note": {"type": "string"}},
                "required": ["note"], "additionalProperties": False}
        (self.folder / "s.json").write_text(json.dumps(note))
        (self.folder / "log.pdf").write_bytes(e2e.pdf([page(n + 1) for n in range(100)]))
        for merge in ("fields", "model"):
            task = self.folder / f"{merge}.task"
            task.write_text(f"[task]\nprompt=Note.\nschema=@s.json\nanswer_tokens=60\nmerge={merge}\n")
            self.run_weft("-q", "-m", self.bundle, "-o", self.folder / merge, "-t", task, self.folder / "log.pdf", code=1)
            record = e2e.by_name(self.folder / merge)["log.pdf"]
            n_windows = record["ledger"]["windows"]["done"]
            cut = [fault["message"] for fault in record["errors"]]
            form = r"window (\d+): the answer reached its limit of tokens at /note and was closed by rule"
            named = [int(re.fullmatch(form, message)[1]) for message in cut[:n_windows]]
            self.assertGreater(n_windows, 2)
            self.assertEqual(named, list(range(1, n_windows + 1)))
            # What the model says to put them together is of no window.
            self.assertTrue(all(message.startswith("the answer") for message in cut[n_windows:]), cut)
            self.assertEqual(len(cut) > n_windows, merge == "model", cut)

    def test_context_that_is_too_small(self):
        small = e2e.bundle_with(self.folder / "small", max_position_embeddings=512)
        (self.folder / "a.txt").write_text("words\n")
        done = self.run_weft("-m", small, "-o", self.out, self.folder / "a.txt", code=3)
        self.assertIn("512 tokens", done.stderr)
        self.assertRegex(done.stderr, r"prompt of task index \(\d+\), the answer \(\d+\) and 256")


if __name__ == "__main__":
    e2e.main()
