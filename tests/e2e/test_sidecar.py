"""Captions that lie beside a recording are what is said in it."""
import json
import os
import re
import shutil
import struct
import subprocess
import unittest
import wave

import e2e

EARS = e2e.SOURCE / "tests/golden/hear"


def vtt(*cues):
    """Cues of (from, to, speaker, text), times in whole seconds."""
    blocks = ["WEBVTT\n"]
    for begin, end, speaker, text in cues:
        voice = f"<v {speaker}>" if speaker else ""
        blocks.append(f"00:00:{begin:02}.000 --> 00:00:{end:02}.000\n{voice}{text}\n")
    return "\n".join(blocks)


def srt(text):
    return f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n"


def wav(path, seconds=4, pitch=7):
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 16000, 0, "NONE", ""))
        for _ in range(seconds):
            sound.writeframes(b"".join(struct.pack("<h", (i * 991 * pitch) % 20001 - 10000)
                                       for i in range(16000)))


def said(record):
    return [item["text"] for item in record["content"] if item["text"]]


def unread(record):
    return [error for error in record["errors"] if error["code"] == "no_reader"]


class Case(e2e.Case):
    def setUp(self):
        super().setUp()
        self.inputs = self.folder / "in"
        self.inputs.mkdir()
        wav(self.inputs / "talk.wav")

    def write(self, name, text):
        path = self.inputs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def go(self, *more, code=0, inputs=("in",)):
        self.done = self.run_weft("-t", "transcript", "--reader", "none", "-o", "out",
                                  "--accept-deletions", *more, *inputs, code=code, cwd=self.folder)
        self.counts = e2e.summary(self.out)["ledger"]["files"]
        return self.records()

    def records(self):
        """Base name -> the record of a file that is there now."""
        found = {}
        for path in sorted(self.inputs.rglob("*")):
            if path.is_dir():
                continue
            shown = e2e.weft("show", "-o", "out", path.relative_to(self.folder), cwd=self.folder)
            if shown.returncode == 0:
                hex_id = re.search(r"^  sha256:(\w+)$", shown.stdout, re.M).group(1)
                file = self.out / "records" / hex_id[:2] / f"{hex_id}.json"
                found[str(path.relative_to(self.inputs))] = json.loads(file.read_text())
        return found

    def assert_counts(self, **expected):
        counts = {key: n for key, n in self.counts.items() if n and key != "in"}
        self.assertEqual(counts, expected)


