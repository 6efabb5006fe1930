"""Several inputs as one document: a month of meetings. Each is read by itself; the answer is about all,
and the record says of each place in which of them it is."""
import base64
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

import e2e
import journal
from test_sidecar import EARS, srt, vtt, wav

HEARING = 20


def enum_schema(**words):
    """A schema with one answer."""
    return {"type": "object", "properties": {key: {"enum": [word]} for key, word in words.items()},
            "required": list(words), "additionalProperties": False}


class Case(e2e.Case):
    def setUp(self):
        super().setUp()
        self.month = self.folder / "month"
        self.month.mkdir()

    def write(self, name, text):
        path = self.month / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def meetings(self):
        """Two with captions."""
        wav(self.month / "03.wav")
        self.write("03.vtt", vtt((0, 1, "Anna", "We order the roof."), (2, 3, "Ben", "I pay on Friday.")))
        wav(self.month / "10.wav", seconds=5, pitch=9)
        self.write("10.srt", srt("The roof is late."))

    def go(self, *more, code=0, inputs=("month",), out="out", task="transcript"):
        """The record of all that the run was given."""
        self.done = self.run_weft("--together", "-t", task, "--reader", "none", "-o", out,
                                  "--accept-deletions", *more, *inputs, code=code, cwd=self.folder)
        said = e2e.summary(self.folder / out)
        self.counts = {key: n for key, n in said["ledger"]["files"].items() if n}
        path = self.folder / inputs[0]
        first = sorted(path.rglob("*.[wmp]*"))[0] if path.is_dir() else path
        return self.record_of(first.relative_to(self.folder), out)

    def record_of(self, path, out="out"):
        shown = e2e.weft("show", "-o", out, path, cwd=self.folder)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        hex_id = re.search(r"^  sha256:(\w+)$", shown.stdout, re.M).group(1)
        return json.loads((self.folder / out / "records" / hex_id[:2] / f"{hex_id}.json").read_text())

    def verify(self, *more, out="out"):
        done = e2e.weft("verify", "-o", out, *more, cwd=self.folder)
        self.assert_code(done, 0)
        return done


