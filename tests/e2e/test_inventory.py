"""A look at every file before the model is asked about the first: what it finds, and that it changes no
record."""
import contextlib
import json
import shutil
import signal
import sqlite3
import subprocess
import time

import e2e
import journal


def by_path(records):
    """First path -> record without its id: the two tasks are called differently."""
    found = {}
    for text in records.values():
        record = json.loads(text)
        del record["id"]
        found[record["source"]["paths"][0]] = record
    return found


class Inventory(e2e.Case):
    def setUp(self):
        super().setUp()
        self.pile = self.folder / "pile"
        self.pile.mkdir()

    def write_pile(self, n=6):
        for i in range(n):
            (self.pile / f"{i}.pdf").write_bytes(e2e.pdf([[f"Harbour number {i}, page {p}", f"word{i}x{p}"]
                                                          for p in range(3)]))
        (self.pile / "note.txt").write_text("The pilot's number is 4711.\n")
        (self.pile / "broken.pdf").write_bytes(b"%PDF-1.4\nno more")
        (self.pile / "empty.txt").write_bytes(b"")

    def found_rows(self):
        path = self.out / "state/catalog.db"
        if not path.exists():
            return 0
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as database:
            try:
                return database.execute("SELECT count(*) FROM found").fetchone()[0]
            except sqlite3.OperationalError:
                return 0

    def finds(self, word):
        return e2e.weft("search", "-o", self.out, word, cwd=self.folder).stdout

    def without_inventory(self, *arguments):
        """The records of the same task without the look, under their paths."""
        task = self.folder / "index.task"
        shutil.copyfile(e2e.SOURCE / "tasks/index.task", task)
        for name in ("index.md", "index.schema.json"):
            shutil.copyfile(e2e.SOURCE / "tasks" / name, self.folder / name)
        text = task.read_text()
        self.assertIn("inventory=true\n", text)
        task.write_text(text.replace("inventory=true\n", ""))
        plain = self.folder / "plain"
        self.run_weft("-q", "-t", task, "-o", plain, *arguments, "pile", code=1, cwd=self.folder)
        self.assertEqual(e2e.summary(plain)["found"], 0)
        return e2e.records(plain)

    def killed_when(self, is_time, *arguments):
        process = subprocess.Popen([e2e.WEFT, "run", "-q", "-o", str(self.out), *map(str, arguments)],
                                   stderr=subprocess.DEVNULL, cwd=self.folder)
        deadline = time.monotonic() + 120
        while not is_time() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        self.assertEqual(process.wait(), -signal.SIGKILL, "the run had ended before it was killed")

    def test_the_task_opens_no_model(self):
        self.write_pile()
        self.run_weft("-t", "inventory", "-m", self.folder / "no-model", "-o", self.out, "pile", code=1,
                      cwd=self.folder)
        self.assertEqual(e2e.summary(self.out)["done"], 7)

    def test_the_first_night(self):
        """A model that can't be opened ends the run at the first question: all has been found by then."""
        self.write_pile()
        bundle = e2e.bundle_with(self.folder)
        weights = bundle / "model.safetensors"
        weights.rename(self.folder / "weights")
        self.run_weft("-m", bundle, "--reader", "none", "-o", self.out, "pile", code=3, cwd=self.folder)
        self.assertEqual(e2e.record_files(self.out), [])
        self.assertEqual(self.found_rows(), 9)
        self.assertRegex(e2e.weft("status", "-o", self.out, cwd=self.folder).stdout,
                         "found +9 more files, not yet done")
        for i in range(6):
            self.assertIn(f"{i}.pdf", self.finds(f"word{i}x2"))
        self.assertIn("note.txt", self.finds("4711"))
        self.assertEqual(len(journal.in_cache(self.out)), 7)
        # What was decoded then is not decoded again.
        (self.folder / "weights").rename(weights)
        self.run_weft("-q", "-m", bundle, "--reader", "none", "-o", self.out, "pile", code=1,
                      cwd=self.folder)
        self.assertEqual(e2e.summary(self.out)["pages_kept"], 18)
        self.assertEqual(e2e.records(self.out).values() and len(e2e.record_files(self.out)), 9)
        self.assertEqual(self.found_rows(), 0)
        self.assertIn("note.txt", self.finds("4711"))

    def test_killed_within_and_after(self):
        self.write_pile(60)
        arguments = ["-m", e2e.BUNDLE, "--reader", "none", "-j", "1", "pile"]
        whole = self.folder / "whole"
        self.run_weft("-q", "-o", whole, *arguments, code=1, cwd=self.folder)
        self.killed_when(lambda: self.found_rows() > 5, *arguments)
        self.assertEqual(e2e.record_files(self.out), [])
        n_before = self.found_rows()
        self.killed_when(lambda: e2e.record_files(self.out), *arguments)
        self.assertEqual(self.found_rows(), 63)
        self.assertLess(n_before, 63)
        self.run_weft("-q", "-o", self.out, *arguments, code=1, cwd=self.folder)
        self.assertEqual(e2e.summary(self.out)["found"], 0)
        self.assertEqual({name: text.replace(str(whole), "") for name, text in e2e.records(whole).items()},
                         e2e.records(self.out))
        self.assertEqual(journal.in_work(self.out), [])

    def test_a_file_that_went_before_its_turn(self):
        self.write_pile()
        arguments = ["-m", e2e.BUNDLE, "--reader", "none", "-j", "1", "pile"]
        self.killed_when(lambda: self.found_rows() >= 9, *arguments)
        (self.pile / "note.txt").unlink()
        self.assertIn("note.txt", self.finds("4711"))
        self.run_weft("-q", "-o", self.out, *arguments, "--accept-deletions", code=1, cwd=self.folder)
        self.assertNotIn("note.txt", self.finds("4711"))

    @e2e.needs("pdfunite")
    def test_records_are_the_same(self):
        """Pages with text between scanned ones, pictures, sound and video, by each reader."""
        for name in ("chart.png", "interview.mp3", "slides-talk.mp4", "notes.md", "photo.jpg"):
            if (e2e.INBOX / name).exists():
                shutil.copyfile(e2e.INBOX / name, self.pile / name)
        plain = self.folder / "plain.pdf"
        plain.write_bytes(e2e.pdf([["Between the letters"], ["a second page"], []]))
        letter = e2e.INBOX / "scanned-letter.pdf"
        subprocess.run(["pdfunite", plain, letter, plain, letter, e2e.INBOX / "annual-report.pdf",
                        self.pile / "mixed.pdf"], check=True)
        (self.pile / "broken.pdf").write_bytes(b"%PDF-1.4\nno more")
        readers = ["none"] + (["tesseract"] if shutil.which("tesseract") else [])
        for reader in readers:
            shutil.rmtree(self.out, ignore_errors=True)
            shutil.rmtree(self.folder / "plain", ignore_errors=True)
            arguments = ["-m", e2e.BUNDLE, "--reader", reader]
            self.run_weft("-q", "-o", self.out, *arguments, "pile", code=1, cwd=self.folder)
            kept = e2e.summary(self.out)["pages_kept"]
            self.assertGreaterEqual(kept, 5)
            self.assertLess(kept, e2e.summary(self.out)["pages"])
            self.assertEqual(by_path(e2e.records(self.out)),
                             by_path(self.without_inventory(*arguments)))


if __name__ == "__main__":
    e2e.main()
