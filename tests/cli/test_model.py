"""weft model quantize: files that open, also by others; what goes wrong leaves nothing behind."""

import importlib.util
import json
import os
import pathlib
import resource
import shutil
import signal
import unittest

import e2e

SCOUT = e2e.SOURCE / "tests/golden/scout"
WIDE = e2e.SOURCE / "tests/golden/gguf/wide"


class Quantize(e2e.Case):
    def quantize(self, *arguments, code=0, **more):
        result = e2e.weft("model", "quantize", *arguments, cwd=self.folder, **more)
        self.assert_code(result, code)
        return result

    def names(self):
        return sorted(os.listdir(self.folder))

    def test_two_files(self):
        result = self.quantize(e2e.BUNDLE, "--type", "q8_0", "-o", "m.gguf")
        self.assertEqual(self.names(), ["m-mmproj.gguf", "m.gguf"])
        self.assertEqual([line.split(":")[0] for line in result.stdout.splitlines()],
                         ["m.gguf", "m-mmproj.gguf"])
        self.assertIn("no whole blocks of q8_0", result.stderr)
        self.assertIn("attention_chunk_size", result.stderr)
        doctor = e2e.weft("doctor", "-m", "m.gguf", cwd=self.folder)
        self.assert_code(doctor, 0)
        self.assertIn("sees         yes", doctor.stdout)
        self.assertIn("turns        llama4", doctor.stdout)

    def test_name_of_the_vision_part(self):
        self.quantize(e2e.BUNDLE, "-o", "m.gguf", "--mmproj", "v.gguf")
        self.assertEqual(self.names(), ["m.gguf", "v.gguf"])

    def test_two_models_in_a_folder(self):
        scout = e2e.SOURCE / "tests/golden/scout"
        self.quantize(scout, "-o", "a.gguf")
        self.quantize(scout, "-o", "b.gguf")
        for name in ("a.gguf", "b.gguf"):
            result = e2e.weft("model", "inspect", "--verify", name, cwd=self.folder)
            self.assert_code(result, 0)
            self.assertIn(f"tokenizer    {name}, 480 ids", result.stdout)
            self.assertIn(f"  {name[0]}-mmproj.gguf", result.stdout)
        os.rename(self.folder / "a.gguf", self.folder / "c.gguf")
        result = e2e.weft("model", "inspect", "c.gguf", cwd=self.folder)
        self.assert_code(result, 3)
        self.assertIn("or call one c-mmproj.gguf: a-mmproj.gguf, b-mmproj.gguf", result.stderr)
        os.remove(self.folder / "c.gguf")
        result = e2e.weft("model", "inspect", ".", cwd=self.folder)
        self.assert_code(result, 0)
        self.assertIn("tokenizer    b.gguf, 480 ids", result.stdout)

    def test_replaced(self):
        self.quantize(WIDE, "-o", "m.gguf", "-t", "q8_0")
        large = (pathlib.Path(self.folder) / "m.gguf").stat().st_size
        self.quantize(WIDE, "-o", "m.gguf", "-t", "q4_k")
        self.assertLess((pathlib.Path(self.folder) / "m.gguf").stat().st_size, 0.7 * large)
        self.assertEqual(self.names(), ["m.gguf"])

    def test_usage(self):
        self.quantize(WIDE, code=2)
        self.quantize("-o", "m.gguf", code=2)
        result = self.quantize(WIDE, "-o", "m.gguf", "--type", "q9_9", code=2)
        self.assertIn("q8_0, q6_k, q4_k or q4_0", result.stderr)
        self.assert_code(e2e.weft("model"), 2)
        self.assert_code(e2e.weft("model", "--help"), 0)
        self.assertEqual(self.names(), [])

    def test_refused(self):
        self.assertIn("config.json", self.quantize("nowhere", "-o", "m.gguf", code=3).stderr)
        gguf = e2e.SOURCE / "tests/golden/gguf/llama31/model.gguf"
        self.assertIn("is GGUF already", self.quantize(gguf, "-o", "m.gguf", code=3).stderr)
        self.assertIn("nowhere", self.quantize(WIDE, "-o", "nowhere/m.gguf", code=74).stderr)
        self.assertEqual(self.names(), [])

    def test_tensor_of_nothing(self):
        """A file may state a size of 0; it has no place in a vision part."""
        bundle = pathlib.Path(self.folder) / "bundle"
        shutil.copytree(SCOUT, bundle)
        path = bundle / "model.safetensors"
        whole = path.read_bytes()
        size = int.from_bytes(whole[:8], "little")
        header, data = json.loads(whole[8:8 + size]), whole[8 + size:]
        name = next(n for n in header if n.endswith("class_embedding"))
        first, end = header[name]["data_offsets"]
        for entry in header.values():
            if "data_offsets" in entry:
                entry["data_offsets"] = [at - (end - first if at >= end else 0)
                                         for at in entry["data_offsets"]]
        header[name] = {"dtype": "F32", "shape": [0], "data_offsets": [first, first]}
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + data[:first] + data[end:])
        result = self.quantize(bundle, "-o", "m.gguf", code=3)
        self.assertIn("class_embedding has no place in a GGUF vision part", result.stderr)

    def test_full_disk(self):
        """A limit on the size of files stands for a disk that is full."""
        def limited():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

        result = self.quantize(WIDE, "-o", "m.gguf", code=74, preexec_fn=limited)
        self.assertIn("m.gguf: File too large", result.stderr)
        self.assertEqual(self.names(), [])

    @unittest.skipUnless(importlib.util.find_spec("gguf"), "the gguf package is not installed")
    def test_read_by_gguf(self):
        import gguf

        for kind in ("q8_0", "q6_k", "q4_k", "q4_0"):
            self.quantize(WIDE, "-o", "m.gguf", "-t", kind)
            reader = gguf.GGUFReader(os.path.join(self.folder, "m.gguf"))
            self.assertEqual(reader.get_field("general.architecture").contents(), "llama")
            self.assertEqual(len(reader.get_field("tokenizer.ggml.tokens").contents()), 480)
            found = {t.name: t for t in reader.tensors}
            self.assertEqual(found["token_embd.weight"].tensor_type.name, kind.upper())
            values = gguf.quants.dequantize(found["token_embd.weight"].data,
                                            found["token_embd.weight"].tensor_type)
            self.assertEqual(values.shape, (480, 256))
            self.assertAlmostEqual(float(values.std()), 1, delta=0.05)


if __name__ == "__main__":
    e2e.main()
