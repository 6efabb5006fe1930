"""How a run ends: exit codes, interruption, a full disk, another run in the same folder."""
import fcntl
import json
import os
import signal
import subprocess
import time

import e2e

RUN = ["-m", e2e.BUNDLE, "--reader", "none"]


class Ends(e2e.Case):
    def setUp(self):
        super().setUp()
        self.text = self.folder / "a.txt"
        self.text.write_text("The pier was mended in May.\n")

    def test_usage(self):
        for arguments in (["--no-such-option", "x"], [], ["-j", "many", self.text],
                          ["-t", "extract", *RUN, self.text], ["-t", "ask", *RUN, self.text],
                          ["--log", "loud", self.text], ["-t", "inventory", "-s", "x", self.text]):
            done = self.run_weft("-o", self.out, *arguments, code=2)
            self.assertTrue(done.stderr.startswith("weft run: "), done.stderr)
            self.assertFalse(self.out.exists())

    def test_nothing_can_start(self):
        schema = self.folder / "bad.json"
        schema.write_text('{"type": "array", "contains": {"type": "string"}}')
        broken = self.folder / "broken"
        broken.mkdir()
        (broken / "config.json").write_text("{")
        for arguments in (["-m", self.folder / "no-model"], ["-m", broken], ["-t", "no-such-task"],
                          [*RUN, "-t", "extract", "-s", schema],
                          [*RUN, "-o", "/dev/null/out"], ["-c", self.folder / "no.job"]):
            done = self.run_weft("-o", self.out, *arguments, self.text, code=3)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_weights_that_are_not_there(self):
        """Found when the first document needs them; the run ends, nothing is written."""
        bundle = e2e.bundle_with(self.folder)
        (bundle / "model.safetensors").unlink()
        self.run_weft("-m", bundle, "-o", self.out, self.text, code=3)
        self.assertEqual(e2e.record_files(self.out), [])

    def test_another_run(self):
        self.run_weft("-t", "inventory", "-o", self.out, self.text, code=0)
        with open(self.out / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.run_weft("-t", "inventory", "-o", self.out, self.text, code=75)
        self.run_weft("-t", "inventory", "-o", self.out, self.text, code=0)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([e2e.WEFT, "run", "-t", "inventory", "-o", "-", self.text],
                                  stdout=full, stderr=subprocess.PIPE, text=True, timeout=100,
                                  check=False)
        self.assertEqual(done.returncode, 74, done.stderr)

    def test_reader_of_lines_goes_away(self):
        for i in range(200):
            (self.folder / f"{i}.txt").write_text(f"number {i}\n" * 100)
        process = subprocess.Popen([e2e.WEFT, "run", "-t", "inventory", "-o", "-", self.folder],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(timeout=100), 74)

    def test_stopped_within_a_large_file(self):
        large = self.folder / "large.bin"
        with open(large, "wb") as file:
            file.truncate(100 << 30)
        process = subprocess.Popen([e2e.WEFT, "run", "-t", "inventory", "-o", self.out, large],
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 60
        while not (self.out / "lock").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
        self.assertEqual(process.returncode, 130)
        self.assertNotIn("nothing to do", said)
        self.assertEqual(e2e.record_files(self.out), [])

    def test_interrupted_and_run_again(self):
        pile = self.folder / "pile"
        pile.mkdir()
        for i in range(12):
            lines = [f"line {n} of document {i}" for n in range(20)]
            (pile / f"{i}.pdf").write_bytes(e2e.pdf([lines] * 4))
        arguments = [*RUN, "-j", "2", "pile"]
        self.run_weft("-o", "whole", *arguments, code=1, cwd=self.folder)
        process = subprocess.Popen([e2e.WEFT, "run", "-o", "out", *map(str, arguments)],
                                   cwd=self.folder, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not (self.out / "lock").exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=100), 130)
        whole = e2e.records(self.folder / "whole")
        self.assertLess(len(e2e.record_files(self.out)), len(whole))
        self.run_weft("-o", "out", *arguments, code=1, cwd=self.folder)
        self.assertEqual(e2e.records(self.out), whole)

    def test_log_as_json(self):
        done = self.run_weft("-t", "inventory", "--log", "json", "-o", self.out, self.text,
                             self.folder / "gone", code=1)
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        self.assertIn("warning", [line["level"] for line in lines])
        self.assertIn("1 done, 1 failed", lines[-1]["message"])

    def test_quiet(self):
        done = self.run_weft("-q", "-t", "inventory", "-o", self.out, self.text, code=0)
        self.assertEqual((done.stdout, done.stderr), ("", ""))

    def test_graph_and_trace(self):
        trace = self.folder / "trace.json"
        done = self.run_weft(*RUN, "--graph", "--trace", trace, "-o", self.out, self.text, code=1)
        rows = {line.split()[0]: line.split() for line in done.stderr.splitlines() if "  " in line}
        self.assertEqual([rows[name][1] for name in ("source", "decode", "window", "merge", "sink")],
                         ["sniff", "window", "fuse", "record", "-"])
        self.assertEqual(rows["sink"][3], "1")
        events = json.loads(trace.read_text())["traceEvents"]
        self.assertIn("generate", {event["name"] for event in events if event["ph"] == "X"})


if __name__ == "__main__":
    e2e.main()
