"""weft calibrate: its numbers beside those of a few lines of Python, on records with made-up answers.

The model is too sure on purpose: a value with confidence c is right with probability c squared.
"""

import csv
import json
import random
import re
import shutil
import unittest
import xml.dom.minidom

import e2e


def reliability(pairs):
    """(ECE, Brier) of (confidence, is right), ten bins."""
    bins = [[] for _ in range(10)]
    for confidence, right in pairs:
        bins[min(int(confidence * 10), 9)].append((confidence, right))
    ece = sum(abs(sum(c for c, _ in one) - sum(r for _, r in one)) for one in bins) / len(pairs)
    return ece, sum((c - r) ** 2 for c, r in pairs) / len(pairs)


class Calibrate(e2e.Case):
    def setUp(self):
        super().setUp()
        (self.folder / "in").mkdir()
        for i in range(8):
            (self.folder / f"in/{i}.md").write_text(f"Document {i}.\n")
        e2e.weft("run", "-q", "-t", "inventory", "-o", "out", "in", cwd=self.folder)
        self.paths = e2e.record_files(self.folder / "out")

    def fill(self, n_each, seed=1):
        """Puts n_each values into each record; the lines that say of each whether it is right."""
        generator = random.Random(seed)
        lines, self.pairs = [], []
        for path in self.paths:
            record = json.loads(path.read_text())
            record["model"] = {"name": "made up", "id": "sha256:m", "type": "llama4"}
            record["answer"] = {"items": [{"n": i, "name": f"N{i}"} for i in range(n_each)]}
            record["provenance"] = {}
            for i in range(n_each):
                pointer = f"/items/{i}/" + ("n", "name")[i % 2]
                confidence = round(generator.uniform(0.3, 1), 4)
                right = generator.random() < confidence ** 2
                value = record["answer"]["items"][i]["n" if i % 2 == 0 else "name"]
                wrong = -1 if i % 2 == 0 else "another"
                said = json.dumps(value if right else wrong).replace("-1", "-1.0")
                record["provenance"][pointer] = [{"kind": "matched", "confidence": confidence}]
                lines.append((record["id"], pointer, said, "anna", "now"))
                self.pairs.append((confidence, right))
            path.write_text(json.dumps(record))
        return lines

    def say(self, lines):
        with open(self.folder / "out/corrections.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("id", "pointer", "value", "who", "when"), *lines])

    def test_tables_of_spreadsheets(self):
        """As Excel saves them where numbers have a comma: semicolons, CRLF, a byte order mark, empty rows."""
        lines = self.fill(10)
        self.say(lines)
        self.calibrate()
        saved = self.saved()
        for separator in ";\t":
            with open(self.folder / "out/corrections.csv", "w", newline="", encoding="utf-8-sig") as file:
                csv.writer(file, delimiter=separator).writerows(
                    [("id", "pointer", "value", "who", "when"), *lines, [""] * 5, [""] * 5])
            done = self.calibrate()
            self.assertEqual((done.stderr, self.saved()), ("", saved))
        text = f"id;pointer;value;who;when\r\n{lines[0][0]};{lines[0][1]};1240,50;anna;now\r\n"
        (self.folder / "out/corrections.csv").write_text(text)
        self.assertIn("line 2: the value is not JSON", self.calibrate().stderr)

    def calibrate(self, *more, code=0):
        done = e2e.weft("calibrate", "-o", "out", *more, cwd=self.folder)
        self.assert_code(done, code)
        return done

    def saved(self):
        return json.loads((self.folder / "out/calibration.json").read_text())

    def test_numbers(self):
        self.say(self.fill(100))
        before = [path.read_bytes() for path in self.paths]
        done = self.calibrate("--plot", "plot.svg")
        ece, brier = reliability(self.pairs)
        saved = self.saved()
        self.assertEqual([saved["values"], saved["right"]], [800, sum(r for _, r in self.pairs)])
        self.assertAlmostEqual(saved["ece"], ece, places=12)
        self.assertAlmostEqual(saved["brier"], brier, places=12)
        self.assertEqual({name: one["values"] for name, one in saved["fields"].items()},
                         {"/items/*/n": 400, "/items/*/name": 400})
        self.assertIn(f"{ece:.3f}  {brier:.3f}", done.stdout.splitlines()[-3])
        # What was too sure is much less so, judged by what the line was not made from.
        self.assertGreater(ece, 0.12)
        self.assertLess(saved["calibrated"]["ece"], ece / 2)
        self.assertLess(saved["calibrated"]["brier"], brier)
        curve = saved["curve"]
        self.assertEqual(curve, sorted(curve))
        self.assertEqual([share for _, share in curve], sorted(share for _, share in curve))
        for confidence, share in curve:
            self.assertAlmostEqual(share, confidence ** 2, delta=0.15)
        self.assertEqual([path.read_bytes() for path in self.paths], before)
        picture = xml.dom.minidom.parse(str(self.folder / "plot.svg"))
        self.assertIn(f"ECE {ece:.3f}", picture.getElementsByTagName("text")[0].firstChild.data)

    def test_is_used(self):
        self.say(self.fill(100))
        self.calibrate()
        curve = self.saved()["curve"]
        (job,) = (self.folder / "out/jobs").iterdir()
        (job / "schema.json").write_text(json.dumps({"type": "object", "properties": {
            "sure": {"type": "number"}, "other": {"type": "number"}}}))
        record = json.loads(self.paths[0].read_text())
        middle = (curve[0][0] + curve[1][0]) / 2
        record.update(answer={"sure": 1, "other": 2}, provenance={
            "/sure": [{"kind": "none", "confidence": 1}], "/other": [{"kind": "none", "confidence": middle}]})
        self.paths[0].write_text(json.dumps(record))
        row = self.row(record["id"])
        self.assertEqual([row["sure.confidence"], row["sure.calibrated"]],
                         ["1", str(round(curve[-1][1], 4))])
        self.assertAlmostEqual(float(row["other.calibrated"]), (curve[0][1] + curve[1][1]) / 2, places=4)
        record["model"]["id"] = "sha256:another"
        self.paths[0].write_text(json.dumps(record))
        self.assertEqual(self.row(record["id"])["sure.calibrated"], "")
        (self.folder / "out/calibration.json").write_text('{"curve": [[0.5, 1], [0.4, 0]], "models": []}')
        done = e2e.weft("export", "-o", "out", "-f", "csv", cwd=self.folder)
        self.assert_code(done, 3)
        self.assertIn("calibration.json", done.stderr)

    def row(self, identity):
        done = e2e.weft("export", "-o", "out", "-f", "csv", identity, cwd=self.folder)
        self.assert_code(done, 0)
        (row,) = csv.DictReader(done.stdout.splitlines())
        return row

    def test_too_few(self):
        lines = self.fill(6)
        self.say(lines)
        done = self.calibrate()
        self.assertIn("needs 50 values", done.stdout)
        self.assertNotIn("curve", self.saved())
        wrong = [(*line[:2], '"no"', *line[3:]) for line in lines]
        self.say(wrong)
        self.assertIn("all of these values are wrong", self.calibrate().stdout)

    def test_of_no_use(self):
        lines = self.fill(2)
        self.say([*lines, ("sha256:" + "0" * 64, "/n", "1", "x", "y"), (lines[0][0], "/items/9/n", "1", "", ""),
                  (lines[0][0], "/items/1/n", "1", "", ""), (lines[0][0], "/it\x1b[31mems", "1", "", "")])
        done = self.calibrate()
        self.assertIn("16 values with a confidence", done.stdout)
        self.assertIn("1 without a confidence; 3 of no use", done.stdout)
        self.assertEqual(re.findall(r"line (\d+)", done.stderr) and len(re.findall(r"line \d+", done.stderr)), 3)
        self.assertNotIn("\x1b", done.stdout + done.stderr)

    def test_no_corrections(self):
        done = self.calibrate(code=3)
        self.assertIn("corrections.csv", done.stderr)
        self.calibrate("nonsense", code=2)

    @e2e.needs("rsvg-convert")
    def test_plot_is_drawn(self):
        self.say(self.fill(20))
        self.calibrate("--plot", "plot.svg")
        e2e.subprocess.run(["rsvg-convert", "-o", self.folder / "plot.png", self.folder / "plot.svg"], check=True)
        if "KEEP" in e2e.os.environ:
            shutil.copy(self.folder / "plot.png", e2e.os.environ["KEEP"])


if __name__ == "__main__":
    unittest.main()
