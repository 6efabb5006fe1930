"""LoRA adapters of tests/golden/lora over the same base: which one answers, and what the record says."""
import hashlib
import json
import shutil

import e2e

LORA = e2e.SOURCE / "tests/golden/lora"
SCHEMA = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12},
                                           "total": {"type": ["number", "null"]}},
          "required": ["name", "total"], "additionalProperties": False}


def adapter_id(name):
    config = (LORA / name / "adapter_config.json").read_bytes()
    weights = (LORA / name / "adapter_model.safetensors").read_bytes()
    line = f"adapter_config.json {len(config)}\n".encode()
    return hashlib.sha256(line + config + weights).hexdigest()


class Adapter(e2e.Case):
    def setUp(self):
        super().setUp()
        self.pile = self.folder / "pile"
        self.pile.mkdir()
        for i in range(3):
            (self.pile / f"{i}.txt").write_text(f"Invoice {i}: the total is {i}40.00 EUR.\n" * (i + 1))
        (self.folder / "s.json").write_text(json.dumps(SCHEMA))

    def answers_of(self, bundle, out, *arguments):
        self.run_weft("-t", self.task(), "-m", bundle, "--reader", "none", *arguments, "-o", out,
                      self.pile, code=0)
        return [record["answer"] for _, record in sorted(e2e.by_name(out).items())]

    def test_base_of_other_tasks(self):
        """What its base was made for is no limit to an adapter."""
        bundle = self.folder / "bundle"
        shutil.copytree(e2e.BUNDLE, bundle)
        config = json.loads((bundle / "config.json").read_text())
        config["weft"] = {"tasks": ["index"]}
        (bundle / "config.json").write_text(json.dumps(config))
        arguments = ["--adapter", LORA / "plain"]
        bare = self.answers_of(bundle, self.folder / "bare")
        self.assertNotEqual(bare, self.answers_of(e2e.BUNDLE, self.folder / "plainly"))
        self.assertEqual(self.answers_of(bundle, self.folder / "a", *arguments),
                         self.answers_of(e2e.BUNDLE, self.folder / "b", *arguments))

    def task(self, *lines):
        path = self.folder / "mine.task"
        path.write_text("\n".join(["[task]", "prompt=Name and total.", "schema=@s.json",
                                   "answer_tokens=80", *lines]) + "\n")
        return path

    def answers(self, out, task, *arguments, code=0):
        """Base name -> record."""
        self.run_weft("-t", task, "-m", e2e.BUNDLE, "--reader", "none", *arguments, "-o", out,
                      self.pile, code=code)
        return e2e.by_name(out)

    def model_of(self, found):
        models = {json.dumps(record["model"]["adapter"]) for record in found.values()}
        self.assertEqual(len(models), 1)
        return found["0.txt"]["model"]

    def test_record_says_which(self):
        task = self.task()
        base = self.answers(self.folder / "base", task)
        self.assertIsNone(self.model_of(base)["adapter"])
        self.assertNotIn("adapter_id", self.model_of(base))
        seen = {json.dumps([base[name]["answer"] for name in sorted(base)])}
        for name in ("plain", "experts", "all"):
            found = self.answers(self.folder / name, task, "--adapter", LORA / name)
            self.assertEqual(self.model_of(found)["adapter"], name)
            self.assertEqual(self.model_of(found)["adapter_id"], adapter_id(name))
            self.assertEqual(self.model_of(found)["id"], self.model_of(base)["id"])
            for document in found:
                self.assertNotEqual(found[document]["id"], base[document]["id"])
            seen.add(json.dumps([found[document]["answer"] for document in sorted(found)]))
        self.assertEqual(len(seen), 4)

    def test_again_and_with_other_threads(self):
        task = self.task()
        self.answers(self.out, task, "--adapter", LORA / "dora", "-j", "1")
        first = e2e.records(self.out)
        again = self.run_weft("-t", task, "-m", e2e.BUNDLE, "--reader", "none", "--adapter",
                              LORA / "dora", "-o", self.out, self.pile, code=0)
        self.assertIn("3 unchanged", again.stderr)
        self.answers(self.folder / "many", task, "--adapter", LORA / "dora", "-j", "4")
        self.assertEqual(first, e2e.records(self.folder / "many"))

    def test_task_chooses(self):
        several = ["--adapter", LORA / "plain", "--adapter", LORA / "dora"]
        found = self.answers(self.folder / "a", self.task("adapter=dora"), *several)
        self.assertEqual(self.model_of(found)["adapter"], "dora")
        alone = self.answers(self.folder / "b", self.task(), "--adapter", LORA / "dora")
        self.assertEqual(e2e.records(self.folder / "a"), e2e.records(self.folder / "b"))
        self.assertEqual({n: r["id"] for n, r in found.items()},
                         {n: r["id"] for n, r in alone.items()})
        found = self.answers(self.folder / "c", self.task(f"adapter=@{LORA / 'experts'}"))
        self.assertEqual(self.model_of(found)["adapter"], "experts")

    def test_job_file(self):
        (self.folder / "lora").symlink_to(LORA)
        job = self.folder / "job.ini"
        job.write_text("[job]\ninputs=pile\ntask=mine.task\nadapter=lora/plain;lora/saved\n"
                       f"model={e2e.BUNDLE}\noutput=out\nreader=none\n")
        self.task("adapter=saved")
        self.run_weft("-c", job, code=0)
        self.assertEqual(self.model_of(e2e.by_name(self.folder / "out"))["adapter"], "saved")

    def refused(self, code, words, task, *arguments):
        done = self.run_weft("-t", task, "--reader", "none", "-m", e2e.BUNDLE, *arguments, "-o",
                             self.out, self.pile, code=code)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(e2e.record_files(self.out), [])

    def test_refused(self):
        task = self.task()
        both = ["--adapter", LORA / "plain", "--adapter", LORA / "dora"]
        self.refused(2, ["names none of the adapters plain, dora"], task, *both)
        self.refused(3, ["adapter=x is none of", "plain, dora"], self.task("adapter=x"), *both)
        self.refused(2, ["another one has the name plain"], self.task(), "--adapter", LORA / "plain",
                     "--adapter", LORA / "plain")
        self.refused(3, ["adapter_config.json: No such file"], task, "--adapter", self.pile)
        self.refused(2, ["asks nothing", "no adapter"], "inventory", "--adapter", LORA / "plain")
        # Another base: named with the tensor before anything is answered.
        self.refused(3, ["adapter plain: tensor", "layers.0.feed_forward.shared_expert"], task,
                     "--adapter", LORA / "plain", "-m", e2e.SOURCE / "tests/golden/maverick")


if __name__ == "__main__":
    e2e.main()
