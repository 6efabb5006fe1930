"""What the model only looked at: the place is cut out, read alone, and the record says what stands there. The
numbers are those of a bundle that knows nothing, so where it looks says nothing either; what is tested is
that the place is the one that was read, beside FFmpeg's pixels and Tesseract's own program."""

import json
import subprocess

import e2e

CHART = e2e.SOURCE / "examples/inbox/chart.png"
PATCH = 48  # how wide a patch is there: 960 pixels in 10 tiles of two patches each


class Pointed(e2e.Case):
    def setUp(self):
        super().setUp()
        # Numbers of six digits with a step stand nowhere in the picture.
        names = [f"n{i}" for i in range(9)]
        numbers = {name: {"type": "integer", "minimum": 100000 * (i + 1), "maximum": 100000 * (i + 1) + 99999}
                   for i, name in enumerate(names)}
        (self.folder / "schema.json").write_text(json.dumps(
            {"type": "object", "properties": numbers, "required": names, "additionalProperties": False}))
        (self.folder / "prompt.md").write_text("Numbers of the page.\n")
        (self.folder / "look.task").write_text(
            "[task]\nsummary=Numbers\nprompt=@prompt.md\nschema=@schema.json\npictures=all\n")

    def look(self, out, *more):
        self.run_weft("-q", "-t", "./look.task", "-o", out, *more, CHART, code=0, cwd=self.folder)
        (record,) = map(json.loads, (file.read_text() for file in e2e.record_files(self.folder / out)))
        return record, [(str(record["answer"][pointer[1:]]), evidence)
                        for pointer, (evidence, *_) in record["provenance"].items()
                        if evidence["kind"] == "pointed"]

    def read_alone(self, at):
        """The words that tesseract reads in the box and a patch around it."""
        x0, y0, x1, y1 = at["bbox"]
        margin = PATCH
        left, top = max(0, int(x0 - margin)), max(0, int(y0 - margin))
        crop = f"crop=min({round(x1 + margin) - left}\\,iw-{left}):min({round(y1 + margin) - top}\\,ih-{top}):{left}:{top}"
        picture = subprocess.run(["ffmpeg", "-v", "error", "-i", CHART, "-vf", crop, "-f", "image2", "-c", "png", "-"],
                                 capture_output=True, check=True).stdout
        done = subprocess.run(["tesseract", "-", "-"], input=picture, capture_output=True, check=True)
        return done.stdout.decode().split()

    def test_read_alone(self):
        record, pointed = self.look("out")
        self.assertTrue(pointed, record["provenance"])
        n_words = n_same = 0
        for value, evidence in pointed:
            self.assertEqual(evidence["rests_on"], "reading")
            self.assertTrue(0 < evidence["attention"] <= 1)
            self.assertIs(evidence["confirmed"], value in evidence["read"].split())
            expected = self.read_alone(evidence["at"][0])
            words = evidence["read"].split()
            n_words += max(len(words), len(expected))
            n_same += len(set(words) & set(expected))
        self.assertGreater(n_words, 0, pointed)
        # A line that the border cuts reads differently by a pixel; another place has none of these words.
        self.assertGreaterEqual(n_same, 0.5 * n_words, pointed)

    def test_same_with_any_number_of_threads(self):
        one, _ = self.look("one", "-j", "1")
        two, _ = self.look("two", "-j", "2")
        self.assertEqual(one["provenance"], two["provenance"])

    def test_without_a_reader_nothing_is_claimed(self):
        _, pointed = self.look("out", "--reader", "none")
        for _, evidence in pointed:
            self.assertNotIn("confirmed", evidence)
            self.assertNotIn("read", evidence)


if __name__ == "__main__":
    e2e.main()
