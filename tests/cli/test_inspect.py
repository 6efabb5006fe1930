"""weft model inspect: what a bundle is, whether its bytes are sound, which experts it uses."""
import hashlib
import json
import math
import re
import shutil
import struct
import xml.etree.ElementTree as xml

import e2e

GOLDEN = e2e.SOURCE / "tests/golden"
SVG = "{http://www.w3.org/2000/svg}"


def headers(folder):
    """Name -> entry of all tensors, with the file and the offset of its data."""
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        with open(path, "rb") as file:
            size = struct.unpack("<Q", file.read(8))[0]
            for name, entry in json.loads(file.read(size)).items():
                if name != "__metadata__":
                    found[name] = entry | {"file": path, "at": 8 + size + entry["data_offsets"][0]}
    return found


class Inspect(e2e.Case):
    def inspect(self, *arguments, code=0):
        done = e2e.weft("model", "inspect", *arguments)
        self.assert_code(done, code)
        return done

    def poke(self, bundle, values):
        """A copy of the bundle with other numbers: (tensor, index) -> bytes."""
        copy = self.folder / "poked"
        shutil.copytree(bundle, copy)
        tensors = headers(copy)
        for (name, index), value in values.items():
            with open(tensors[name]["file"], "r+b") as file:
                file.seek(tensors[name]["at"] + index * len(value))
                file.write(value)
        return copy

    def test_parameters(self):
        for name in ("scout", "maverick", "mixtral", "mixtral_fused", "guard4", "llama31"):
            tensors = headers(GOLDEN / name)
            config = json.loads((GOLDEN / name / "config.json").read_text())
            text = config.get("text_config", config)
            n = {tensor: math.prod(entry["shape"]) for tensor, entry in tensors.items()}
            share = text.get("num_experts_per_tok", 0) / (text.get("num_local_experts") or 1)
            tied = config["tie_word_embeddings"]
            active = 0
            for tensor, count in n.items():
                if "vision" in tensor or "projector" in tensor:
                    continue
                if "embed_tokens" in tensor and not tied:
                    continue
                active += count * share if ".experts." in tensor else count
            out = self.inspect(GOLDEN / name).stdout
            found = re.search(r"parameters +[^(]+\((\d+)\), [^(]+\((\d+)\)", out)
            self.assertEqual((int(found[1]), int(found[2])), (sum(n.values()), round(active)), name)
            self.assertIn(f"in {len(tensors)} tensors", out)
            rows = re.findall(r"^  [a-z -]+ +(\d+) +[\d.]+(?: \w)? +[\d.]+ \w+  \w", out, re.MULTILINE)
            self.assertEqual(sum(map(int, rows)), len(tensors), out)
            self.assertNotIn("  other ", out)

    def test_facts(self):
        out = self.inspect(GOLDEN / "maverick").stdout
        for line in ("family       llama4", "experts      8 in 2 of the layers, 1 for each token",
                     "context      1024 tokens; chunks of 16 in 3 layers; no rotation in 1",
                     "tokenizer    tokenizer.json, 480 ids", "turns        llama4"):
            self.assertIn(line, out)
        self.assertIn("experts      none: dense", self.inspect(GOLDEN / "guard4").stdout)
        self.assertIn("Whisper, 2 layers", self.inspect(GOLDEN / "whisper").stdout)

    def test_verify(self):
        for name in ("scout", "maverick"):
            out = self.inspect("--verify", GOLDEN / name).stdout
            for path in GOLDEN.joinpath(name).glob("*.safetensors"):
                self.assertIn(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n", out)
            n = sum(math.prod(entry["shape"]) for entry in headers(GOLDEN / name).values())
            self.assertIn(f"all {n} numbers are finite", out)

    def test_verify_gguf(self):
        """Blocks are widened: a scale that is no number makes all of its block so."""
        target = self.folder / "scout.gguf"
        self.assert_code(e2e.weft("model", "quantize", e2e.BUNDLE, "-o", target), 0)
        out = self.inspect("--verify", target).stdout
        self.assertIn(f"{hashlib.sha256(target.read_bytes()).hexdigest()}  scout.gguf\n", out)
        self.assertIn("numbers are finite", out)
        n = sum(math.prod(entry["shape"]) for entry in headers(e2e.BUNDLE).values())
        self.assertIn(f"({n})", out)
        data = bytearray(target.read_bytes())
        data[-34:-32] = b"\x00\x7e"  # of the last block, in q8_0
        target.write_bytes(data)
        out = self.inspect("--verify", target, code=1).stdout
        self.assertRegex(out, r"  output\.weight: 32 NaN, 0 infinite\n(.*\n)*  32 of \d+ numbers are not finite")

    def test_not_finite(self):
        nan, infinity = struct.pack("<f", math.nan), struct.pack("<f", -math.inf)
        router, norm = ("language_model.model.layers.1.feed_forward.router.weight",
                        "language_model.model.norm.weight")
        bundle = self.poke(e2e.BUNDLE, {(router, 3): nan, (router, 5): infinity, (norm, 31): nan})
        out = self.inspect("--verify", bundle, code=1).stdout
        self.assertIn(f"  {router}: 1 NaN, 1 infinite\n", out)
        self.assertIn(f"  {norm}: 1 NaN, 0 infinite\n", out)
        self.assertIn("  3 of 91280 numbers are not finite", out)

    def test_routing_of_prompts(self):
        picture = self.folder / "experts.svg"
        out = self.inspect("--routing", "-o", picture, GOLDEN / "mixtral").stdout
        self.assertIn("routing of 8 texts: 5 experts, 2 for each token", out)
        rows = re.findall(r"^ +(\d+) +(\d+) +([\d.]+) +([\d.]+) +([\d.]+) +(\d+) +(\d+)", out, re.MULTILINE)
        self.assertEqual([row[0] for row in rows], ["0", "1"])
        self.assertEqual(len({row[1] for row in rows}), 1)
        for row in rows:
            self.assertAlmostEqual(2 ** float(row[2]), float(row[3]), delta=0.08)
        texts = [text.text for text in xml.parse(picture).getroot().iter(f"{SVG}text")]
        self.assertEqual([text for text in texts if text.startswith("layer ")],
                         [f"layer {row[0]}: {row[3]} of 5, max {float(row[4]):.1f}" for row in rows])
        for label in ("prose", "Japanese", "all together"):
            self.assertIn(label, texts)

    def test_routing_of_documents(self):
        for name, text in (("a & <b>.txt", "One letter about the harbour.\n"), ("c.txt", "1 2 3\n" * 40)):
            (self.folder / name).write_text(text)
        picture = self.folder / "experts.svg"
        out = self.inspect("--routing", "-o", picture, e2e.BUNDLE, self.folder / "a & <b>.txt",
                           self.folder / "c.txt").stdout
        self.assertIn("routing of 2 texts: 4 experts, 1 for each token", out)
        texts = [text.text for text in xml.parse(picture).getroot().iter(f"{SVG}text")]
        self.assertIn("a & <b>.txt", texts)
        self.assertIn("c.txt", texts)

    def test_collapsed(self):
        tensors = headers(e2e.BUNDLE)
        router = "language_model.model.layers.2.feed_forward.router.weight"
        n = math.prod(tensors[router]["shape"])
        bundle = self.poke(e2e.BUNDLE, {(router, i): bytes(4) for i in range(n)})
        done = self.inspect("--routing", "-o", self.folder / "experts.svg", bundle)
        self.assertRegex(done.stdout, r"\n +2 .*  collapsed")
        self.assertEqual(done.stderr.count("uses few of its 4 experts"), 1)
        self.assertIn("layer 2: collapsed to 1.0 of 4", (self.folder / "experts.svg").read_text())

    def test_refused(self):
        mute = self.folder / "mute"
        shutil.copytree(e2e.BUNDLE, mute)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (mute / name).unlink()
        for arguments, code, message in (
                ([], 2, "takes a bundle"),
                ([e2e.BUNDLE, e2e.INBOX], 2, "documents are for --routing"),
                (["-o", "x.svg", e2e.BUNDLE], 2, "-o is for --routing"),
                (["--routing", GOLDEN / "guard4"], 3, "no experts to choose from"),
                (["--routing", mute], 3, "no tokenizer"),
                (["--routing", e2e.BUNDLE, self.folder / "none"], 3, "nothing in these documents"),
                (["--routing", "-o", self.folder / "no" / "x.svg", e2e.BUNDLE], 74, "x.svg"),
                ([self.folder / "none"], 3, "none")):
            self.assertIn(message, self.inspect(*arguments, code=code).stderr)


if __name__ == "__main__":
    e2e.main()
