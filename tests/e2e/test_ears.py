"""A bundle with a projector hears by itself: sound comes as rows, two seconds behind each marker. The
weights are made up (tests/golden/scout with tests/encoders/golden/ultravox), so answers are nonsense;
what was asked, in which pieces, is what counts."""
import json
import math
import shutil
import signal
import subprocess
import time
import wave

import e2e
import journal

PROJECTOR = e2e.SOURCE / "tests/encoders/golden/ultravox"
BLOCK_S = 2
ROWS_S = 6.25


class Ears(e2e.Case):
    def setUp(self):
        super().setUp()
        self.bundle = e2e.bundle_with(self.folder)
        config = json.loads((self.bundle / "config.json").read_text())
        config["weft"] = {"name": "scout"}  # the base that the projector names
        (self.bundle / "config.json").write_text(json.dumps(config))
        shutil.copytree(PROJECTOR, self.bundle / "audio")

    def sound(self, seconds):
        """A tone that pauses for a second now and then."""
        rate = 8000
        tone = bytes(int(128 + 100 * math.sin(440 * 2 * math.pi * i / rate)) for i in range(rate))
        path = self.folder / "tone.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 1, rate, 0, "NONE", "not compressed"))
            for i in range(seconds):
                file.writeframes(b"\x80" * rate if i % 23 == 7 else tone)
        return path

    def record(self, *arguments):
        done = e2e.weft("run", "-q", "-m", self.bundle, "-o", self.out, *arguments)
        self.assertIn(done.returncode, (0, 1), done.stderr)  # noise may go on until it is cut
        self.assert_code(e2e.weft("verify", "-o", self.out), 0)
        record, = e2e.by_name(self.out).values()
        return record

    def planned(self, task, path):
        done = e2e.weft("plan", self.bundle, path, "-t", task, "--sample", 0, "--json")
        self.assert_code(done, 0)
        return json.loads(done.stdout)["documents"]

    def test_a_recording_in_blocks(self):
        """All of it is asked about, a window begins where a block does, and as many tokens as were planned."""
        path = self.sound(300)
        record = self.record("-t", "minutes", path)
        windows = record["windows"]
        self.assertGreater(len(windows), 5)
        self.assertEqual(record["ledger"]["seconds"], {"in": 300, "done": 300, "failed": 0, "skipped": 0})
        self.assertAlmostEqual(record["model"]["tokens"]["audio"], 300 * ROWS_S, delta=60)
        for before, window in zip(windows, windows[1:]):
            self.assertLess(before["to"]["time"][0], window["from"]["time"][0])
            self.assertLess(window["from"]["time"][0] - before["to"]["time"][1], 1)
            for end in (window["from"], window["to"]):
                self.assertLessEqual(end["time"][1] - end["time"][0], BLOCK_S + 0.2)
        planned = self.planned("minutes", path)
        self.assertEqual((planned["requests"], planned["tokens"]),
                         (len(windows), sum(window["tokens"] for window in windows)))

    def test_the_ends_of_a_long_one(self):
        """What lies between the first and the last window is told, with its seconds."""
        record = self.record("-t", "index", self.sound(1200))
        fault, = (e for e in record["errors"] if e["stage"] == "window")
        first, *_, last = record["windows"]
        self.assertEqual(fault["code"], "not_examined")
        self.assertAlmostEqual(fault["at"]["time"][0], first["to"]["time"][1], delta=1)
        self.assertAlmostEqual(fault["at"]["time"][1], last["from"]["time"][0], delta=1)
        skipped = record["ledger"]["seconds"]["skipped"]
        self.assertIn(f"{skipped} s of sound", fault["message"])
        self.assertAlmostEqual(skipped, fault["at"]["time"][1] - fault["at"]["time"][0], delta=45)

    def test_one_that_hears_no_words(self):
        """It is shown the sound, and what is said counts as not read (silence is known). For a task that it does not know it is
        not even shown."""
        path = self.sound(60)
        config = json.loads((self.bundle / "config.json").read_text())
        config["weft"] |= {"hears_words": False, "tasks": ["index"]}
        (self.bundle / "config.json").write_text(json.dumps(config))
        for task, n_rows in (("index", 60 * ROWS_S), ("minutes", 0)):
            self.out = self.folder / task
            record = self.record("-t", task, path)
            self.assertEqual(record["ledger"]["seconds"], {"in": 60, "done": 2, "failed": 0, "skipped": 58})
            fault = record["errors"][0]
            self.assertEqual((fault["stage"], fault["code"]), ("read", "no_reader"))
            self.assertEqual(fault["at"]["time"], [0, 60])
            tokens = record["model"]["tokens"]["audio"] if record["model"] else 0
            self.assertAlmostEqual(tokens, n_rows, delta=12)

    def test_where_it_listened(self):
        """Seconds that are pointed at are a hint that nobody checks: a Whisper would hear all, and leave no rows."""
        path = self.sound(60)
        names = [f"n{i}" for i in range(3)]
        numbers = {name: {"type": "integer", "minimum": 100000, "maximum": 199999} for name in names}
        (self.folder / "schema.json").write_text(json.dumps(
            {"type": "object", "properties": numbers, "required": names, "additionalProperties": False}))
        record = self.record("-t", "minutes", "-s", self.folder / "schema.json", path)
        self.assertGreater(record["model"]["tokens"]["audio"], 0)
        pointed = [evidence for (evidence, *_) in record["provenance"].values() if evidence["kind"] == "pointed"]
        self.assertTrue(pointed, record["provenance"])
        for evidence in pointed:
            begin, end = evidence["at"][0]["time"]
            self.assertTrue(0 <= begin < end <= 60.5 and end - begin <= BLOCK_S + 0.2, evidence)
            self.assertTrue(0 < evidence["attention"] <= 1)
            self.assertNotIn("confirmed", evidence)
            self.assertNotIn("read", evidence)
        self.out = self.folder / "heard"
        record = self.record("-t", "minutes", "-s", self.folder / "schema.json", "--audio",
                             e2e.SOURCE / "tests/golden/hear", path)
        self.assertEqual(record["model"]["tokens"]["audio"] if record["model"] else 0, 0)
        self.assertNotIn("pointed", [evidence["kind"] for (evidence, *_) in record["provenance"].values()])

    def test_after_a_kill(self):
        """Windows that were answered are not asked again, wherever their clips of sound end."""
        path = self.sound(1800)
        arguments = ["-t", "minutes", path]
        whole = self.folder / "whole"
        done = e2e.weft("run", "-q", "-m", self.bundle, "-o", whole, *arguments)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        process = subprocess.Popen([e2e.WEFT, "run", "-q", "-m", self.bundle, "-o", self.out, *map(str, arguments)],
                                   stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline and not any(
                journal.kinds(path).count(journal.ANSWER) >= 5 for path in journal.in_work(self.out)):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        self.assertEqual(process.wait(), -signal.SIGKILL, "the run had ended before it was killed")
        self.record(*arguments)
        self.assertGreaterEqual(e2e.summary(self.out)["windows_kept"], 5)
        self.assertEqual(e2e.records(self.out), e2e.records(whole))


if __name__ == "__main__":
    e2e.main()
