"""How a run stops in order: deadlines, signals, what it says, and that the next run goes on."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

import e2e

RUN = ["-m", e2e.BUNDLE, "--reader", "none", "-j", "2"]
READ_TASK = "[task]\nsummary=Reads pictures and asks nothing\nwindows=none\n"


def scan(n_pages):
    """A PDF whose pages are drawn, not written, so that Tesseract has to look at each."""
    bars = b"".join(b"%d %d 9 34 re f " % (60 + 17 * i, 40 + 50 * j)
                    for i in range(28) for j in range(14))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", None,
               b"<< /Length %d >>\nstream\n%s\nendstream" % (len(bars), bars)]
    objects += [b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 3 0 R >>"] * n_pages
    kids = b" ".join(b"%d 0 R" % (4 + i) for i in range(n_pages))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (n_pages, kids)
    out = b"%PDF-1.4\n"
    for number, body in enumerate(objects, 1):
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\n%%%%EOF\n" % (len(objects) + 1)


def children(pid):
    found = []
    for thread in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, thread.read_text().split())
        except OSError:
            pass  # it has ended
    return found


def descendants(pid):
    """All processes below, by number."""
    return [pid for child in children(pid) for pid in (child, *descendants(child))]


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def without_paths(found):
    """A copy may be among what is left: its path will be added."""
    less = {name: json.loads(text) for name, text in found.items()}
    for record in less.values():
        del record["source"]["paths"]
    return less


class Stop(e2e.Case):
    def start(self, *arguments, **more):
        """A run under way; its stderr is collected in a file, which no pipe can stall."""
        self.said = open(self.folder / "said", "w+", encoding="utf-8")
        self.addCleanup(self.said.close)
        process = subprocess.Popen([e2e.WEFT, "run", *map(str, arguments)], cwd=self.folder,
                                   stderr=self.said, **more)
        self.addCleanup(process.kill)
        return process

    def words(self):
        return (self.folder / "said").read_text()

    def wait_until(self, condition, what):
        deadline = time.monotonic() + 100
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"waited for {what}: {self.words()}")
            time.sleep(0.02)

    def pile(self, n=30):
        pile = self.folder / "pile"
        pile.mkdir()
        for i in range(n):
            text = [f"line {k} of document {i % (n - 2)}" for k in range(20)]  # two are copies
            (pile / f"{i:02}.pdf").write_bytes(e2e.pdf([text] * 6))
        return pile

    def assert_ledger(self, out):
        """Every input is somewhere, once."""
        said = e2e.summary(out)
        self.assertEqual(said["inputs"], sum(said[key] for key in (
            "done", "partial", "failed", "skipped", "copies", "unchanged", "left")), said)
        return said

    def assert_nothing_left_over(self, out):
        self.assertEqual([path for path in pathlib.Path(out).rglob("*") if "tmp" in path.name], [])


class Deadline(Stop):
    def test_max_time_and_the_next_run(self):
        self.pile()
        self.run_weft("-o", "whole", *RUN, "pile", code=1, cwd=self.folder)
        done = self.run_weft("-o", "out", *RUN, "--max-time", "1s", "pile", code=4, cwd=self.folder)
        first = self.assert_ledger(self.out)
        self.assertGreater(first["left"], 0)
        self.assertEqual(done.stderr.splitlines()[-1],
                         f"stopped in time with {first['left']} of 30 inputs left; the next run goes on")
        self.assert_nothing_left_over(self.out)
        whole, part = e2e.records(self.folder / "whole"), e2e.records(self.out)
        self.assertLess(len(part), len(whole))
        self.assertEqual(without_paths(part), without_paths({name: whole[name] for name in part}))
        self.run_weft("-o", "out", *RUN, "pile", code=1, cwd=self.folder)
        self.assertEqual(e2e.records(self.out), whole)
        self.assertEqual(self.assert_ledger(self.out)["left"], 0)
        # Nothing is left any more: the deadline changes nothing, and nothing is said.
        done = self.run_weft("-o", "out", *RUN, "-q", "--max-time", "1h", "--until", "23:59", "pile",
                             code=0, cwd=self.folder)
        self.assertEqual((done.stdout, done.stderr), ("", ""))

    def test_quiet_says_nothing_of_stopping(self):
        (self.folder / "read.task").write_text(READ_TASK)
        for i in range(4):
            (self.folder / f"{i}.pdf").write_bytes(scan(40 + i))
        done = self.run_weft("-t", "./read.task", "-j", "1", "-o", "out", "-q", "--max-time", "2s",
                             "0.pdf", "1.pdf", "2.pdf", "3.pdf", code=4, cwd=self.folder)
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        self.assertGreater(self.assert_ledger(self.out)["left"], 0)

    def test_quiet_says_nothing_of_what_is_skipped(self):
        (self.folder / "a.zip").write_bytes(b"PK\3\4" + bytes(60))
        done = self.run_weft("-t", "inventory", "-o", "out", "a.zip", code=0, cwd=self.folder)
        self.assertIn("a.zip: skipped", done.stderr)
        done = self.run_weft("-q", "-t", "inventory", "-o", "quiet", "a.zip", code=0, cwd=self.folder)
        self.assertEqual((done.stdout, done.stderr), ("", ""))

    def test_summary_is_documented(self):
        """Each key of summary.json stands in the manual, and the manual has no other."""
        self.pile(3)
        self.run_weft("-t", "inventory", "-o", "out", "pile", code=0, cwd=self.folder)
        page = (e2e.SOURCE / "docs/man/weft-run.1").read_text().replace("\\-", "-")
        section = page.split(".SH SUMMARY\n")[1].split(".SH ")[0]
        documented = set(re.findall(r"\.BR? ([a-z_]+)", section))
        said = e2e.summary(self.out)
        keys = set(said) | set(said["ledger"]) | {key for sums in said["ledger"].values() for key in sums}
        self.assertEqual(keys, documented)

    def test_lines(self):
        """What was finished is on stdout, whole, in the order of the inputs."""
        self.pile()
        done = self.run_weft("-o", "-", *RUN, "--max-time", "1s", "pile", code=4, cwd=self.folder)
        names = [os.fsdecode(path) for record in e2e.lines(done) for path in e2e.paths_of(record)]
        self.assertEqual(names, sorted(names))
        self.assertLess(len(names), 30)

    def test_dry_run(self):
        self.pile(60)
        done = e2e.weft("run", *RUN, "--dry-run", "--max-time", "1s", "pile", cwd=self.folder)
        self.assertIn(done.returncode, (0, 4), done.stderr)  # a dry run may be faster than that

    def test_deadlines_that_are_none(self):
        self.pile(3)
        for arguments in (["--until", "6"], ["--until", "2020-01-01T06:00"], ["--until", "25:00"],
                          ["--max-time", "90"], ["--max-time", "0s"], ["--max-time", "soon"]):
            done = self.run_weft("-o", "out", *RUN, *arguments, "pile", code=2, cwd=self.folder)
            self.assertTrue(done.stderr.startswith("weft run: "), done.stderr)
            self.assertFalse(self.out.exists())


@e2e.needs("tesseract")
class Signals(Stop):
    N_PAGES = 300

    def setUp(self):
        super().setUp()
        (self.folder / "read.task").write_text(READ_TASK)
        (self.folder / "scan.pdf").write_bytes(scan(self.N_PAGES))
        self.command = ["-t", "./read.task", "-j", "2", "-o", "out", "scan.pdf"]

    def reading(self, *arguments):
        """A run that has begun to read the pages of a long scan; minutes are before it."""
        process = self.start(*arguments, *self.command)
        self.wait_until(lambda: self.is_reading(process), "a worker of Tesseract")
        return process

    def is_reading(self, process):
        """Workers are children of their helper programs: here one draws pages, one reads. (Those that
        try the jail when the programs start are gone before there is a lock.)"""
        return (self.out / "lock").exists() and sum(len(descendants(pid)) for pid in children(process.pid)) > 1

    def test_term_ends_within_the_document(self):
        process = self.reading()
        below = descendants(process.pid)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=100), 130)
        took_s = time.monotonic() - began
        self.assertLess(took_s, 30)  # the whole takes minutes
        self.assertEqual(self.words().splitlines()[-1],
                         "interrupted with 1 of 1 inputs left; to go on: weft run -t ./read.task -j 2 "
                         "-o out scan.pdf")
        self.assertEqual(e2e.record_files(self.out), [])
        self.assert_nothing_left_over(self.out)
        self.wait_until(lambda: not any(map(is_alive, below)), "the helper programs to end")
        self.assertEqual(self.assert_ledger(self.out)["left"], 1)

    def test_second_signal_ends_at_once(self):
        process = self.reading("-q")
        below = descendants(process.pid)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        time.sleep(0.15)  # signals of one kind do not queue
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=100), 130)
        self.assertLess(time.monotonic() - began, 10)
        self.wait_until(lambda: not any(map(is_alive, below)), "the helper programs to end")
        self.assertEqual(self.words(), "")

    def test_signal_while_it_starts(self):
        """Whenever it comes: 130, and no helper program stays."""
        for delay_s in (0.02, 0.05, 0.1, 0.2, 0.4):
            process = self.start("-t", "inventory", "-o", "out", "scan.pdf")
            time.sleep(delay_s)
            below = descendants(process.pid)
            process.send_signal(signal.SIGTERM)
            # -15: before main; 0: it was faster
            self.assertIn(process.wait(timeout=100), (130, -15, 0))
            self.wait_until(lambda: not any(map(is_alive, below)), "the helper programs to end")

    def test_usr1_tells(self):
        process = self.reading("-q")
        process.send_signal(signal.SIGUSR1)
        self.wait_until(lambda: self.words().endswith("\n"), "the line of progress")
        self.assertRegex(self.words(), r"^0 of 1 documents, \d+ pages, 0\.00/s, 1 left, now scan\.pdf\n$")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=100), 130)


@unittest.skipUnless("--long" in sys.argv, "takes more than a minute")
class Grace(Signals):
    def test_a_page_without_end_is_not_waited_for(self):
        process = self.reading()
        for pid in descendants(process.pid):
            if pid not in children(process.pid):
                os.kill(pid, signal.SIGSTOP)  # workers: pages that never end
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=100), 130)
        took_s = time.monotonic() - began
        self.assertTrue(55 < took_s < 75, took_s)
        self.assertEqual(self.assert_ledger(self.out)["left"], 1)
        self.assertIn("interrupted with 1 of 1 inputs left", self.words())


class Locked(Stop):
    def test_line_of_a_held_folder(self):
        """One line, which names the folder and says what to do: cron mails it as it is."""
        self.pile(3)
        self.run_weft("-o", "out", "-t", "inventory", "pile", code=0, cwd=self.folder)
        (self.folder / "read.task").write_text(READ_TASK)
        (self.folder / "scan.pdf").write_bytes(scan(300))
        process = self.start("-t", "./read.task", "-o", "out", "scan.pdf")
        self.wait_until(lambda: (self.out / "lock").exists() and len(descendants(process.pid)) > 5,
                        "workers")
        done = self.run_weft("-q", "-o", "out", "-t", "inventory", "pile", code=75, cwd=self.folder)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("out", done.stderr)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=100), 130)


if __name__ == "__main__":
    e2e.main()
