"""Which experts the tokens of a document chose, in the record's `run`."""
import json
import shutil
import struct

import e2e


def collapsed(folder):
    """The small bundle with routers that know nothing: ties go to the lowest expert."""
    bundle = folder / "collapsed"
    shutil.copytree(e2e.BUNDLE, bundle)
    path = bundle / "model.safetensors"
    data = bytearray(path.read_bytes())
    size = struct.unpack("<Q", data[:8])[0]
    for name, entry in json.loads(data[8:8 + size]).items():
        if name.endswith("router.weight"):
            first, end = (8 + size + offset for offset in entry["data_offsets"])
            data[first:end] = bytes(end - first)
    path.write_bytes(data)
    return bundle


class Routing(e2e.Case):
    def setUp(self):
        super().setUp()
        schema = {"type": "object", "properties": {"kind": {"enum": ["log", "letter"]}},
                  "required": ["kind"], "additionalProperties": False}
        (self.folder / "s.json").write_text(json.dumps(schema))
        (self.folder / "log.txt").write_text(
            "".join(f"{i} The tug came in with {i * 7 % 97} tons.\n" for i in range(200)))
        shutil.copy(e2e.INBOX / "chart.png", self.folder / "chart.png")

    def run_to(self, out, *arguments, bundle=e2e.BUNDLE):
        done = self.run_weft("-m", bundle, "--reader", "none", "-t", "extract", "-s", self.folder / "s.json",
                             "-o", self.folder / out, *arguments, self.folder / "log.txt",
                             self.folder / "chart.png", code=0)
        return done, e2e.by_name(self.folder / out)

    def test_counts(self):
        _, records = self.run_to("out", "--routing")
        self.assertGreater(records["log.txt"]["ledger"]["windows"]["done"], 1)
        self.assertGreater(records["chart.png"]["model"]["tokens"]["patch"], 0)
        for record in records.values():
            routing = record["run"]["routing"]
            self.assertEqual((routing["experts"], routing["active"]), (4, 1))
            self.assertEqual([layer["layer"] for layer in routing["layers"]], [0, 1, 2, 3])
            # The prompts, and of each window's answer what stands before the end of its last choice.
            tokens = record["model"]["tokens"]
            prompts = tokens["text"] + tokens["patch"] + tokens["audio"]
            n = routing["layers"][0]["tokens"]
            self.assertGreater(n, prompts)
            self.assertLessEqual(n, prompts + tokens["generated"] - record["ledger"]["windows"]["done"])
            for layer in routing["layers"]:
                self.assertEqual((layer["tokens"], sum(layer["counts"])), (n, n))
                for count, share in zip(layer["counts"], layer["shares"]):
                    self.assertAlmostEqual(share, count / n, delta=6e-5)
                self.assertAlmostEqual(layer["load_max"], max(layer["counts"]) * 4 / n, delta=6e-5)
                self.assertFalse(layer["collapsed"])

    def test_same_with_any_threads(self):
        counts = []
        for jobs in ("1", "4"):
            _, records = self.run_to(jobs, "--routing", "-j", jobs)
            counts.append({name: record["run"]["routing"] for name, record in records.items()})
        self.assertEqual(*counts)

    def test_only_when_asked(self):
        _, plain = self.run_to("plain")
        _, counted = self.run_to("counted", "--routing")
        for name, record in plain.items():
            self.assertNotIn("routing", record["run"])
            del record["run"], counted[name]["run"]
        self.assertEqual(plain, counted)

    def test_warning(self):
        done, records = self.run_to("out", "--routing", bundle=collapsed(self.folder))
        layers = records["log.txt"]["run"]["routing"]["layers"]
        self.assertTrue(all(layer["collapsed"] for layer in layers))
        self.assertEqual([layer["entropy"] for layer in layers], [0] * 4)
        for layer in range(4):
            self.assertIn(f"layer {layer} uses few of its 4 experts: 1.0 in effect, expert 0 takes 100 %",
                          done.stderr)


if __name__ == "__main__":
    e2e.main()
