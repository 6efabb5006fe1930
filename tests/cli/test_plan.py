"""weft plan, and what weft run says before and after: --dry-run, --sample."""
import json
import os
import shutil
import unittest

import e2e

PUBLISHED = e2e.SOURCE / "tests/model/data/published"


class Plan(e2e.Case):
    def folder_with(self, name):
        folder = self.folder / name
        folder.mkdir()
        shutil.copyfile(PUBLISHED / f"{name}.json", folder / "config.json")
        return folder

    def plan(self, *arguments, code=0):
        result = e2e.weft("plan", "--json", *arguments, cwd=self.folder)
        self.assert_code(result, code)
        return json.loads(result.stdout)

    def test_scout_from_its_configuration(self):
        plan = self.plan("--device", "h100", "--context", "10M", self.folder_with("scout"))
        self.assertTrue(plan["weights"]["assumed"])
        self.assertEqual(plan["weights"]["count"], 108_641_793_536)
        self.assertAlmostEqual(plan["memory"]["cache_bytes"] / 2**30, 481.1, delta=0.1)
        self.assertEqual(plan["memory"]["context"], 10_485_760)
        self.assertFalse(plan["placement"]["fits"])
        self.assertEqual(plan["device"]["price_hour"], 2.69)
        # A prompt is faster than an answer, and neither is for ever.
        self.assertGreater(plan["time"]["prefill_tokens_s"], plan["time"]["decode_tokens_s"])

    def test_types_and_caches(self):
        scout = self.folder_with("scout")
        four_bits = self.plan("--device", "h100", "--type", "q4_k", "--context", "128k", scout)
        # 217.3 GB in bf16; 4.5 bits of 16, the tower of 1.74 GB aside.
        self.assertAlmostEqual(four_bits["weights"]["bytes"] / 1e9, 62.4, delta=0.1)
        self.assertTrue(four_bits["placement"]["fits"])
        eight = self.plan("--device", "h100", "--kv-type", "q8_0", "--context", "128k", scout)
        self.assertAlmostEqual(eight["memory"]["cache_bytes"],
                               four_bits["memory"]["cache_bytes"] * 34 / 64, delta=1)

    def test_page_for_people(self):
        scout = self.folder_with("scout")
        result = e2e.weft("plan", "--device", "rtx4090", "--context", "20M", scout)
        self.assert_code(result, 0)
        for said in ("types are assumed", "217.3 GB", "made for 10,485,760", "does not fit",
                     "list prices", "2026-03", "processors only"):
            self.assertIn(said, result.stdout)
        self.assertEqual(result.stderr, "")

    def test_numbers_for_people(self):
        result = e2e.weft("plan", "--device", "h100", "--context", "4K", e2e.BUNDLE)
        self.assert_code(result, 0)
        self.assertRegex(result.stdout, r"Weights +[\d.]+ [kM]B   [\d.]+ million\n")
        self.assertRegex(result.stdout, r"prompt of \d+ tokens: .* [\d,]+ tokens/s\n")
        self.assertRegex(result.stdout, r"USD \(2\.69 USD an hour")
        self.assertNotIn("e+", result.stdout)

    def test_this_machine(self):
        plan = self.plan("-p", "64", "-n", "16", e2e.BUNDLE)
        self.assertTrue(plan["device"]["measured"])
        self.assertTrue(plan["placement"]["fits"])
        self.assertFalse(plan["weights"]["assumed"])
        files = sum(path.stat().st_size for path in e2e.BUNDLE.glob("*.safetensors"))
        self.assertLess(plan["weights"]["bytes"], files)
        self.assertGreater(plan["weights"]["bytes"], files * 0.8)
        self.assertGreater(plan["time"]["decode_tokens_s"], 1)

    def test_wrong_words(self):
        scout = self.folder_with("scout")
        table = self.folder / "table.ini"
        table.write_text("[money]\ncurrency=USD\n")
        for code, said, *arguments in [
                (2, "BUNDLE"), (2, "h100", "--device", "h99", scout),
                (2, "10M", "--context", "lots", scout), (2, "q8_0", "--kv-type", "q3", scout),
                (2, "q4_k", "--type", "q17", scout), (3, "config.json", self.folder),
                (3, "no machine", "--context", "9000000000000", scout),
                (3, "energy", "--devices", table, scout),
                (2, "negative", "--sample", "-1", scout)]:
            with self.subTest(arguments):
                result = e2e.weft("plan", *arguments)
                self.assert_code(result, code)
                self.assertIn(said, result.stderr)
                self.assertEqual(result.stdout, "")

    def test_documents(self):
        plan = self.plan("-t", "inventory", "--sample", "2", e2e.BUNDLE, e2e.INBOX)
        found = plan["documents"]
        self.assertEqual(found["files"], len(list(e2e.INBOX.iterdir())))
        self.assertEqual(found["looked_at"], found["files"])
        self.assertGreaterEqual(found["types"]["pdf"]["pages"], 2)
        self.assertGreater(found["types"]["mp3"]["seconds"], 15)
        # A film lasts as long as its longest track, not as all of them together.
        self.assertLess(found["types"]["mp4"]["seconds"], 30)
        self.assertEqual(found["requests"], 0)  # an inventory asks nothing
        self.assertEqual(found["sampled"], 2)
        self.assertGreater(found["measured_s"], 0)
        self.assertEqual(os.listdir(self.folder), [])

    @unittest.skipUnless(e2e.SHIPPED, "the bundle is not there")
    def test_documents_of_a_task(self):
        notes = e2e.INBOX / "notes.md"
        found = self.plan("--sample", "1", e2e.SOURCE / "default", notes)["documents"]
        (record,) = e2e.lines(e2e.weft("run", "-q", "-o", "-", notes))
        # The same windows: what the record counts is the document and the frame of each request.
        self.assertEqual(found["requests"], 1)
        self.assertLess(found["tokens"], record["model"]["tokens"]["text"])
        self.assertGreater(found["tokens"], 50)
        self.assertGreater(found["model_s"], 0)