class Together(Case):
    def test_one_record_of_all(self):
        self.meetings()
        (self.month / "17.wav").write_bytes((self.month / "03.wav").read_bytes()[:30])
        (self.month / "24.xyz").write_bytes(b"\x01\x02\x03\xff" * 9)
        record = self.go(code=1)
        source, (a, b, broken, odd) = record["source"], record["source"]["parts"]
        self.assertEqual([part["name"] for part in source["parts"]],
                         ["03.wav", "10.wav", "17.wav", "24.xyz"])
        self.assertEqual([part["n"] for part in source["parts"]], [1, 2, 3, 4])
        self.assertEqual(source["paths"], [f"month/{name}" for name in (
            "03.vtt", "03.wav", "10.srt", "10.wav", "17.wav", "24.xyz")])
        for part in source["parts"]:
            self.assertEqual(part["sha256"],
                             hashlib.sha256((self.month / part["name"]).read_bytes()).hexdigest())
        hashes = "".join(part["sha256"] + "\n" for part in source["parts"])
        self.assertEqual(source["sha256"], hashlib.sha256(hashes.encode()).hexdigest())
        self.assertEqual(source["bytes"], sum(part["bytes"] for part in source["parts"]))
        self.assertEqual([a["sidecar"]["path"], b["sidecar"]["path"]], ["03.vtt", "10.srt"])
        self.assertNotIn("sidecar", broken)
        self.assertEqual(odd["media_type"], "application/octet-stream")
        # what is wrong with two of them
        self.assertEqual({error["at"]["document"] for error in record["errors"]}, {3, 4})
        self.assertEqual(record["status"], "partial")
        self.assertEqual(self.counts, {"in": 1, "partial": 1})
        self.assertIn("month/17.wav: partial: ", self.done.stderr)
        # places, tracks and the ledger
        texts = {item["text"]: item for item in record["content"] if item["text"]}
        self.assertEqual([item["at"][0]["document"] for item in texts.values()], [1, 1, 2])
        self.assertEqual(texts["The roof is late."]["at"][0]["time"], [1, 2])
        self.assertEqual(texts["We order the roof."]["speaker"], "Anna")
        self.assertEqual([(track["document"], track["seconds"]) for track in record["document"]["tracks"]],
                         [(1, 4), (2, 5)])
        self.assertEqual(record["ledger"]["seconds"], {"in": 9, "done": 9, "failed": 0, "skipped": 0})
        self.verify()
        self.assertEqual(len(e2e.record_files(self.out)), 1)

    def test_whatever_the_order_the_threads_the_place(self):
        self.meetings()
        (self.month / "week").mkdir()
        wav(self.month / "week" / "17.wav", pitch=3)
        whole = self.go(code=1)
        self.assertEqual([part["name"] for part in whole["source"]["parts"]],
                         ["03.wav", "10.wav", "week/17.wav"])
        for out, more in (("o1", ["-j", 1]), ("o4", ["-j", 4])):
            self.go(*more, out=out, code=1)
            self.assertEqual(e2e.records(self.folder / out), e2e.records(self.out))
        again = self.go(out="o5", code=1, inputs=[f"month/{name}" for name in (
            "week/17.wav", "10.wav", "03.wav", "10.srt", "03.vtt")])
        self.assertEqual(again["id"], whole["id"])
        lines = self.run_weft("-q", "--together", "-t", "transcript", "--reader", "none", "-o", "-", "month",
                              code=1, cwd=self.folder)
        record, = e2e.lines(lines)
        del record["run"], whole["run"]
        self.assertEqual(record, whole)
        # The folder has another name: it is the same document.
        self.month.rename(self.folder / "november")
        moved = self.go(inputs=["november"])
        self.assertEqual(moved["id"], whole["id"])
        self.assertIn("unchanged", self.counts)

    def test_one_more_one_changed_one_less(self):
        self.meetings()
        first = self.go()
        self.assertEqual(self.go()["id"], first["id"])
        self.assertEqual(self.counts, {"in": 1, "unchanged": 1})
        wav(self.month / "17.wav", pitch=3)
        self.write("17.vtt", vtt((0, 1, "", "It is done.")))
        second = self.go()
        self.assertNotEqual(second["id"], first["id"])
        self.assertEqual(len(second["source"]["parts"]), 3)
        self.assertEqual(self.counts, {"in": 1, "done": 1})
        self.assertEqual(self.go()["id"], second["id"])
        self.assertEqual(self.counts, {"in": 1, "unchanged": 1})
        self.write("10.srt", srt("The roof is early."))
        third = self.go()
        self.assertEqual([item["text"] for item in e2e.items_with(third, "roof")],
                         ["We order the roof.", "The roof is early."])
        # The records of before are kept, and have no path any more; no word of them is found.
        self.assertEqual(len(e2e.record_files(self.out)), 3)
        found = e2e.weft("search", "-o", "out", "late", cwd=self.folder)
        self.assertEqual((found.returncode, found.stdout), (1, ""))
        for name in ("17.wav", "17.vtt", "10.srt"):
            (self.month / name).unlink()
        fourth = self.go(code=1)
        self.assertEqual([part["name"] for part in fourth["source"]["parts"]], ["03.wav", "10.wav"])
        self.assertNotIn(fourth["id"], (first["id"], second["id"], third["id"]))
        self.assertEqual(self.go()["id"], fourth["id"])
        self.assertEqual(self.counts, {"in": 1, "unchanged": 1})
        # What was once is known again.
        self.write("10.srt", srt("The roof is late."))
        self.assertEqual(self.go()["id"], first["id"])
        self.assertIn("unchanged", self.counts)
        self.verify()

    @e2e.needs("strace")
    def test_an_unchanged_run_opens_none(self):
        self.meetings()
        for opens in (True, False):
            log = self.folder / "trace"
            traced = subprocess.run(
                ["strace", "-f", "-qq", "-e", "trace=openat", "-o", log, e2e.WEFT, "run", "--together",
                 "-t", "transcript", "--reader", "none", "-o", "out", "month"], cwd=self.folder,
                capture_output=True, text=True, check=False, timeout=500,
                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
            if "ptrace" in traced.stderr or not log.exists():
                self.skipTest("strace can't trace here")
            self.assertEqual(traced.returncode, 0, traced.stderr)
            opened = re.findall(r'openat\(\d+, "([01][0-9]\.[^"]*)"', log.read_text())
            self.assertEqual(set(opened), {"03.wav", "03.vtt", "10.wav", "10.srt"} if opens else set())

    def test_the_same_bytes_twice(self):
        self.meetings()
        shutil.copy(self.month / "03.wav", self.month / "04.wav")
        shutil.copy(self.month / "03.vtt", self.month / "04.vtt")
        record = self.go()
        self.assertEqual([part["name"] for part in record["source"]["parts"]], ["03.wav", "10.wav"])
        self.assertIn("month/04.wav", record["source"]["paths"])
        self.assertEqual(self.record_of("month/04.wav")["id"], record["id"])
        self.verify()

    def test_unreadable_and_gone(self):
        self.meetings()
        (self.month / "17.wav").write_bytes(b"")
        record = self.go(code=1)
        self.assertEqual([(error["code"], error["at"]) for error in record["errors"]],
                         [("empty", {"document": 3})])
        for name in ("03.vtt", "03.wav", "10.srt", "10.wav"):
            (self.month / name).unlink()
        alone = self.go(code=0)
        self.assertEqual(alone["status"], "skipped")
        self.assertEqual(len(alone["source"]["parts"]), 1)
        shutil.rmtree(self.month)
        self.month.mkdir()
        self.run_weft("--together", "-t", "transcript", "-o", "out", "--accept-deletions", "month", code=0,
                      cwd=self.folder)
        self.assertEqual(e2e.summary(self.out)["ledger"]["files"]["in"], 0)

    def test_what_is_refused(self):
        self.meetings()
        for more, said in ((["--join"], "--join shares documents"), (["--sample", "1"], "--sample takes"),
                           (["-t", "slides"], "the slides of a recording")):
            done = e2e.weft("run", "--together", "-o", "out", *more, "month", cwd=self.folder)
            self.assert_code(done, 2)
            self.assertIn(f"together: {said}", done.stderr)
        many = self.folder / "many"
        many.mkdir()
        for i in range(1001):
            (many / f"{i}.txt").write_text(str(i))
        done = e2e.weft("run", "--together", "-t", "transcript", "-o", "many.out", "many", cwd=self.folder)
        self.assert_code(done, 2)
        self.assertIn("more than 1000 files", done.stderr)

    def test_pages_together(self):
        (self.month / "a.pdf").write_bytes(e2e.pdf([["Total 12 EUR"], ["second page"]]))
        (self.month / "b.pdf").write_bytes(e2e.pdf([["Total 15 EUR"]]))
        self.write("c.txt", "a plain text")
        record = self.go()
        self.assertEqual([(page["document"], page["n"]) for page in record["document"]["pages"]],
                         [(1, 1), (1, 2), (2, 1)])
        self.assertEqual([(item["at"][0].get("document"), item["at"][0].get("page"))
                          for item in record["content"]], [(1, 1), (1, 2), (2, 1), (3, None)])
        self.assertEqual(record["ledger"]["pages"]["done"], 3)
        exported = json.loads(e2e.weft("export", "-o", "out", "-f", "docling", record["id"],
                                       cwd=self.folder).stdout)
        self.assertEqual(list(exported["pages"]), ["1", "2", "3"])
        self.assertEqual([text["prov"][0]["page_no"] for text in exported["texts"] if text["prov"]],
                         [1, 2, 3])
        self.verify()

    def test_a_dry_run_and_what_it_counts(self):
        self.meetings()
        done = self.run_weft("--together", "-m", e2e.BUNDLE, "-t", "minutes", "--dry-run", "-o", "out",
                             "month", code=0, cwd=self.folder)
        self.assertIn("1 new", done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"\n  wav +1 +1 +0 +9 ")
        planned = e2e.weft("plan", "--together", "-t", "minutes", "--json", e2e.BUNDLE, "month",
                           cwd=self.folder)
        self.assert_code(planned, 0)
        self.assertRegex(planned.stdout, r'"files": ?1\b')
        self.assertFalse(self.out.exists())

    def test_who_reads_it(self):
        self.meetings()
        record = self.go()
        self.verify("--sample", "9")
        found = e2e.weft("search", "-o", "out", "late", cwd=self.folder)
        self.assertEqual(found.stdout.split("\t")[:2], ["month/10.wav", "00:01"])
        shown = e2e.weft("show", "-o", "out", cwd=self.folder).stdout.splitlines()
        self.assertEqual(len(shown), 2)  # a heading, and a row
        self.assertIn("2 files", shown[1])
        shown = e2e.weft("show", "-o", "out", "month/10.wav", cwd=self.folder).stdout
        self.assertIn("\n  2/ 10.wav, captions: 10.srt\n", shown)
        self.assertRegex(shown, r"c\d+ +2/00:01 +speech")
        exported = {form: e2e.weft("export", "-o", "out", "-f", form, record["id"], cwd=self.folder).stdout
                    for form in ("srt", "vtt", "md", "txt")}
        self.assertIn("3\n00:00:01,000 --> 00:00:02,000\n[10.wav] The roof is late.\n", exported["srt"])
        self.assertIn("NOTE 2: 10.wav\n\n2-1\n00:00:01.000 --> 00:00:02.000\nThe roof", exported["vtt"])
        self.assertIn(" and 1 more\n", exported["md"])
        self.assertIn("### 2: 10.wav\n\n\\[2/00:00:01\\] The roof", exported["md"])
        self.assertIn("\n2: 10.wav\n\n[2/00:00:01] The roof is late.\n", exported["txt"])
        rebuilt = e2e.weft("rebuild-index", "-o", "out", cwd=self.folder)
        self.assert_code(rebuilt, 0)
        self.assertEqual(e2e.weft("search", "-o", "out", "late", cwd=self.folder).stdout, found.stdout)

    def test_names_of_all_kinds(self):
        odd = b"a\xff\n<|eot|>.wav"
        wav(os.fsdecode(os.fsencode(self.month) + b"/" + odd))
        wav(self.month / "b --> <b>.wav", pitch=9)
        self.write("b --> <b>.srt", srt("The roof is late."))
        record = self.go("-m", e2e.BUNDLE, task="index", code=1)
        parts = record["source"]["parts"]
        self.assertEqual(base64.b64decode(parts[0]["name_b64"]), odd)
        self.assertNotIn("name", parts[0])
        shown = e2e.weft("show", "-o", "out", cwd=self.folder)
        self.assertEqual(len(shown.stdout.splitlines()), 2)
        shown = e2e.weft("show", "-o", "out", record["id"], cwd=self.folder).stdout
        self.assertRegex(shown, r"\n  1/ a.\\x0A<\|eot\|>\.wav\n  2/ b --> <b>\.wav, captions: b --> <b>\.srt\n")
        vtt_text = e2e.weft("export", "-o", "out", "-f", "vtt", record["id"], cwd=self.folder).stdout
        self.assertEqual(vtt_text.count("-->"), 1)
        self.assertIn("NOTE 2: b --&gt; &lt;b&gt;.wav\n", vtt_text)
        found = e2e.weft("search", "-o", "out", "roof", cwd=self.folder).stdout
        self.assertTrue(found.startswith("month/b --> <b>.wav\t00:01\t"), found)
        self.verify("--sample", "3")

    # ---- the answer ----

    def test_the_windows_an_answer_rests_on(self):
        for n in range(1, 4):
            wav(self.month / f"{n}.wav", seconds=1, pitch=n)
            cues = [(i, i + 1, "Anna", f"Then we talk about the point {n}-{i} of the list") for i in range(50)]
            cues[7] = (7, 8, "Ben", ("Zebra", "Yonder", "Xylo")[n - 1])
            self.write(f"{n}.vtt", vtt(*cues))
        schema = enum_schema(a="Zebra", b="Yonder", c="Xylo")
        schema["properties"]["d"] = enum_schema(at="00:00:06", word="Yonder")
        schema["required"].append("d")
        (self.folder / "s.json").write_text(json.dumps(schema))
        narrow = self.folder / "narrow"
        narrow.mkdir()
        bundle = e2e.bundle_with(narrow, max_position_embeddings=2600)
        record = self.go("-m", bundle, "-s", "s.json", task="minutes")
        windows = record["windows"]
        self.assertGreater(len(windows), 3)
        self.assertEqual(windows[0]["from"]["document"], 1)
        self.assertEqual(windows[-1]["to"]["document"], 3)
        documents = [(window["from"]["document"], window["to"]["document"]) for window in windows]
        self.assertEqual(documents, sorted(documents))
        self.assertTrue(any(first < last for first, last in documents))
        for key, n in (("a", 1), ("b", 2), ("c", 3)):
            evidence = record["provenance"][f"/{key}"][0]
            self.assertEqual((evidence["at"][0]["document"], evidence["at"][0]["time"]), (n, [7, 8]))
            self.assertLessEqual(evidence["window"], len(windows))
        # Each has that time; what was said beside it was said in the second.
        time, = record["provenance"]["/d/at"]
        self.assertEqual((time["kind"], time["at"][0]["document"]), ("pointed", 2))
        exported = e2e.weft("export", "-o", "out", "-f", "md", record["id"], cwd=self.folder).stdout
        self.assertIn("**At:** 00:00:06 \\[2/00:00:06\\]\n", exported)
        self.verify()


@unittest.skipUnless(EARS.exists() and shutil.which("espeak-ng"), "no ears, or nobody who speaks")
class Heard(Case):
    """With a Whisper of made-up weights: who is listened to, and how often."""

    def speak(self, name, voice):
        text = "Good morning everyone and welcome to the meeting. Today we talk about the roof. " * 2
        subprocess.run(["espeak-ng", "-v", voice, "-w", str(self.month / name), text], check=True)

    def hear(self, *more, **also):
        return self.go("--audio", EARS, *more, **also)

    def windows(self, record):
        return record["run"]["heard"]["windows"]

    def test_only_what_is_new_is_heard(self):
        self.speak("03.wav", "en+m3")
        self.speak("10.wav", "en+f4")
        first = self.hear()
        self.assertGreater(self.windows(first), 1)
        self.assertEqual({item["at"][0]["document"] for item in first["content"] + first["hidden"]}, {1, 2})
        speakers = {item["speaker"].rstrip("?") for item in first["content"] + first["hidden"]
                    if item.get("speaker")}
        self.assertTrue(speakers)
        for speaker in speakers:
            self.assertRegex(speaker, r"^[12]/S\d+$")
        self.assertEqual(first["ledger"]["seconds"]["in"], first["ledger"]["seconds"]["done"])
        alone = self.folder / "alone"
        self.run_weft("--audio", EARS, "-t", "transcript", "-o", alone, self.month / "10.wav", code=0)
        record, = (json.loads(path.read_text()) for path in e2e.record_files(alone))
        self.assertEqual([item["text"] for item in record["content"]],
                         [item["text"] for item in first["content"] if item["at"][0]["document"] == 2])
        # a third one comes, in front of all
        self.speak("01.wav", "en+m5")
        second = self.hear()
        self.assertGreater(self.windows(second), 0)
        self.assertLess(self.windows(second), self.windows(first))
        moved = [dict(item, id=0, at=[dict(at, document=at["document"] + 1) for at in item["at"]])
                 for item in first["content"]]
        for item in moved:
            if "speaker" in item:
                n, label = item["speaker"].split("/")
                item["speaker"] = f"{int(n) + 1}/{label}"
        self.assertEqual(moved, [dict(item, id=0) for item in second["content"]
                                 if item["at"][0]["document"] > 1])
        # other names: nothing is heard again
        third = self.hear("--names", "2/S1=Ben,3/S1=Anna")
        self.assertEqual(self.windows(third), 0)
        self.assertLessEqual({"Ben", "Anna"}, {item["speaker"].rstrip("?") for item in
                                               third["content"] + third["hidden"] if item.get("speaker")})
        fresh = self.hear("-j", 1, out="fresh")
        del fresh["run"], second["run"]
        self.assertEqual(fresh, second)

    def test_killed_and_gone_on(self):
        for i in range(3):
            self.speak(f"{i}.wav", ("en+m3", "en+f4", "en+m5")[i])
        whole = self.hear(out="whole")
        n_heard = 0
        for wanted in (1, 2, 4):
            process = subprocess.Popen(
                [e2e.WEFT, "run", "-q", "--together", "--audio", str(EARS), "-t", "transcript", "--reader",
                 "none", "-j", "1", "-o", "out", "month"], cwd=self.folder, stderr=subprocess.DEVNULL,
                start_new_session=True)
            deadline = time.monotonic() + 120
            while n_heard < wanted and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
                n_heard = sum(journal.kinds(path).count(HEARING) for path in journal.in_work(self.out))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        before = self.windows(whole)
        record = self.hear()
        self.assertEqual(e2e.records(self.out), e2e.records(self.folder / "whole"))
        if "heard" in record["run"] and len(e2e.record_files(self.out)) == 1:
            self.assertLess(self.windows(record), before)
        self.assertEqual(journal.in_work(self.out), [])


if __name__ == "__main__":
    e2e.main()
