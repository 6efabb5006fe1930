"""weft probe whisper against what transformers computed: tests/golden/whisper_shapes has its numbers."""

import json

import numpy as np

import e2e
import whisper_model

RELATIVE = 1e-5  # of the largest value: float32 sums in another order; 1e-6 is usual
GOLDEN = e2e.SOURCE / "tests/golden/whisper_shapes"


class Whisper(e2e.Case):
    def assertClose(self, got, golden):
        want = np.load(GOLDEN / golden)
        self.assertEqual((got.shape, got.dtype), (want.shape, np.dtype("<f4")))
        self.assertTrue(np.isfinite(got).all())
        self.assertLessEqual(np.abs(got - want).max(), RELATIVE * np.abs(want).max())

    def probe(self, bundle, *arguments):
        return e2e.weft("probe", "whisper", "-m", bundle, *arguments)

    def check(self, bundle, name, golden):
        shape = whisper_model.SHAPES[name]
        mel, ids, rows, logits = (self.folder / n for n in ("m.npy", "ids.json", "e.npy", "l.npy"))
        np.save(mel, whisper_model.mel(shape))
        ids.write_text(json.dumps(whisper_model.ids(shape)))
        self.assert_code(self.probe(bundle, "--mel", mel, "--ids", ids, "--encoder", rows, "-o", logits), 0)
        got = np.load(rows)
        self.assertEqual(got.shape, (shape["max_source_positions"], whisper_model.WIDTH))
        self.assertClose(got[::whisper_model.ROW_STEP], f"{golden}.rows.npy")
        got = np.load(logits)
        steps = self.folder / "s.npy"
        self.assert_code(self.probe(bundle, "--mel", mel, "--ids", ids, "--step", "--encoder", rows, "-o", steps), 0)
        self.assertEqual(steps.read_bytes(), logits.read_bytes())
        self.assertEqual(got.shape, (whisper_model.N_IDS, shape["vocab_size"]))
        self.assertClose(np.ascontiguousarray(got[:, ::whisper_model.ID_STEP]), f"{golden}.logits.npy")

    def test_folders(self):
        for name, shape in whisper_model.SHAPES.items():
            for kind in whisper_model.SAFETENSORS:
                with self.subTest(name=name, kind=kind):
                    folder = self.folder / f"{name}-{kind}"
                    whisper_model.write_folder(folder, shape, kind)
                    self.check(folder, name, f"{name}-{kind}")

    def test_files_of_whisper_cpp(self):
        for name, shape in whisper_model.SHAPES.items():
            for kind, golden in (("f32", "f32"), ("f16", "ggml-f16"), ("q8_0", "ggml-q8_0"), ("q5_0", "ggml-q5_0")):
                with self.subTest(name=name, kind=kind):
                    path = self.folder / f"ggml-{name}-{kind}.bin"
                    whisper_model.write_ggml(path, shape, kind)
                    self.check(path, name, f"{name}-{golden}")

    def test_a_file_says_what_it_is(self):
        path = self.folder / "ggml-english.bin"
        whisper_model.write_ggml(path, whisper_model.SHAPES["english"], "q5_0")
        result = e2e.weft("model", "inspect", path)
        self.assert_code(result, 0)
        self.assertIn("name         ggml-english\n", result.stdout)
        self.assertIn("Whisper, 1 layers, width 32, 80 mel bins, with decoder", result.stdout)
        self.assertIn("51864 ids", result.stdout)
        self.assertIn("q5_0", result.stdout)

    def test_special_tokens_follow_from_the_vocabulary(self):
        texts = b"<|startoftranscript|><|en|><|su|><|translate|><|nospeech|><|0.00|><|30.00|><|endoftext|>ab"
        for name, want in (("english", [50257, 50258, 50356, 50357, 50361, 50363, 51863, 50256, 282]),
                           ("v3", [50258, 50259, 50357, 50359, 50363, 50365, 51865, 50257, 282])):
            path = self.folder / f"ggml-{name}.bin"
            whisper_model.write_ggml(path, whisper_model.SHAPES[name], "f16")
            result = e2e.weft("probe", "tokens", "--special", "-m", path, "-", text=False, input=texts)
            self.assert_code(result, 0)
            self.assertEqual(json.loads(result.stdout), want)

    def test_beside_a_bundle(self):
        """--audio takes the file; one that was cut, or hears less than 30 s, is refused by name."""
        path = self.folder / "ggml-v3.bin"
        whisper_model.write_ggml(path, whisper_model.SHAPES["v3"], "f16")
        result = e2e.weft("run", "--dry-run", "-m", e2e.BUNDLE, "--audio", path, "-o", self.folder / "out",
                          e2e.BUNDLE / "picture.png")
        self.assert_code(result, 0)
        path.write_bytes(path.read_bytes()[:-100])
        result = e2e.weft("run", "--dry-run", "-m", e2e.BUNDLE, "--audio", path, "-o", self.folder / "out",
                          e2e.BUNDLE / "picture.png")
        self.assert_code(result, 3)
        self.assertIn("ggml-v3.bin: tensor", result.stderr)
        whisper_model.write_ggml(path, whisper_model.SHAPES["turbo"], "f16")
        result = e2e.weft("run", "--dry-run", "-m", e2e.BUNDLE, "--audio", path, "-o", self.folder / "out",
                          e2e.BUNDLE / "picture.png")
        self.assert_code(result, 3)
        self.assertIn("max_source_positions 150", result.stderr)

    def test_what_does_not_fit(self):
        shape = whisper_model.SHAPES["turbo"]
        folder, mel, ids = self.folder / "turbo", self.folder / "m.npy", self.folder / "ids.json"
        whisper_model.write_folder(folder, shape, "f16")
        np.save(mel, whisper_model.mel(shape)[:, :200])
        outputs = ["--encoder", self.folder / "e.npy"]
        ids.write_text("[1, 2]")
        with_ids = ["--mel", mel, "--ids", ids, *outputs, "-o", self.folder / "l.npy"]
        for arguments, words in (
                (with_ids, "100 frames of sound, the decoder takes 150"),
                (outputs, "one of --mel and --audio"),
                (["--mel", mel, "--ids", ids, *outputs], "--ids and -o go together")):
            result = self.probe(folder, *arguments)
            self.assert_code(result, 2)
            self.assertIn(words, result.stderr)
        np.save(mel, whisper_model.mel(shape))
        for values, words in (([shape["vocab_size"]], r"id 51866, .* below 51866"),
                              ([1] * (whisper_model.CONTEXT + 1), "97 ids, this Whisper takes 96")):
            ids.write_text(json.dumps(values))
            result = self.probe(folder, *with_ids)
            self.assert_code(result, 2)
            self.assertRegex(result.stderr, words)
        np.save(mel, whisper_model.mel(shape)[:80])
        self.assert_code(self.probe(folder, "--mel", mel, *outputs), 2)

    def test_a_recording(self):
        """--audio is probe mel and --mel."""
        folder, sound = self.folder / "v3", self.folder / "s.wav"
        whisper_model.write_folder(folder, whisper_model.SHAPES["v3"], "f32")
        samples = (8000 * np.sin(np.arange(33 * 16000) * 0.1)).astype("<i2").tobytes()
        header = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little") + \
            b"\1\0\1\0" + (16000).to_bytes(4, "little") + (32000).to_bytes(4, "little") + b"\2\0\20\0data"
        sound.write_bytes(header + len(samples).to_bytes(4, "little") + samples)
        mel, e1, e2 = (self.folder / n for n in ("m.npy", "1.npy", "2.npy"))
        self.assert_code(e2e.weft("probe", "mel", "-m", folder, sound, "-o", mel), 0)
        np.save(mel, np.ascontiguousarray(np.load(mel)[:, :3000]))
        self.assert_code(self.probe(folder, "--mel", mel, "--encoder", e1), 0)
        self.assert_code(self.probe(folder, "--audio", sound, "--encoder", e2), 0)
        self.assertEqual(e1.read_bytes(), e2.read_bytes())


if __name__ == "__main__":
    e2e.main()
