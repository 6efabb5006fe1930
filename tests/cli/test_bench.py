"""weft bench: one JSON object whose sizes are right. How fast it was is nobody's business here."""

import json

import e2e

SCOUT = e2e.BUNDLE
PAGE_BYTES = 64 * 2 * 2 * 16 * 4  # positions; keys and values; heads, their width, f32


class Bench(e2e.Case):
    def bench(self, *arguments):
        result = e2e.weft("bench", "-m", SCOUT, *arguments, cwd=self.folder)
        self.assert_code(result, 0)
        self.assertEqual(result.stderr, "")
        self.assertEqual(result.stdout.count("\n"), 1)
        return json.loads(result.stdout)

    def test_object(self):
        got = self.bench("-p", "20", "-n", "3", "--batch", "2", "--repeats", "4", "-j", "2",
                         "--tier", "ref")
        rates = [got.pop(f"{what}_tokens_per_s{least}") for what in ("prefill", "decode")
                 for least in ("", "_min")]
        self.assertTrue(all(rate > 0 for rate in rates), rates)
        self.assertGreaterEqual(rates[0], rates[1])
        self.assertGreaterEqual(rates[2], rates[3])
        self.assertGreater(got.pop("peak_rss_bytes"), 1 << 20)
        self.assertRegex(got.pop("id"), "^[0-9a-f]{64}$")
        weights = got.pop("weights_bytes")
        self.assertLess(weights, (SCOUT / "model.safetensors").stat().st_size)
        self.assertGreater(weights, 100000)
        self.assertEqual(got, {
            "model": "scout", "type": "f32", "kv_type": "f32", "tier": "ref", "threads": 2,
            "p": 20, "n": 3, "batch": 2, "depth": 0, "repeats": 4, "fill_s": 0,
            # Two requests of one page in each of four layers.
            "cache_bytes": {"memory": 8 * PAGE_BYTES, "file": 0}})

    def test_nothing_to_measure_is_null(self):
        got = self.bench("-p", "0", "-n", "2", "--repeats", "1")
        self.assertIsNone(got["prefill_tokens_per_s"])
        self.assertGreater(got["decode_tokens_per_s"], 0)
        got = self.bench("-p", "2", "-n", "0", "--repeats", "1")
        self.assertIsNone(got["decode_tokens_per_s_min"])
        self.assertGreater(got["prefill_tokens_per_s"], 0)

    def test_depth(self):
        """One layer sees all 8192 tokens and what comes behind, three see their chunk of 16."""
        few = ["-p", "10", "-n", "5", "--repeats", "2", "--depth", "8K"]
        got = self.bench(*few)
        self.assertEqual(got["depth"], 8192)
        self.assertEqual(got["cache_bytes"], {"memory": (129 + 3) * PAGE_BYTES, "file": 0})
        got = self.bench(*few, "--kv-memory", "1M", "--state", self.folder)
        self.assertEqual(got["cache_bytes"], {"memory": 64 * PAGE_BYTES,
                                              "file": (129 + 3 - 64) * PAGE_BYTES})
        got = self.bench(*few, "--kv-type", "bf16", "--mlock", "--prefetch")
        self.assertEqual(got["kv_type"], "bf16")
        self.assertEqual(got["cache_bytes"]["memory"], (129 + 3) * PAGE_BYTES // 2)
        # Far beyond what the bundle's configuration allows.
        got = self.bench("-p", "1", "-n", "1", "--repeats", "1", "--depth", "128K")
        self.assertEqual(got["cache_bytes"]["memory"], (2049 + 3) * PAGE_BYTES)

    def test_refused(self):
        for arguments, code, words in (
                ([], 2, "-m"), (["-m", SCOUT, "-p", "0", "-n", "0"], 2, "not 0"),
                (["-m", SCOUT, "-p", "-1"], 2, "-p"), (["-m", SCOUT, "--depth", "x"], 2, "--depth"),
                (["-m", SCOUT, "--depth", "1T"], 2, "268435456"),
                (["-m", SCOUT, "--batch", "0"], 2, "--batch"),
                (["-m", SCOUT, "--batch", "1000"], 2, "256"),
                (["-m", SCOUT, "--repeats", "0"], 2, "--repeats"),
                (["-m", SCOUT, "--kv-type", "q5"], 2, "'q5'"),
                (["-m", SCOUT, "--kv-type", "q8_0"], 3, "16"),
                (["-m", SCOUT, "--kv-memory", "0"], 2, "--kv-memory"),
                (["-m", SCOUT, "--depth", "1K", "--kv-memory", "1K", "--state", "nowhere"], 3,
                 "nowhere"),
                (["-m", SCOUT, "more"], 2, "'more'"), (["-m", "nowhere"], 3, "nowhere")):
            with self.subTest(arguments):
                result = e2e.weft("bench", *arguments, cwd=self.folder)
                self.assert_code(result, code)
                self.assertEqual(result.stdout, "")
                self.assertIn(words, result.stderr)


if __name__ == "__main__":
    e2e.main()