class Captions(Case):
    def test_they_are_what_is_said(self):
        self.write("talk.vtt", vtt((0, 1, "Anna", "Good morning"), (2, 3, "Ben", "The harbour")))
        found = self.go()
        record = found["talk.wav"]
        self.assertEqual((record["status"], record["errors"]), ("ok", []))
        speech = [item for item in record["content"] if item["text"]]
        self.assertEqual([(item["kind"], item["by"], item["speaker"], item["text"], item["at"])
                          for item in speech],
                         [("speech", "sidecar", "Anna", "Good morning", [{"time": [0, 1]}]),
                          ("speech", "sidecar", "Ben", "The harbour", [{"time": [2, 3]}])])
        sidecar = record["source"]["sidecar"]
        self.assertEqual(sidecar["path"], "in/talk.vtt")
        self.assertEqual(sidecar["sha256"], found["talk.vtt"]["source"]["sha256"])
        own = found["talk.vtt"]
        self.assertEqual((own["status"], own["content"]), ("skipped", []))
        self.assertEqual(own["errors"][0]["message"], "captions of talk.wav")
        self.assert_counts(done=1, skipped=1)
        self.assertIn("captions: in/talk.vtt",
                      e2e.weft("show", "-o", "out", "in/talk.wav", cwd=self.folder).stdout)
        hits = e2e.weft("search", "-o", "out", "harbour", cwd=self.folder).stdout
        self.assertIn("in/talk.wav", hits)
        self.assertNotIn("in/talk.vtt", hits)
        exported = e2e.weft("export", "-f", "vtt", "-o", "out", "in/talk.wav", cwd=self.folder)
        self.assertIn("<v Anna>Good morning", exported.stdout)
        again = e2e.weft("verify", "-o", "out", "--sample", "9", cwd=self.folder)
        self.assert_code(again, 0)
        self.assertIn("2 documents done again gave the same record", again.stderr + again.stdout)

    def test_names_are_for_their_speakers(self):
        self.write("talk.vtt", vtt((0, 1, "S1", "Good morning")))
        speakers = [item.get("speaker") for item in self.go("--names", "S1=Anna")["talk.wav"]["content"]
                    if item["text"]]
        self.assertEqual(speakers, ["Anna"])

    def test_in_order_of_time_whatever_their_own(self):
        self.write("talk.vtt", vtt((3, 4, "", "last"), (0, 1, "", "first")))
        record = self.go("--time", "0:00-0:02")["talk.wav"]
        self.assertEqual(said(record), ["first"])

    def test_between_frames(self):
        """Chapters, which have times too, come before all."""
        shutil.copy(e2e.INBOX / "slides-talk.mp4", self.inputs)
        self.write("slides-talk.vtt", vtt((1, 3, "", "first"), (12, 14, "", "second")))
        record = self.go(code=1)["slides-talk.mp4"]
        begins = [item["at"][0]["time"][0] for item in record["content"]]
        self.assertEqual(begins, sorted(begins))
        place = [item["text"] for item in record["content"]].index("second")
        self.assertIn("frame", [item["kind"] for item in record["content"][:place]])

    @e2e.needs("ffmpeg")
    def test_subtitles_inside_are_set_apart(self):
        self.write("inside.srt", srt("inside"))
        subprocess.run(["ffmpeg", "-v", "error", "-i", "talk.wav", "-i", "inside.srt", "-c:a", "copy",
                        "talk.mkv"], cwd=self.inputs, check=True, timeout=100)
        for name in ("talk.wav", "inside.srt"):
            (self.inputs / name).unlink()
        self.assertEqual(said(self.go()["talk.mkv"]), ["inside"])
        self.write("talk.vtt", vtt((0, 1, "", "beside")))
        record = self.go()["talk.mkv"]
        self.assertEqual((record["status"], said(record)), ("ok", ["beside"]))
        self.assertEqual([(item["text"], item["by"], item["reason"]) for item in record["hidden"]],
                         [("inside", "file", "sidecar")])

    def test_come_change_and_go(self):
        wav(self.inputs / "other.wav", pitch=11)
        self.assertTrue(unread(self.go(code=1)["talk.wav"]))
        self.assert_counts(partial=2)
        self.write("talk.vtt", vtt((0, 1, "", "one")))
        self.assertEqual(said(self.go()["talk.wav"]), ["one"])
        self.assert_counts(done=1, skipped=1, unchanged=1)
        self.go()
        self.assert_counts(unchanged=3)
        self.write("talk.vtt", vtt((0, 1, "", "two")))
        self.assertEqual(said(self.go()["talk.wav"]), ["two"])
        self.assert_counts(done=1, skipped=1, unchanged=1)
        (self.inputs / "talk.vtt").unlink()
        self.assertTrue(unread(self.go()["talk.wav"]))
        self.assert_counts(unchanged=2)  # the records of the first run
        self.write("talk.vtt", vtt((0, 1, "", "two")))
        self.assertEqual(said(self.go()["talk.wav"]), ["two"])

    def test_renamed_with_the_recording(self):
        self.write("talk.vtt", vtt((0, 1, "", "one")))
        first = self.go()["talk.wav"]["id"]
        for tail in ("wav", "vtt"):
            (self.inputs / f"talk.{tail}").rename(self.inputs / f"speech.{tail}")
        found = self.go()
        self.assertEqual(found["speech.wav"]["id"], first)
        self.assertEqual(found["speech.vtt"]["errors"][0]["message"], "captions of speech.wav")
        again = e2e.weft("verify", "-o", "out", "--sample", "9", cwd=self.folder)
        self.assert_code(again, 0)

    def test_verify_reads_them(self):
        """Those that are no input have no record of their own."""
        def verify():
            done = e2e.weft("verify", "-o", "out", cwd=self.folder)
            return done.stdout.splitlines()

        for inputs, code in (("in/talk.wav",), 1), (("in",), 0):  # without captions it is partial, news once
            with self.subTest(inputs):
                self.write("talk.vtt", vtt((0, 1, "", "one")))
                self.go(inputs=inputs)
                self.assertEqual(verify(), [])
                self.write("talk.vtt", vtt((0, 1, "", "two")))
                (found,) = verify()
                self.assertRegex(found, "^in/talk.vtt: changed since record")
                (self.inputs / "talk.vtt").unlink()
                (found,) = verify()
                self.assertRegex(found, "^in/talk.vtt: not there")
                self.go(code=code, inputs=inputs)
                self.assertEqual(verify(), [])
        self.write("talk.vtt", vtt((0, 1, "", "one")))
        self.go(inputs=("in/talk.wav",))
        for tail in ("wav", "vtt"):
            (self.inputs / f"talk.{tail}").rename(self.inputs / f"speech.{tail}")
        self.go(inputs=("in/speech.wav",))
        self.assertEqual([line for line in verify() if "vtt" in line], [])

    def test_alone_they_are_a_document(self):
        self.write("talk.vtt", vtt((0, 1, "", "one")))
        self.go()
        (self.inputs / "talk.wav").unlink()
        record = self.go()["talk.vtt"]
        self.assertEqual((record["status"], said(record), record["content"][0]["by"]),
                         ("ok", ["one"], "file"))
        wav(self.inputs / "talk.wav")
        self.assertEqual(self.go()["talk.vtt"]["status"], "skipped")

    def test_beside_what_is_no_recording(self):
        self.write("notes.txt", "Plain notes of the day.\n")
        self.write("notes.vtt", vtt((0, 1, "", "one")))
        found = self.go(code=1)  # talk.wav has none
        self.assertEqual(said(found["notes.vtt"]), ["one"])
        self.assertNotIn("sidecar", found["notes.txt"]["source"])

    def test_only_of_the_same_folder_and_no_links(self):
        self.write("sub/talk.vtt", vtt((0, 1, "", "elsewhere")))
        secret = self.folder / "secret.vtt"
        secret.write_text(vtt((0, 1, "", "secret")))
        os.symlink(secret, self.inputs / "talk.vtt")
        found = self.go(code=1)
        self.assertEqual(said(found["talk.wav"]), [])
        self.assertEqual(said(found["sub/talk.vtt"]), ["elsewhere"])
        (self.inputs / "talk.vtt").unlink()
        self.write("talk.vtt", vtt((0, 1, "", "here")))
        found = self.go("--exclude", "talk.vtt")
        self.assertEqual(said(found["talk.wav"]), [])

    def test_names_in_their_order(self):
        order = ["talk.vtt", "talk.srt", "talk.wav.vtt", "talk.wav.srt", "talk.de.vtt", "talk.de.srt",
                 "talk.en.srt", "talk.pt-BR.vtt"]
        for name in order + ["talk.draft.vtt", "talking.vtt"]:
            self.write(name, vtt((0, 1, "", name)) if name.endswith("vtt") else srt(name))
        for name in order:
            found = self.go()
            self.assertEqual(said(found["talk.wav"]), [name])
            skipped = [path for path, record in found.items() if record["status"] == "skipped"]
            self.assertEqual(skipped, [name])
            (self.inputs / name).unlink()
        self.assertEqual(said(self.go(code=1)["talk.wav"]), [])

    def test_files_as_inputs(self):
        self.write("talk.vtt", vtt((0, 1, "", "one")))
        found = self.go(inputs=("in/talk.wav",))
        self.assertEqual(said(found["talk.wav"]), ["one"])
        found = self.go(inputs=("in/talk.vtt",))
        self.assertEqual(said(found["talk.vtt"]), ["one"])
        found = self.go(inputs=("in/talk.vtt", "in/talk.wav"))
        self.assertEqual(found["talk.vtt"]["status"], "skipped")
        found = self.go(inputs=("in/talk.vtt", "in"))
        self.assertEqual(found["talk.vtt"]["status"], "skipped")
        lines = e2e.lines(self.run_weft("-t", "transcript", "--reader", "none", "-o", "-", "in",
                                        code=0, cwd=self.folder))
        self.assertEqual([line["status"] for line in lines], ["skipped", "ok"])

    def test_a_recording_that_cant_be_decoded(self):
        """What was said is known all the same."""
        head = (e2e.INBOX / "slides-talk.mp4").read_bytes()[:64]
        (self.inputs / "head.mp4").write_bytes(head)
        self.write("head.vtt", vtt((0, 1, "", "one")))
        record = self.go(code=1)["head.mp4"]
        self.assertEqual((record["status"], said(record)), ("partial", ["one"]))

    def test_damaged_ones_are_told(self):
        for text, told in ((vtt((0, 1, "", "one")).replace("-->", "->"), "talk.vtt: 1 caption without"),
                           ("WEBVTT\n\nNOTE nothing else\n", "talk.vtt: no captions in it"),
                           ("%PDF-1.4 and so on", "talk.vtt: no captions, but ")):
            self.write("talk.vtt", text)
            found = self.go(code=1)
            record = found["talk.wav"]
            self.assertIn(told, record["errors"][0]["message"])
            self.assertEqual((record["status"], said(record)), ("partial", []))
            self.assertTrue(unread(record))
            self.assertEqual(found["talk.vtt"]["status"] == "skipped", "but" not in told)

    def test_half_damaged_ones_are_used(self):
        self.write("talk.vtt", vtt((0, 1, "", "one"), (1, 2, "", "two")).replace(
            "00:00:01.000 --> 00:00:02", "00:00:01.000 -> 00:00:02"))
        record = self.go(code=1)["talk.wav"]
        self.assertEqual((record["status"], said(record)), ("partial", ["one"]))
        self.assertEqual(len(record["errors"]), 1)

    def test_in_a_run_that_joins(self):
        """Two at once: each document once, with its captions."""
        for i in range(6):
            wav(self.inputs / f"{i}.wav", pitch=13 + 2 * i)
            self.write(f"{i}.srt", srt(f"words {i}"))
        (self.inputs / "talk.wav").unlink()
        command = [e2e.WEFT, "run", "--join", "-t", "transcript", "--reader", "none", "-o", "out", "in"]
        runs = [subprocess.Popen(command, cwd=self.folder, stderr=subprocess.DEVNULL) for _ in range(2)]
        self.assertEqual([run.wait(300) for run in runs], [0, 0])
        found = self.records()
        for i in range(6):
            self.assertEqual(said(found[f"{i}.wav"]), [f"words {i}"])
            self.assertEqual(found[f"{i}.srt"]["status"], "skipped")

    @e2e.needs("strace")
    def test_an_unchanged_run_opens_none(self):
        self.write("talk.vtt", vtt((0, 1, "", "one")))
        for opens in (True, False):
            log = self.folder / "trace"
            traced = subprocess.run(
                ["strace", "-f", "-qq", "-e", "trace=openat", "-o", log, e2e.WEFT, "run", "-t",
                 "transcript", "--reader", "none", "-o", "out", "in"], cwd=self.folder,
                capture_output=True, text=True, check=False, timeout=500,
                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
            if "ptrace" in traced.stderr or not log.exists():
                self.skipTest("strace can't trace here")
            self.assertEqual(traced.returncode, 0, traced.stderr)
            opened = re.findall(r'openat\(\d+, "(talk\.[^"]*)"', log.read_text())
            self.assertEqual(set(opened), {"talk.vtt", "talk.wav"} if opens else set())


@unittest.skipUnless(EARS.exists(), "no ears")
class Ears(Case):
    """With a Whisper: it listens only where no captions are."""

    def test_whisper_listens_only_without(self):
        self.write("talk.vtt", vtt((0, 1, "", "one")))
        kinds = {item["by"] for item in self.go("--audio", EARS)["talk.wav"]["content"] if item["text"]}
        self.assertEqual(kinds, {"sidecar"})
        self.write("talk.vtt", "WEBVTT\n\nNOTE nothing\n")
        record = self.go("--audio", EARS, code=1)["talk.wav"]
        self.assertEqual([error["message"] for error in record["errors"]],
                         ["talk.vtt: no captions in it"])  # heard: nothing is unread


if __name__ == "__main__":
    e2e.main()
