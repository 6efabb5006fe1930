"""weft doctor: what it says of a bundle, alone and beside the logits of transformers."""
import importlib.util
import json
import subprocess
import sys
import unittest

import e2e

GOLDEN = e2e.SOURCE / "tests/golden"
REFERENCES = e2e.SOURCE / "tests/cli/data/reference"


class Doctor(e2e.Case):
    def doctor(self, bundle, reference, code):
        result = e2e.weft("doctor", "-m", GOLDEN / bundle, "--reference", reference)
        self.assert_code(result, code)
        return result

    def changed(self, name, change):
        reference = json.loads((REFERENCES / f"{name}.json").read_text("utf-8"))
        change(reference)
        path = self.folder / "changed.json"
        path.write_text(json.dumps(reference), "utf-8")
        return path

    def test_agrees(self):
        for name, n_prompts in (("scout", 4), ("llama31", 3)):
            with self.subTest(name):
                last = self.doctor(name, REFERENCES / f"{name}.json", 0).stdout.splitlines()[-1]
                self.assertRegex(last, rf"^to send: weft [\d.]+; {name} [0-9a-f]{{12}}; llama")
                self.assertIn(f"{n_prompts} prompts, likeliest token {4 * n_prompts}/", last)
                self.assertIn("agrees with transformers", last)
                self.assertNotIn("/work", last)  # no paths of ours
                difference = float(last.split("|difference| ")[1].split()[0])
                self.assertLess(difference, 1e-5)

    def test_says_how_to_compare(self):
        result = e2e.weft("doctor", "-m", GOLDEN / "scout")
        self.assert_code(result, 0)
        self.assertIn("reference_logits.py", result.stdout)
        self.assertTrue(result.stdout.splitlines()[-1].endswith("runs, no reference"))

    def test_differs(self):
        def shift(reference):
            # Beyond the limit of 1e-3 of the largest logit.
            row = reference["prompts"][1]["rows"][0]
            row["top"][5][1] += 0.002 * row["max_abs"]
        result = self.doctor("scout", self.changed("scout", shift), 1)
        self.assertIn("DIFFERS from transformers", result.stdout)
        # Other weights altogether.
        result = self.doctor("mixtral", REFERENCES / "llama31.json", 1)
        self.assertIn("DIFFERS from transformers", result.stdout)

    def test_likeliest_token_differs(self):
        def swap(reference):
            top = reference["prompts"][0]["rows"][0]["top"]
            top[0][0], top[40][0] = top[40][0], top[0][0]
        result = self.doctor("scout", self.changed("scout", swap), 1)
        self.assertIn("15/16", result.stdout.splitlines()[-1])

    def test_other_tokens(self):
        def text(reference):
            reference["prompts"][0]["text"] += "?"
        result = self.doctor("scout", self.changed("scout", text), 1)
        self.assertIn("ENCODED OTHERWISE", result.stdout)
        self.assertIn("16/16", result.stdout.splitlines()[-1])

    def test_wrong_files(self):
        def cut(*keys):
            def change(reference):
                at = reference
                for key in keys[:-1]:
                    at = at[key]
                del at[keys[-1]]
            return change

        def put(value, *keys):
            def change(reference):
                at = reference
                for key in keys[:-1]:
                    at = at[key]
                at[keys[-1]] = value
            return change
        for change, said in [(cut("weft_reference"), "/weft_reference"), (cut("prompts"), "/prompts"),
                             (put(2, "weft_reference"), "/weft_reference"),
                             (put([], "prompts"), "/prompts"), (cut("dtype"), "/prompts"),
                             (cut("prompts", 0, "ids"), "/prompts/ids"),
                             (put([-1], "prompts", 0, "ids"), "/prompts/ids"),
                             (put([10**6] * 8, "prompts", 0, "ids"), "1000000"),
                             (put([1], "prompts", 0, "ids"), "/prompts/rows"),
                             (cut("prompts", 0, "rows", 0, "top"), "/prompts/rows"),
                             (put([[10**9, 1.0]], "prompts", 0, "rows", 0, "top"), "/rows/top"),
                             (put(0, "prompts", 0, "rows", 0, "max_abs"), "/prompts/rows"),
                             (put(9999, "prompts", 3, "image_end"), "image_first"),
                             (put([0, 5], "prompts", 3, "picture"), "/prompts/picture"),
                             (put([30, 20], "prompts", 3, "picture"), "image processor")]:
            with self.subTest(said):
                result = self.doctor("scout", self.changed("scout", change), 3)
                self.assertIn(said, result.stderr)
        self.assert_code(e2e.weft("doctor", "-m", GOLDEN / "scout", "--reference", "nothing"), 3)

    @unittest.skipUnless(importlib.util.find_spec("transformers") and
                         importlib.util.find_spec("torch"), "transformers is not installed")
    def test_script(self):
        path = self.folder / "ref.json"
        subprocess.run([sys.executable, e2e.SOURCE / "tools/reference_logits.py", GOLDEN / "scout",
                        "-o", path], check=True, capture_output=True, timeout=300)
        made = json.loads(path.read_text("utf-8"))
        kept = json.loads((REFERENCES / "scout.json").read_text("utf-8"))
        self.assertEqual([prompt["ids"] for prompt in made["prompts"]],
                         [prompt["ids"] for prompt in kept["prompts"]])
        self.doctor("scout", path, 0)


if __name__ == "__main__":
    e2e.main()
