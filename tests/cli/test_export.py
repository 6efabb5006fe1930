"""weft export: captions and Markdown of a record, read back by FFmpeg and by cmark-gfm.

The record is one that weft wrote, with speech put into it by hand: what is tested is the writing.
"""

import html
import json
import re
import subprocess
import unittest

import e2e

NASTY = "a --> b <b>bold</b> & [link](http://x) *star* `code` # head\x1b[31m\u202e | cell"
SPOKEN = ("Good morning. We decided on the ninth of March that the north breakwater is to be "
          "raised by one metre, and Ben sees to it. Is that so?")


def words_of(text, begin, per_word):
    """A word each 0.4 s or so."""
    return [{"chars": [found.start(), found.end()],
             "at": {"time": [begin + i * per_word, begin + (i + 0.8) * per_word]}}
            for i, found in enumerate(re.finditer(r"\S+", text))]


def speech(text, begin, end, **more):
    return {"id": "c0", "kind": "speech", "text": text, "at": [{"track": 1, "time": [begin, end]}],
            "by": "whisper", **more}


class Export(e2e.Case):
    def setUp(self):
        super().setUp()
        self.source = e2e.INBOX / "interview.mp3"
        e2e.weft("run", "-q", "-t", "inventory", "-o", "out", self.source, cwd=self.folder)
        (self.path,) = e2e.record_files(self.folder / "out")

    def edit(self, **members):
        record = json.loads(self.path.read_text())
        record.update(members)
        self.path.write_text(json.dumps(record))

    def export(self, form, *more, code=0):
        done = e2e.weft("export", "-o", "out", "-f", form, *more, cwd=self.folder)
        self.assert_code(done, code)
        return done.stdout

    def as_ffmpeg_reads(self, text, form):
        """(begin, end, text) of each caption."""
        path = self.folder / f"captions.{form}"
        path.write_text(text)
        done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "srt", "-"],
                              capture_output=True, text=True, check=True)
        cues = re.findall(r"(\d\d:\d\d:\d\d,\d{3}) --> (\d\d:\d\d:\d\d,\d{3})\n(.*?)\n\n",
                          done.stdout + "\n\n", re.DOTALL)
        seconds = [[sum(float(part) * 60 ** i for i, part in
                        enumerate(reversed(time.replace(",", ".").split(":"))))
                    for time in cue[:2]] + [cue[2]] for cue in cues]
        return seconds

    @e2e.needs("ffmpeg")
    def test_captions(self):
        self.edit(content=[speech(SPOKEN, 61.0, 75.0, speaker="Anna",
                                  words=words_of(SPOKEN, 61, 0.4)),
                           speech("Ja & nein, <i>vielleicht</i>.", 3723.5, 3726.25)])
        for form in ("srt", "vtt"):
            cues = self.as_ffmpeg_reads(self.export(form), form)
            self.assertEqual([cues[0][0], cues[-1][0], cues[-1][1]], [61, 3723.5, 3726.25], cues)
            self.assertGreaterEqual(len(cues), 3)
            for begin, end, text in cues:
                self.assertLessEqual(end - begin, 7.0)
                self.assertTrue(all(len(line) <= 52 for line in text.split("\n")), text)
            said = " ".join(text.replace("\n", " ") for _, _, text in cues[:-1])
            self.assertEqual(said.replace("Anna: ", ""), SPOKEN)
        self.assertIn("<v Anna>", self.export("vtt"))
        self.assertIn("Anna: ", self.export("srt"))

    @e2e.needs("ffmpeg")
    def test_nothing_breaks_out_of_a_caption(self):
        nasty = "one\n\n2\n00:00:01,000 --> 00:00:02,000\nforged\n\nNOTE x" + NASTY
        self.edit(content=[speech(nasty, 1, 4, speaker="00:00:01,000 --> 00:00:02,000 x>y\n\n<v z")])
        for form in ("srt", "vtt"):
            text = self.export(form)
            cues = self.as_ffmpeg_reads(text, form)
            self.assertTrue(all(1 <= begin <= end <= 4 for begin, end, _ in cues), cues)
            self.assertEqual(text.count("-->"), len(cues))
            self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f\u202e]")
        self.assertNotIn("<b>", self.export("vtt"))

    @e2e.needs("cmark-gfm")
    def test_markdown(self):
        answer = {"decisions": [{"what": NASTY, "owner": "Ben"}, {"what": "1. x", "owner": None}],
                  "open_questions": ["- who pays", "+ when"], "title": "# Minutes"}
        self.edit(answer=answer, content=[speech("<script>x</script>\n# no\n1) no\n***", 61, 62,
                                                 speaker="*An_na*")],
                  provenance={"/decisions/0/owner": [{"kind": "matched", "at": [{"time": [61, 62]}]}]})
        done = subprocess.run(["cmark-gfm", "-e", "table", "--unsafe"],
                              input=self.export("md"), capture_output=True, text=True, check=True)
        page = done.stdout
        self.assertEqual(sorted(set(re.findall(r"<(\w+)", page))),
                         ["br", "h1", "h2", "li", "p", "strong", "table", "tbody", "td", "th",
                          "thead", "tr", "ul"])
        self.assertEqual(re.findall(r"<h\d>(.*?)</h\d>", page),
                         ["interview.mp3", "Decisions", "Open questions", "Content"])
        text = html.unescape(re.sub(r"<[^>]+>", "", page))
        for said in (NASTY.replace("\x1b", " ").replace("\u202e", ""),
                     "1. x", "- who pays", "+ when", "# Minutes", "<script>x</script>", "# no", "1) no",
                     "***", "*An_na* [00:01:01]", "Ben [00:01:01]"):
            self.assertIn(said, text)

    @e2e.needs("cmark-gfm")
    def test_minutes(self):
        """Minutes are tables with the time once; what has several lines is a section."""
        at = [{"kind": "pointed", "at": [{"time": [61, 62]}]}]
        answer = {"title": "Harbour", "people": ["Anna", "Ben"], "tasks": [],
                  "decisions": [{"at": "00:01:00", "decision": "The crane is paid.", "by": "Anna"},
                                {"at": None, "decision": "We meet again.", "by": "Ben"}],
                  "slides": [{"at": "00:00:20", "slide": 1, "text": "Budget\n# of 2026", "said": None}]}
        places = ["/decisions/0/at", "/decisions/0/by", "/decisions/1/by", "/slides/0/slide"]
        self.edit(answer=answer, content=[], provenance={place: at for place in places})
        text = self.export("md")
        done = subprocess.run(["cmark-gfm", "-e", "table", "--unsafe"], input=text,
                              capture_output=True, text=True, check=True)
        rows = [re.findall(r"<td>(.*?)</td>", row)
                for row in re.findall(r"<tr>(.*?)</tr>", done.stdout, re.DOTALL)]
        self.assertEqual(rows, [[], ["00:01:00", "The crane is paid.", "Anna"],
                                ["–", "We meet again.", "Ben [00:01:01]"]])
        self.assertEqual(re.findall(r"<h\d>(.*?)</h\d>", done.stdout),
                         ["interview.mp3", "People", "Tasks", "Decisions", "Slides", "00:00:20"])
        self.assertIn("<strong>Text:</strong> Budget<br />\n# of 2026", done.stdout)
        self.assertIn("<strong>Slide:</strong> 1</p>", done.stdout)

    def test_files(self):
        self.edit(content=[speech("Hello.", 1, 2)])
        self.export("vtt", "--to", "captions")
        self.assertEqual([path.name for path in (self.folder / "captions").iterdir()],
                         ["interview.vtt"])
        self.assertIn("Hello.", (self.folder / "captions/interview.vtt").read_text())
        self.assertEqual(self.export("txt", self.source), "[00:00:01] Hello.\n")

    def test_errors(self):
        self.assertIn("srt, vtt, md, txt",
                      e2e.weft("export", "-o", "out", "-f", "doc", cwd=self.folder).stderr)
        self.export("doc", code=2)
        self.export("txt", "nowhere.mp3", code=3)
        self.edit(content=[])
        done = e2e.weft("export", "-o", "out", "-f", "srt", self.source, cwd=self.folder)
        self.assert_code(done, 0)
        self.assertIn("interview.mp3: no speech", done.stderr)


if __name__ == "__main__":
    unittest.main()
