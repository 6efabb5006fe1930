"""Files that are not there any more: believed or not, marked gone, and back again."""
import pathlib
import shutil
import sqlite3

import e2e


class Lost(e2e.Case):
    N = 20

    def setUp(self):
        super().setUp()
        self.inbox = self.folder / "in"
        for i in range(self.N):
            self.put(f"{i:02}.txt", f"Buoy {i} is {'red' if i % 2 else 'green'}.\n")
        self.again(0)
        self.first = e2e.records(self.out)

    def put(self, name, text):
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def again(self, code, *more, inputs=("in",)):
        return self.run_weft("-t", "inventory", "-o", "out", *more, *inputs, code=code,
                             cwd=self.folder)

    def gone(self):
        database = sqlite3.connect(f"file:{self.out}/state/catalog.db?mode=ro", uri=True)
        try:
            return sorted(row[0].decode() for row in
                          database.execute("SELECT path FROM source WHERE gone <> 0"))
        finally:
            database.close()

    def assert_refused(self, *words, inputs=("in",)):
        summary = (self.out / "summary.json").read_bytes()
        done = self.again(3, inputs=inputs)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertIn("--accept-deletions", done.stderr)
        self.assertEqual(self.gone(), [])
        self.assertEqual(e2e.records(self.out), self.first)
        self.assertEqual((self.out / "summary.json").read_bytes(), summary)

    def test_a_tenth_is_believed(self):
        for name in ("03.txt", "07.txt"):
            (self.inbox / name).unlink()
        done = self.again(0)
        self.assertIn("2 gone", done.stderr)
        self.assertEqual(self.gone(), ["in/03.txt", "in/07.txt"])
        self.assertEqual(e2e.records(self.out), self.first)  # nothing is erased
        self.again(0)
        self.assertEqual(e2e.summary(self.out)["gone"], 0)
        # One comes back: it is looked at, not done, and not gone any more.
        self.put("07.txt", "Buoy 7 is red.\n")
        self.again(0)
        self.assertEqual(e2e.summary(self.out)["done"], 0)
        self.assertEqual(self.gone(), ["in/03.txt"])

    def test_more_is_not(self):
        for name in ("03.txt", "07.txt", "11.txt"):
            (self.inbox / name).unlink()
        self.put("new.txt", "A new one.\n")
        self.assert_refused("in: 3 of the 20 files", "15.0 %", "10 %")
        self.again(0, "--accept-deletions")
        self.assertEqual(self.gone(), ["in/03.txt", "in/07.txt", "in/11.txt"])
        self.assertEqual(e2e.summary(self.out)["done"], 1)

    def test_a_root_that_is_not_there(self):
        self.inbox.rename(self.folder / "elsewhere")
        self.assert_refused("in: 20 of the 20 files")
        self.inbox.mkdir()
        self.assert_refused("in: 20 of the 20 files")
        (self.inbox / "lost+found").mkdir()
        self.assert_refused("in: 20 of the 20 files")
        shutil.rmtree(self.inbox)
        (self.folder / "elsewhere").rename(self.inbox)
        self.again(0)
        self.assertEqual(e2e.summary(self.out)["unchanged"], self.N)

    def test_another_job_knows_the_root(self):
        self.inbox.rename(self.folder / "elsewhere")
        done = self.run_weft("-t", "inventory", "--pages", "1-2", "-o", "out", "in", code=3,
                             cwd=self.folder)
        self.assertIn("not there any more", done.stderr)
        self.inbox.mkdir()
        done = self.run_weft("-t", "inventory", "--pages", "1-2", "-o", "out", "in", code=3,
                             cwd=self.folder)
        self.assertIn("empty now", done.stderr)

    def test_what_is_left_aside_is_not_lost(self):
        self.again(0, "--exclude", "1*.txt")
        self.assertEqual(self.gone(), [])
        (self.inbox / ".weftignore").write_text("0*.txt\n")
        self.again(0)
        self.assertEqual(self.gone(), [])
        self.assertEqual(e2e.summary(self.out)["ignored"], 11)

    def test_what_is_not_covered_is_not_gone(self):
        for i in range(2, 7):
            (self.inbox / f"{i:02}.txt").unlink()
        self.again(0, inputs=("in/00.txt", "in/01.txt"))
        self.again(0, "--sample", "3")
        self.assertEqual(self.gone(), [])
        self.run_weft("-t", "inventory", "--pages", "1", "-o", "out", "in", code=0,
                      cwd=self.folder)
        self.assertEqual(self.gone(), [])

    def test_a_copy_that_is_gone_leaves_the_record(self):
        shutil.copyfile(self.inbox / "00.txt", self.inbox / "copy.txt")
        self.again(0)
        self.assertEqual(e2e.paths_of(e2e.by_name(self.out)["00.txt"]),
                         [b"in/00.txt", b"in/copy.txt"])
        (self.inbox / "00.txt").unlink()
        self.again(0)
        self.assertEqual(e2e.paths_of(e2e.by_name(self.out)["copy.txt"]), [b"in/copy.txt"])

    def test_renamed_files_are_not_lost(self):
        (self.inbox / "sub").mkdir()
        for i in range(12):
            (self.inbox / f"{i:02}.txt").rename(self.inbox / f"sub/{i:02}.md")
        self.again(0)
        summary = e2e.summary(self.out)
        self.assertEqual((summary["done"], summary["gone"]), (0, 12))
        self.assertEqual(len(e2e.record_files(self.out)), self.N)
        for path in pathlib.Path(self.out).glob("records/??/*.json"):
            self.assertEqual(path.read_text().count('"in/'), 1)


if __name__ == "__main__":
    e2e.main()
