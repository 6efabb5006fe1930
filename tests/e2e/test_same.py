"""The same inputs give the same records, whatever ran beside them; what is unchanged is not opened."""
import ctypes
import json
import os
import random
import shutil
import struct
import subprocess
import sys

import e2e

IN_OPEN, IN_NONBLOCK, IN_ISDIR = 0x20, os.O_NONBLOCK, 0x40000000
# No reader of pictures here: the bundle looks at them, and Tesseract takes its time.
RUN = ["-m", e2e.BUNDLE, "--reader", "none"]


class Opened:
    """Names of the files in a folder that anybody opens, told by the kernel (inotify)."""

    def __init__(self, folder):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(IN_NONBLOCK)
        if self.fd < 0 or self.libc.inotify_add_watch(self.fd, os.fsencode(folder), IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def names(self):
        found = []
        try:
            while data := os.read(self.fd, 65536):
                while data:
                    _, mask, _, size = struct.unpack_from("iIII", data)
                    name = data[16:16 + size].rstrip(b"\0").decode()
                    if not mask & IN_ISDIR:
                        found.append(name)
                    data = data[16 + size:]
        except BlockingIOError:
            pass
        return found

    def close(self):
        os.close(self.fd)


class Same(e2e.Case):
    def setUp(self):
        super().setUp()
        self.inbox = self.folder / "inbox"
        shutil.copytree(e2e.INBOX, self.inbox)

    def run_to(self, name, *arguments, code=1):
        self.run_weft(*RUN, "-o", name, *arguments, code=code, cwd=self.folder)
        return e2e.records(self.folder / name)

    def test_keys_and_values_in_a_file(self):
        """Where they lie changes nothing, and no file is left in the state folder."""
        first = self.run_to("memory", "inbox/annual-report.pdf", code=0)
        got = self.run_to("file", "--kv-memory", "1K", "--prefetch",
                          "inbox/annual-report.pdf", code=0)
        self.assertEqual(first, got)
        names = sorted(os.listdir(self.folder / "memory/state"))
        self.assertEqual(names, sorted(os.listdir(self.folder / "file/state")))
        self.assertNotEqual(first, self.run_to("type", "--kv-type", "bf16",
                                               "inbox/annual-report.pdf"))

    def test_threads_and_order(self):
        first = self.run_to("out1", "-j", "1", "inbox")
        self.assertEqual(len(first), len(list(self.inbox.iterdir())))
        self.assertEqual(first, self.run_to("out2", "-j", "2", "inbox"))
        self.assertEqual(first, self.run_to("out8", "-j", "8", "inbox"))
        files = [f"inbox/{path.name}" for path in self.inbox.iterdir()]
        random.Random(5).shuffle(files)
        self.assertEqual(first, self.run_to("shuffled", "-j", "3", *files))

    def test_little_memory(self):
        """The least that the limits of a document leave, with more threads than have room at once."""
        limits = ["--limit", "decoder-bytes=64M", "--limit", "raster-pixels=2000000"]
        self.assertEqual(self.run_to("plenty", *limits, "inbox"),
                         self.run_to("little", "--memory", "101M", "-j", "8", *limits, "inbox"))
        refused = self.run_weft(*RUN, "--memory", "99M", *limits, "-o", "none", "inbox", code=2,
                                cwd=self.folder)
        self.assertIn("decoder-bytes=67108864", refused.stderr)

    def test_lines_in_order(self):
        """-o -: one line for each input, in their order, equal to the record files."""
        kept = self.run_to("out", "inbox")
        files = [f"inbox/{path.name}" for path in self.inbox.iterdir()]
        random.Random(6).shuffle(files)
        done = self.run_weft(*RUN, "-j", "4", "-o", "-", *files, code=1, cwd=self.folder)
        lines = done.stdout.rstrip("\n").split("\n")  # not splitlines: U+2028 may stand in a text
        self.assertEqual([json.loads(line)["source"]["paths"] for line in lines],
                         [[name] for name in files])
        self.assertEqual({e2e.without_run(line) for line in lines}, set(kept.values()))

    def test_records_fit_their_schema(self):
        self.run_to("out", "inbox")
        schema = self.folder / "schema.json"
        schema.write_text(e2e.weft("schema", "record").stdout)
        check = e2e.SOURCE / "tests/outputs/check_record.py"
        files = [str(path) for path in e2e.record_files(self.folder / "out")]
        done = subprocess.run([sys.executable, str(check), str(schema), *files],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_unchanged_is_not_opened(self):
        first = self.run_to("out", "inbox")
        opened = Opened(self.inbox)
        self.addCleanup(opened.close)
        done = self.run_weft(*RUN, "-o", "out", "inbox", code=0, cwd=self.folder)
        self.assertEqual(opened.names(), [])
        n_files = len(list(self.inbox.iterdir()))
        self.assertIn(f"{n_files} unchanged", done.stderr)
        self.assertEqual(e2e.summary(self.folder / "out")["unchanged"], n_files)
        self.assertEqual(first, e2e.records(self.folder / "out"))
        # The watch works: a changed file is opened, and it alone.
        (self.inbox / "notes.md").write_text("Something else.")
        self.run_weft(*RUN, "-o", "out", "inbox", code=1, cwd=self.folder)
        self.assertEqual(set(opened.names()), {"notes.md"})
        self.assertEqual(e2e.summary(self.folder / "out")["unchanged"], n_files - 1)
        # Failures that are known are not new, unless one asks.
        self.run_weft(*RUN, "-o", "out", "inbox", code=0, cwd=self.folder)
        self.run_weft(*RUN, "-o", "out", "--strict", "inbox", code=1, cwd=self.folder)

    def test_touched_is_hashed_not_decoded(self):
        first = self.run_to("out", "inbox")
        os.utime(self.inbox / "notes.md", (1, 1))
        self.run_weft(*RUN, "-o", "out", "inbox", code=0, cwd=self.folder)
        self.assertEqual(first, e2e.records(self.folder / "out"))
        counts = e2e.summary(self.folder / "out")
        self.assertEqual(counts["unchanged"], counts["inputs"])

    def test_another_question_is_another_record(self):
        first = self.run_to("out", "inbox")
        self.run_weft(*RUN, "-o", "out", "-t", "inventory", "inbox", code=1, cwd=self.folder)
        both = e2e.records(self.folder / "out")
        self.assertEqual(len(both), 2 * len(first))
        self.assertLessEqual(first.items(), both.items())


if __name__ == "__main__":
    e2e.main()