class DryRun(e2e.Case):
    def run_in(self, *arguments, code=0):
        result = e2e.weft("run", *arguments, cwd=self.folder)
        self.assert_code(result, code)
        return result, result.stderr.splitlines()[-1]

    def test_nothing_is_written(self):
        result, last = self.run_in("--dry-run", "-t", "inventory", e2e.INBOX)
        n = len(list(e2e.INBOX.iterdir()))
        self.assertRegex(last, rf"^dry run: {n} new, 0 changed, 0 unchanged; \d+ pages, .* about ")
        self.assertIn("pdf", result.stdout)
        self.assertEqual(os.listdir(self.folder), [])

    def test_new_changed_unchanged(self):
        inbox = self.folder / "in"
        inbox.mkdir()
        for name in ("notes.md", "chart.png", "annual-report.pdf"):
            shutil.copyfile(e2e.INBOX / name, inbox / name)
        self.run_in("-t", "inventory", "-o", "out", "in")
        before = {path: path.read_bytes() for path in e2e.record_files(self.folder / "out")}
        (inbox / "notes.md").write_text("changed")
        (inbox / "fresh.txt").write_text("new")
        shutil.copyfile(inbox / "chart.png", inbox / "copy.png")
        _, last = self.run_in("--dry-run", "-t", "inventory", "-o", "out", "in")
        self.assertTrue(last.startswith("dry run: 1 new, 1 changed, 2 unchanged, 1 copy;"), last)
        after = {path: path.read_bytes() for path in e2e.record_files(self.folder / "out")}
        self.assertEqual(before, after)

    def test_needs_no_weights(self):
        """Only what counts tokens is opened: configuration and tokenizer."""
        bundle = self.folder / "bundle"
        (bundle / "audio").mkdir(parents=True)
        for name in ("config.json", "tokenizer.json", "preprocessor_config.json", "audio/config.json"):
            if (e2e.SOURCE / "default" / name).exists():
                shutil.copyfile(e2e.SOURCE / "default" / name, bundle / name)
        if not e2e.SHIPPED:
            self.skipTest("the bundle is not there")
        _, with_weights = self.run_in("--dry-run", "-m", e2e.SOURCE / "default", e2e.INBOX)
        _, without = self.run_in("--dry-run", "-m", bundle, e2e.INBOX)
        self.assertEqual(with_weights.split(": about")[0], without.split(": about")[0])

    def test_job_key(self):
        job = self.folder / "a.job"
        job.write_text(f"[job]\ninputs={e2e.INBOX}\ntask=inventory\ndry-run=true\nsample=3\n")
        _, last = self.run_in("-c", job)
        self.assertRegex(last, r"^dry run: 3 new, 0 changed, 0 unchanged, \d+ not looked at; ")
        job.write_text(f"[job]\ninputs={e2e.INBOX}\ndry-run=maybe\n")
        result = e2e.weft("run", "-c", job, cwd=self.folder)
        self.assert_code(result, 3)
        self.assertIn("true or false", result.stderr)


class Sample(e2e.Case):
    def sample(self, n, code=None):
        result = e2e.weft("run", "--sample", n, "-t", "inventory", "-o", "out", "in",
                          cwd=self.folder)
        if code is not None:
            self.assert_code(result, code)
        return result.stderr.splitlines()[-1]

    def setUp(self):
        super().setUp()
        (self.folder / "in").mkdir()
        for i in range(240):
            (self.folder / "in" / f"{i}.txt").write_text(f"note {i}: {i * 7} barrels\n")

    def test_few_have_no_standard_error(self):
        self.assertRegex(self.sample(5, 0), r"^5 of 240 done; all of them: about [^(]+$")

    def test_sample(self):
        last = self.sample(20, 0)
        self.assertRegex(last, r"^20 of 240 done; all of them: about .*\(\+- \d+ %\)$")
        first = set(e2e.records(self.folder / "out"))
        self.assertEqual(len(first), 20)
        # The same call has nothing to do; a larger one goes on from it.
        self.assertTrue(self.sample(20, 0).startswith("20 of 240 done; nothing was measured"))
        self.assertTrue(self.sample(30, 0).startswith("30 of 240 done; all of them"))
        second = set(e2e.records(self.folder / "out"))
        self.assertEqual(len(second), 30)
        self.assertLess(first, second)
        self.assertEqual(self.sample(5000, 0), "240 of 240 done")
        self.assertEqual(len(e2e.records(self.folder / "out")), 240)

    def test_wrong_number(self):
        for text in ("0", "-3", "many"):
            result = e2e.weft("run", "--sample", text, "in", cwd=self.folder)
            self.assert_code(result, 2)
            self.assertIn("sample", result.stderr)


if __name__ == "__main__":
    e2e.main()
