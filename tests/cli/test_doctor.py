"""weft doctor: what it says of a bundle, alone and beside the logits of transformers."""
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
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
                self.assertNotIn(str(e2e.SOURCE), last)
                difference = float(last.split("|difference| ")[1].split()[0])
                self.assertLess(difference, 1e-5)

    def test_says_how_to_compare(self):
        result = e2e.weft("doctor", "-m", GOLDEN / "scout")
        self.assert_code(result, 0)
        self.assertIn("reference_logits.py", result.stdout)
        self.assertTrue(result.stdout.splitlines()[-1].endswith("runs, no reference"))
        decoders = result.stdout.split("decoders\n")[1].split("\nmodel ")[0]
        self.assertGreaterEqual(decoders.count("    walls: "), 3)
        self.assertIn("privileges", decoders)
        self.assertNotIn("NOT LOCKED DOWN", decoders)

    def test_a_wall_is_missing(self):
        """A system without Landlock: said, and nothing is read unless the user wants it so."""
        def without(*arguments):
            return subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=landlock_create_ruleset",
                                   "-e", "inject=landlock_create_ruleset:error=ENOSYS", e2e.WEFT, *arguments],
                                  capture_output=True, text=True, cwd=self.folder)

        doctor = without("doctor", "-m", GOLDEN / "scout")
        if "NOT LOCKED DOWN" not in doctor.stdout:
            self.skipTest("strace can't trace here, or this build lowers the wall")
        self.assert_code(doctor, 0)
        run = ("run", "-q", "-t", "inventory", "-o", "out", e2e.INBOX / "annual-report.pdf")
        refused = without(*run)
        self.assertEqual(refused.returncode, 3, refused.stderr)
        self.assertIn("--no-sandbox decodes without it", refused.stderr)
        self.assertFalse((self.folder / "out").exists())
        allowed = without(*run, "--no-sandbox")
        self.assertEqual(allowed.returncode, 0, allowed.stderr)

    def test_bundle_without_option(self):
        result = e2e.weft("doctor", GOLDEN / "scout")
        self.assert_code(result, 2)
        self.assertIn("given with -m", result.stderr)
        self.assertEqual(result.stdout, "")

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
                             (put([[10**9, 1.0]], "prompts", 0, "rows", 0, "top"), "another model"),
                             (put([[-1, 1.0]], "prompts", 0, "rows", 0, "top"), "/rows/top is not"),
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
        def make(name):
            subprocess.run([sys.executable, e2e.SOURCE / "tools/reference_logits.py", GOLDEN / name,
                            "-o", path], check=True, capture_output=True, timeout=300)
            return json.loads(path.read_text("utf-8"))
        make("guard4")
        self.doctor("guard4", path, 0)
        made = make("scout")
        kept = json.loads((REFERENCES / "scout.json").read_text("utf-8"))
        self.assertEqual([prompt["ids"] for prompt in made["prompts"]],
                         [prompt["ids"] for prompt in kept["prompts"]])
        self.doctor("scout", path, 0)

class WrongBundles(e2e.Case):
    """What a user has who lost a file, or whose configuration and weights are of two models."""

    def copy(self, name, *left_out):
        folder = self.folder / "model"
        shutil.copytree(GOLDEN / name, folder, ignore=shutil.ignore_patterns(*left_out))
        return folder

    def said(self, path, *words):
        result = e2e.weft("doctor", "-m", path)
        self.assert_code(result, 3)
        for word in words:
            self.assertIn(word, result.stderr)

    def test_no_tokenizer(self):
        self.said(self.copy("llama31", "tokenizer*"), "no tokenizer", "tokenizer.json")

    def test_tokenizer_without_end(self):
        """A sparse file: it takes no room, and reading it would take minutes."""
        folder = self.copy("llama31")
        os.truncate(folder / "tokenizer.json", 60 << 30)
        self.said(folder, "tokenizer.json: 64424509440 bytes, limit 536870912")

    def test_fewer_layers_than_weights(self):
        folder = self.copy("llama31")
        config = json.loads((folder / "config.json").read_text("utf-8"))
        config["num_hidden_layers"] = 2
        (folder / "config.json").write_text(json.dumps(config), "utf-8")
        self.said(folder, "num_hidden_layers is 2", "model.layers.2.input_layernorm.weight")

    def test_bias(self):
        folder = self.copy("llama31")
        data = (folder / "model.safetensors").read_bytes()
        n_header = int.from_bytes(data[:8], "little")
        header = json.loads(data[8:8 + n_header])
        n_data = len(data) - 8 - n_header
        header["model.layers.1.self_attn.k_proj.bias"] = {
            "dtype": "BF16", "shape": [36], "data_offsets": [n_data, n_data + 72]}
        text = json.dumps(header).encode()
        (folder / "model.safetensors").write_bytes(
            len(text).to_bytes(8, "little") + text + data[8 + n_header:] + bytes(72))
        self.said(folder, "model.layers.1.self_attn.k_proj.bias", "biases are not implemented")

    def test_vision_part_cut(self):
        folder = self.copy("gguf/scout")
        vision = folder / "mmproj.gguf"
        os.truncate(vision, vision.stat().st_size // 2)
        self.said(folder, "mmproj.gguf", "the file is cut")
        self.said(folder / "model.gguf", "mmproj.gguf", "the file is cut")

    def test_weights_cut(self):
        folder = self.copy("llama31")
        os.truncate(folder / "model.safetensors", 100000)
        self.said(folder, "model.safetensors: tensor model.", "the file is cut")

    def test_file_for_a_folder(self):
        self.said(GOLDEN / "llama31/model.safetensors", "name the folder it lies in")

    def test_name_is_printable(self):
        folder = self.copy("llama31").rename(self.folder / "new\nline")
        result = e2e.weft("doctor", "-m", folder)
        self.assert_code(result, 0)
        self.assertIn(r"; new\x0Aline ", result.stdout.splitlines()[-1])

    def test_cut_while_in_use(self):
        """The file is mapped; its pages past the new end are gone at the next touch."""
        folder = self.copy("llama31")
        path = folder / "model.safetensors"
        bench = subprocess.Popen([e2e.WEFT, "bench", "-m", folder, "-p", "400", "-n", "100",
                                  "--batch", "8"], stderr=subprocess.PIPE, text=True,
                                 stdout=subprocess.DEVNULL)
        maps = pathlib.Path(f"/proc/{bench.pid}/maps")
        while bench.poll() is None and str(path) not in maps.read_text():
            time.sleep(0.001)
        os.truncate(path, 0)
        said = bench.communicate(timeout=120)[1]
        self.assertEqual(bench.returncode, 3, said)
        self.assertIn(str(path), said)
        self.assertIn("can't be read", said)


if __name__ == "__main__":
    e2e.main()
