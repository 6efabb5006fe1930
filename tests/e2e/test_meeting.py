"""Recordings: what is asked about them, in which pieces, and what the record says about that."""
import json
import subprocess

import e2e

N_SAID = 60
NAMES = ("Anna", "Ben")
# Pictures that differ, ten seconds each.
PICTURES = ["testsrc", "rgbtestsrc", "smptebars", "mandelbrot", "pal75bars", "yuvtestsrc", "testsrc2"]
SHOWN = 4  # of a window


def said(i):
    if i == 2:
        return "The word is Zebra."
    if i == N_SAID - 2:
        return "Now it is Yonder, at last."
    return f"We talk about point {i} of the list."


def clock(time_s):
    return f"{int(time_s) // 3600:02}:{int(time_s) // 60 % 60:02}:{time_s % 60:06.3f}".replace(".", ",")


def captions():
    cues = []
    for i in range(N_SAID):
        begin = 2.5 * i + 0.3
        cues.append(f"{i + 1}\n{clock(begin)} --> {clock(begin + 2)}\n{NAMES[i % 2]}: {said(i)}\n")
    return "\n".join(cues)


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True, timeout=300)


@e2e.needs("ffmpeg")
class Meeting(e2e.Case):
    def setUp(self):
        super().setUp()
        self.bundle = e2e.bundle_with(self.folder, max_position_embeddings=6144)
        (self.folder / "said.srt").write_text(captions())

    def talk(self, name="talk.mp4", codec="mov_text"):
        path = self.folder / name
        ffmpeg("-f", "lavfi", "-i", "sine=frequency=300:duration=150", "-i", self.folder / "said.srt",
               "-map", "0:a", "-map", "1:s", "-c:a", "aac", "-c:s", codec, path)
        return path

    def film(self, pictures=PICTURES):
        parts = []
        for name in pictures:
            part = self.folder / f"{name}.mp4"
            ffmpeg("-f", "lavfi", "-i", f"{name}=s=320x240:r=5", "-frames:v", 50, "-vf",
                   "select=eq(n\\,0),loop=49:1,setpts=N/5/TB,format=yuv420p", "-r", 5, "-c:v", "mpeg4",
                   "-q:v", 3, part)
            parts.append(f"file {part.name}\n")
        (self.folder / "parts.txt").write_text("".join(parts))
        path = self.folder / f"film-{len(pictures)}.mkv"
        ffmpeg("-f", "concat", "-i", self.folder / "parts.txt", "-i", self.folder / "said.srt",
               "-map", "0:v", "-map", "1:s", "-c:v", "copy", "-c:s", "srt", "-t", 10 * len(pictures), path)
        return path

    def asked(self, task, path, *arguments, codes=(0,)):
        out = self.folder / f"out-{task}-{len(arguments)}-{path.name}"
        done = e2e.weft("run", "-q", "-m", self.bundle, "--reader", "none", "-t", task, "-o", out,
                        *arguments, path)
        self.assertIn(done.returncode, codes, done.stderr)
        self.assert_code(e2e.weft("verify", "-o", out), 0)
        return e2e.by_name(out)[path.name]

    def test_shipped_tasks(self):
        """Whatever a model says, the answer is one; the record tells in which pieces it was asked."""
        path = self.talk()
        for schema in (e2e.SOURCE / "tasks").glob("*.schema.json"):
            self.assert_code(e2e.weft("schema", "check", schema), 0)
        for task in ("minutes", "chapters", "questions"):
            record = self.asked(task, path, codes=(0, 1))  # noise may go on until it is cut
            schema = json.loads((e2e.SOURCE / f"tasks/{task}.schema.json").read_text())
            self.assertEqual(list(record["answer"]), schema["required"])
            self.assertEqual({fault["code"] for fault in record["errors"]} - {"limit"}, set())
            self.assertEqual(len(record["windows"]), record["ledger"]["windows"]["in"])
            for evidence in record["provenance"].values():
                self.assertLessEqual(evidence[0]["window"], len(record["windows"]))

    def test_windows_and_times(self):
        schema = {"type": "object",
                  "properties": {"word": {"enum": ["Zebra"]}, "last": {"enum": ["Yonder"]},
                                 "at": {"enum": ["00:01:10"]}},
                  "required": ["word", "last", "at"], "additionalProperties": False}
        (self.folder / "s.json").write_text(json.dumps(schema))
        self.bundle = self.folder / "narrow"
        self.bundle.mkdir()
        self.bundle = e2e.bundle_with(self.bundle, max_position_embeddings=2600)
        record = self.asked("minutes", self.talk(), "-s", self.folder / "s.json")
        windows = record["windows"]
        self.assertGreater(len(windows), 1)
        self.assertEqual([window["n"] for window in windows], list(range(1, len(windows) + 1)))
        self.assertEqual(record["ledger"]["windows"]["done"], len(windows))
        self.assertTrue(all(window["asked"] for window in windows))
        # One goes on where the other ends, from the first word to the last.
        self.assertEqual(windows[0]["from"]["time"][0], 0.3)
        self.assertEqual(windows[-1]["to"]["time"][0], 2.5 * (N_SAID - 1) + 0.3)
        numbers = [[int(name[1:]) for name in window["content"]] for window in windows]
        for before, after in zip(numbers, numbers[1:]):
            self.assertEqual(after[0], before[1] + 1)
        places = {key: record["provenance"][f"/{key}"][0] for key in ("word", "last", "at")}
        self.assertEqual(places["word"]["at"][0]["time"], [5.3, 7.3])
        self.assertEqual(places["last"]["at"][0]["time"], [145.3, 147.3])
        # A time that was copied from a marker points to what begins in that block.
        self.assertEqual((places["at"]["kind"], places["at"]["at"][0]["time"]),
                         ("pointed", [70.3, 72.3]))

    def test_slides(self):
        """What was said while each stood; one that comes back is the same. No model is asked."""
        film = self.film(["testsrc", "smptebars", "testsrc", "pal75bars"])
        record = self.asked("slides", film, codes=(1,))  # nobody reads them
        slides = record["answer"]["slides"]
        self.assertIsNone(record["model"])
        self.assertEqual([slide["slide"] for slide in slides], [1, 2, 1, 3])
        self.assertEqual([slide["at"] for slide in slides],
                         [f"00:00:{10 * i:02}" for i in range(4)])
        for i, slide in enumerate(slides):
            self.assertAlmostEqual(slide["from"], 10 * i, delta=0.1)
            begun = [k for k in range(N_SAID) if slide["from"] <= 2.5 * k + 0.3 < slide["until"]]
            self.assertEqual(slide["said"].split("\n"), [f"{NAMES[k % 2]}: {said(k)}" for k in begun])
            places = record["provenance"][f"/slides/{i}/said"]
            self.assertEqual([round(place["at"][0]["time"][0] - 2.5 * k, 1)
                              for place, k in zip(places, begun)], [0.3] * len(begun))
            self.assertEqual(record["provenance"][f"/slides/{i}/from"][0]["at"][0]["time"],
                             [slide["from"], slide["until"]])
        # Without pictures: all that is said, of no slide.
        (only,) = self.asked("slides", self.talk())["answer"]["slides"]
        self.assertEqual((only["slide"], len(only["said"].split("\n"))), (None, N_SAID))

    def test_frames(self):
        """Minutes show four frames of a stretch and say how many they did not; describe shows all."""
        path = self.film()
        record = self.asked("chapters", path, codes=(1,))
        left_out = [fault for fault in record["errors"] if fault["code"] == "not_examined"]
        frames = [item for item in record["content"] if item["kind"] == "frame"]
        self.assertEqual((len(frames), record["status"]), (len(PICTURES), "partial"))
        self.assertEqual([(window["pictures"], window["left_out"]) for window in record["windows"]],
                         [(SHOWN, len(PICTURES) - SHOWN)])
        self.assertEqual(len(left_out), 1)
        self.assertIn(f"{len(PICTURES) - SHOWN} of {len(PICTURES)} frames", left_out[0]["message"])
        record = self.asked("describe", path, codes=(0, 1))
        self.assertNotIn("not_examined", [fault["code"] for fault in record["errors"]])
        self.assertEqual([window["pictures"] for window in record["windows"]],
                         [SHOWN, len(PICTURES) - SHOWN])


if __name__ == "__main__":
    e2e.main()
