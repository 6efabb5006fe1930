"""Whisper listens to recordings: once, in windows, whatever happens meanwhile. The model has made-up
weights (tests/golden/hear), so what it writes is nonsense; when, by whom and how often it was asked is
what counts. The sound is made by espeak-ng and FFmpeg."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import e2e
import journal

sys.path.insert(0, str(e2e.SOURCE / "tests/cli"))
import whisper_model

WHISPER = e2e.SOURCE / "tests/golden/hear"
SOUNDING, HEARING = 19, 20
TEXT = ("Good morning everyone and welcome to the meeting. Today we talk about the budget of the year, "
        "the roof of the old house, and who pays for it. I think that we should wait.")
MARGIN_S = 0.2

sounds = None  # the folder of the recordings


def make(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def make_sounds():
    for name, voice in (("anna", "en+f4"), ("ben", "en+m3")):
        subprocess.run(["espeak-ng", "-v", voice, "-w", str(sounds / f"{name}.wav"), TEXT], check=True)
    anna, ben = (["-i", sounds / f"{name}.wav"] for name in ("anna", "ben"))
    make(*anna, *ben, "-filter_complex",
         "[0]aresample=16000[a];[1]aresample=16000,apad=pad_dur=4[b];aevalsrc=0:d=10:s=16000[s];"
         "[a][s][b]concat=n=3:v=0:a=1", sounds / "talk.wav")
    make("-stream_loop", 8, "-i", sounds / "talk.wav", sounds / "long.wav")
    make("-f", "lavfi", "-i", "sine=440:d=15,volume=0.3", "-f", "lavfi", "-i", "aevalsrc=0:d=15",
         "-filter_complex", "[0][1]concat=n=2:v=0:a=1", "-ar", 16000, sounds / "tone.wav")


def setUpModule():
    global sounds
    for program in ("ffmpeg", "espeak-ng"):
        if not shutil.which(program):
            raise unittest.SkipTest(f"{program} is not installed")
    sounds = pathlib.Path(tempfile.mkdtemp(prefix="weft-e2e-sounds-"))
    unittest.addModuleCleanup(shutil.rmtree, sounds, ignore_errors=True)
    make_sounds()


def times(items, kind=None):
    return [item["at"][0]["time"] for item in items if kind is None or item["kind"] == kind]


def heard(record):
    return record["run"]["heard"]


class Hear(e2e.Case):
    def record(self, path, *arguments, out=None, code=0):
        """The record of one recording."""
        self.run_weft("-q", "--audio", WHISPER, "-t", "transcript", "-o", out or self.out, path,
                      *arguments, code=code)
        e2e.summary(out or self.out)
        return max((json.loads(file.read_text()) for file in e2e.record_files(out or self.out)),
                   key=lambda record: record["run"]["fingerprint"] == self.fingerprint(out))

    def fingerprint(self, out):
        return e2e.summary(out or self.out)["fingerprint"]

    def all_of(self, record):
        return record["content"] + record["hidden"]

    def speakers(self, record):
        return {item["speaker"].rstrip("?") for item in self.all_of(record) if item.get("speaker")}

    # ---- what is listened to ----

    def test_speech_and_silence(self):
        record = self.record(sounds / "talk.wav")
        speech = [item for item in record["content"] if item["kind"] == "speech"]
        self.assertTrue(speech)
        self.assertEqual({item["by"] for item in speech}, {"whisper"})
        self.assertGreater(heard(record)["windows"], 0)
        self.assertGreater(heard(record)["seconds_skipped"], 2)
        silence, = [time for time in times(record["content"], "silence") if time[0] < 20]
        self.assertAlmostEqual(silence[1] - silence[0], 10, delta=3)
        self.assertEqual(record["ledger"]["seconds"]["done"], record["ledger"]["seconds"]["in"])
        self.assertEqual(times(record["content"]), sorted(times(record["content"])))

    def test_nobody_speaks(self):
        record = self.record(sounds / "tone.wav")
        self.assertEqual([heard(record)[key] for key in ("windows", "encoder_calls", "decoder_passes")],
                         [0, 0, 0])
        self.assertEqual([item["kind"] for item in self.all_of(record)], ["sound", "silence"])

    def test_threads(self):
        found = []
        for n in (1, 2, 8):
            out = self.folder / f"out{n}"
            self.record(sounds / "talk.wav", "-j", n, out=out)
            found.append(e2e.records(out))
        self.assertEqual(found[1:], found[:-1])

    def test_a_file_of_whisper_cpp(self):
        """One file, quantised, listens as a folder does. Its weights are noise: what it says is dropped."""
        file = self.folder / "ggml-v3.bin"
        whisper_model.write_ggml(file, whisper_model.SHAPES["v3"], "q5_0")
        found = []
        for n in (1, 4):
            out = self.folder / f"out{n}"
            self.run_weft("-q", "--audio", file, "-t", "transcript", "-o", out, "-j", n, sounds / "anna.wav",
                          code=0)
            found.append(e2e.records(out))
        self.assertEqual(found[0], found[1])
        record, = e2e.by_name(out).values()
        self.assertEqual((heard(record)["by"], heard(record)["windows"]), ("ggml-v3", 1))
        self.assertGreater(heard(record)["decoder_passes"], 0)
        self.assertEqual(record["ledger"]["seconds"]["done"], record["ledger"]["seconds"]["in"])
        self.assertLessEqual({item["by"] for item in self.all_of(record) if item["text"]}, {"whisper"})

    def test_captions_need_nobody(self):
        words = self.folder / "words.srt"
        words.write_text("1\n00:00:01,000 --> 00:00:03,000\nGood morning everyone.\n\n")
        make("-i", sounds / "talk.wav", "-i", words, "-c:a", "flac", "-c:s", "srt",
             self.folder / "a.mkv")
        record = self.record(self.folder / "a.mkv")
        self.assertNotIn("heard", record["run"])
        self.assertEqual([item["text"] for item in record["content"] if item["text"]],
                         ["Good morning everyone."])

    def test_a_range_of_time(self):
        record = self.record(sounds / "talk.wav", "--time", "3-14")
        for first, last in times(record["content"]):
            self.assertGreaterEqual(first, 3 - MARGIN_S)
            self.assertLessEqual(last, 14 + MARGIN_S)
        self.assertEqual(record["ledger"]["seconds"]["in"], 11)

    def test_a_hole_is_no_silence(self):
        make("-i", sounds / "talk.wav", "-af", "aselect=not(between(t\\,4\\,8))", "-c:a", "pcm_s16le",
             self.folder / "hole.mka")
        record = self.record(self.folder / "hole.mka")
        self.assertGreater(heard(record)["windows"], 0)
        for first, last in times(record["content"], "silence"):
            self.assertFalse(first < 7 and last > 5, (first, last))

    def test_frames_and_speech_in_order(self):
        make("-f", "lavfi", "-i", "testsrc=size=320x240:rate=5", "-i", sounds / "talk.wav", "-shortest",
             "-c:v", "mpeg4", "-c:a", "flac", "-t", 40, self.folder / "a.mkv")
        record = self.record(self.folder / "a.mkv", "--reader", "none", code=1)
        kinds = {item["kind"] for item in record["content"]}
        self.assertLessEqual({"frame", "speech"}, kinds)
        first = [at[0] for at in times(record["content"])]
        self.assertEqual(first, sorted(first))

    def test_pictures_do_not_wait_for_sound_that_is_over(self):
        """Nor is what was seen behind the last word looked at again after a kill."""
        make("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=1", "-i", sounds / "anna.wav", "-t", 1200,
             "-c:v", "mpeg4", "-c:a", "flac", self.folder / "a.mkv")
        record = self.record(self.folder / "a.mkv", "--reader", "none", code=1)
        first = [at[0] for at in times(record["content"])]
        self.assertEqual(first, sorted(first))
        kept, = journal.in_cache(self.out)
        kinds = journal.kinds(kept)
        n_parts = kinds[len(kinds) - kinds[::-1].index(journal.MARK):].count(journal.PART)
        self.assertGreater(kinds.count(journal.PART), 100)
        self.assertLessEqual(n_parts, 64)

    # ---- who speaks ----

    def test_titles_of_tracks(self):
        both = ["-i", sounds / "anna.wav", "-i", sounds / "ben.wav", "-map", 0, "-map", 1, "-c:a", "flac"]
        titles = ["-metadata:s:a:0", "title=Anna", "-metadata:s:a:1", "title=Ben"]
        languages = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger"]
        for name, more, who in (("titled", titles, {"Anna", "Ben"}), ("untitled", [], {"S1", "S2"}),
                                ("dubbed", titles + languages, {"S1", "S2"})):
            make(*both, *more, self.folder / f"{name}.mka")
            record = self.record(self.folder / f"{name}.mka", out=self.folder / name)
            self.assertLessEqual(self.speakers(record), who, name)
            by_track = {(item["at"][0]["track"], item["speaker"].rstrip("?"))
                        for item in self.all_of(record) if item.get("speaker")}
            self.assertEqual(len({speaker for _, speaker in by_track}), len(by_track), name)
            if name == "titled":
                self.assertEqual(self.speakers(record), who)

    def test_channels_that_are_speakers(self):
        make("-i", sounds / "anna.wav", "-i", sounds / "ben.wav", "-filter_complex",
             "[0]apad=pad_dur=11[a];[1]adelay=11500[b];[a][b]join=inputs=2:channel_layout=stereo",
             self.folder / "call.wav")
        make("-i", sounds / "talk.wav", "-filter_complex", "[0][0]join=inputs=2:channel_layout=stereo",
             self.folder / "same.wav")
        record = self.record(self.folder / "call.wav", out=self.folder / "call")
        # surely: a channel is no guess
        self.assertEqual({item["speaker"] for item in self.all_of(record) if item.get("speaker")},
                         {"S1", "S2"})
        for item in record["content"]:
            if item["kind"] == "speech":
                self.assertEqual(item["speaker"], "S1" if item["at"][0]["time"][0] < 11 else "S2")
        self.assertEqual(record["ledger"]["seconds"]["done"], record["ledger"]["seconds"]["in"])
        self.assertLess(record["ledger"]["seconds"]["in"], 30)
        # one voice on both channels is heard once
        same = self.record(self.folder / "same.wav", out=self.folder / "same")
        mono = self.record(sounds / "talk.wav", out=self.folder / "mono")
        self.assertEqual(heard(same)["windows"], heard(mono)["windows"])

    # ---- what decides what is heard ----

    def test_names_cost_nothing(self):
        for seed in range(10):  # weights that never learnt hear somebody with some seeds only
            before = self.record(sounds / "talk.wav", "--seed", seed)
            self.assertGreater(heard(before)["windows"], 0)
            if self.speakers(before):
                break
        after = self.record(sounds / "talk.wav", "--seed", seed, "--names", "S1=Anna,S2=Ben")
        self.assertEqual(heard(after)["windows"], 0)
        self.assertEqual(heard(after)["encoder_calls"], 0)
        renamed = json.dumps(before["content"]).replace('"S1', '"Anna').replace('"S2', '"Ben')
        self.assertEqual(json.loads(renamed), after["content"])
        self.assertTrue(self.speakers(after))
        self.assertLessEqual(self.speakers(after), {"Anna", "Ben"})

    def test_what_decides(self):
        terms = self.folder / "terms.txt"
        terms.write_text("Friday\nMonday\n")
        self.record(sounds / "talk.wav")
        for more in (["--terms", terms], ["--language", "de"], ["--translate"], ["--seed", 7]):
            record = self.record(sounds / "talk.wav", *more)
            self.assertGreater(heard(record)["windows"], 0, more)

    def test_what_is_wrong_is_said_before_work(self):
        not_text = self.folder / "terms.bin"
        not_text.write_bytes(b"\xff\xfe\x00")
        for more, said in ((["--language", "xx"], "does not know 'xx'"),
                           (["--terms", self.folder / "none"], "none"),
                           (["--terms", not_text], "are not UTF-8"),
                           (["--names", "Anna"], "is not like S1=Anna"),
                           (["--audio", self.folder], str(self.folder))):
            done = e2e.weft("run", "--audio", WHISPER, "-t", "transcript", "-o", self.out,
                            sounds / "talk.wav", *more)
            self.assertIn(done.returncode, (2, 3), more)
            self.assertIn(said, done.stderr)
            self.assertEqual(e2e.record_files(self.out), [])

    def test_done_again_by_verify(self):
        (self.folder / "terms.txt").write_text("Friday\n")
        self.record(sounds / "talk.wav")
        self.run_weft("-q", "--audio", os.path.relpath(WHISPER, self.folder), "-t", "transcript", "-o",
                      "out", "--terms", "terms.txt", "--language", "de", "--names", "S1=Anna",
                      sounds / "talk.wav", code=0, cwd=self.folder)
        done = e2e.weft("verify", "-o", self.out, "--sample", "100")
        self.assert_code(done, 0)

    def test_an_estimate(self):
        done = self.run_weft("--audio", WHISPER, "-m", e2e.BUNDLE, "-t", "extract", "-s",
                             e2e.SOURCE / "tasks/describe.schema.json", "--dry-run", "-o", self.out,
                             sounds / "talk.wav", sounds / "tone.wav", code=0)
        said = done.stdout + done.stderr
        self.assertIn("recordings are heard by: hear", said)
        self.assertRegex(said, r"listening to \d+ s of sound is not in it")
        self.assertFalse(self.out.exists())

    # ---- what is heard is not heard again ----

    def start(self, *more):
        return subprocess.Popen(
            [e2e.WEFT, "run", "-q", "--audio", str(WHISPER), "-t", "transcript", "-j", "1", "-o",
             str(self.out), str(sounds / "long.wav"), *more], stderr=subprocess.DEVNULL,
            start_new_session=True)

    def n_heard(self):
        """Windows in the journal."""
        return sum(journal.kinds(path).count(HEARING) for path in journal.in_work(self.out))

    def undisturbed(self):
        whole = self.folder / "whole"
        record = self.record(sounds / "long.wav", out=whole)
        self.assertGreater(heard(record)["windows"], 8)
        return e2e.records(whole), heard(record)["windows"]

    def ended_when(self, number, is_time, process):
        deadline = time.monotonic() + 120
        while not is_time() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        self.assertIsNone(process.poll(), "the run had ended before")
        os.killpg(process.pid, number)
        return process.wait()

    def test_killed_again_and_again(self):
        whole, n_windows = self.undisturbed()
        self.ended_when(signal.SIGKILL, lambda: journal.in_work(self.out), self.start())
        for n in (1, 3, 6):
            self.ended_when(signal.SIGKILL, lambda: self.n_heard() >= n, self.start())
            self.assertEqual(e2e.record_files(self.out), [])
        n_heard = self.n_heard()
        record = self.record(sounds / "long.wav", "-j", 1)
        self.assertEqual(e2e.records(self.out), whole)
        self.assertEqual(heard(record)["windows"], n_windows - n_heard)
        self.assertEqual(journal.in_work(self.out), [])

    def test_a_torn_tail_costs_a_window(self):
        whole, n_windows = self.undisturbed()
        self.ended_when(signal.SIGKILL, lambda: self.n_heard() >= 3, self.start())
        path, = journal.in_work(self.out)
        path.write_bytes(path.read_bytes()[:-3])
        record = self.record(sounds / "long.wav")
        self.assertEqual(e2e.records(self.out), whole)
        self.assertLess(heard(record)["windows"], n_windows)

    def test_forged_journals(self):
        """They cost the work that they would have saved, and are gone then."""
        whole, n_windows = self.undisturbed()
        self.ended_when(signal.SIGKILL, lambda: self.n_heard() >= 2, self.start())
        path, = journal.in_work(self.out)
        saved = path.read_bytes()
        journal.rewrite(path, lambda entry: bytes([SOUNDING]) + b"\1wrong" if entry[0] == SOUNDING else
                        entry)
        record = self.record(sounds / "long.wav")
        self.assertEqual(e2e.records(self.out), whole)
        self.assertEqual(heard(record)["windows"], n_windows)
        shutil.rmtree(self.out)
        (self.out / "state/work").mkdir(parents=True)
        path.write_bytes(saved)
        journal.rewrite(path, lambda entry: bytes([HEARING]) + b"wrong" if entry[0] == HEARING else entry)
        record = self.record(sounds / "long.wav", code=1)
        self.assertEqual([error["code"] for error in record["errors"]], ["changed"])
        self.record(sounds / "long.wav")
        self.assertEqual(e2e.records(self.out), whole)

    def test_stopped_goes_on(self):
        whole, n_windows = self.undisturbed()
        self.ended_when(signal.SIGTERM, lambda: self.n_heard() >= 2, self.start())
        self.assertEqual(e2e.record_files(self.out), [])
        self.assertEqual(e2e.summary(self.out)["left"], 1)
        n_heard = self.n_heard()
        self.assertGreaterEqual(n_heard, 2)
        record = self.record(sounds / "long.wav")
        self.assertEqual(e2e.records(self.out), whole)
        self.assertEqual(heard(record)["windows"], n_windows - n_heard)


if __name__ == "__main__":
    e2e.main()
