"""gc bounds and cleans, and erases nothing that it was not asked to erase."""
import contextlib
import fcntl
import json
import shutil
import sqlite3

import e2e


class Gc(e2e.Case):
    def setUp(self):
        super().setUp()
        self.pile = self.folder / "pile"
        self.pile.mkdir()
        for name in "abcdefghijkl":
            (self.pile / f"{name}.md").write_text(f"The word{name} of {name}.\n")
        shutil.copy(self.pile / "c.md", self.pile / "copy-of-c.md")
        (self.pile / "of-pages.pdf").write_bytes(e2e.pdf([["One"], ["Two"]]))
        self.inventory()

    def inventory(self, *more, code=0):
        self.run_weft("-q", "-t", "inventory", "-o", self.out, *more, self.pile, code=code)

    def gc(self, *arguments, code=0):
        done = e2e.weft("gc", "-o", self.out, *arguments)
        self.assert_code(done, code)
        return done

    def assert_whole(self):
        done = e2e.weft("verify", "-q", "-o", self.out)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def lose(self):
        """a.md is gone; c.md too, but not its copy."""
        (self.pile / "a.md").unlink()
        (self.pile / "c.md").unlink()
        self.inventory("--accept-deletions")

    def test_nothing_to_do(self):
        before = e2e.records(self.out)
        self.assertEqual(self.gc().stdout, "")
        self.assertEqual(self.gc("--gone").stdout, "")
        self.assertEqual(e2e.records(self.out), before)
        self.assert_whole()

    def test_gone_is_erased_when_asked(self):
        self.lose()
        crops = [self.out / "crops" / e2e.by_name(self.out)[name]["id"][7:23] for name in ("a.md", "b.md")]
        for folder in crops:
            folder.mkdir(parents=True)
            (folder / "total.png").write_bytes(b"x")
            (folder / ".total.png.tmp-0123abcd").write_bytes(b"")  # of a weft show that was killed
        before = e2e.records(self.out)
        self.gc()
        self.assertEqual([path.name for folder in crops for path in folder.iterdir()], ["total.png"] * 2)
        self.assertEqual(e2e.records(self.out), before)

        done = self.gc("--gone", "-n")
        self.assertRegex(done.stdout, r"^.*/a.md: gone, would erase record sha256:[0-9a-f]{64}\n$")
        self.assertEqual(e2e.records(self.out), before)

        done = self.gc("--gone")
        self.assertRegex(done.stdout, r"^.*/a.md: gone, erased record sha256:[0-9a-f]{64}\n$")
        left = e2e.by_name(self.out)
        self.assertEqual([folder.exists() for folder in crops], [False, True])
        self.assertEqual(len(e2e.record_files(self.out)), len(before) - 1)
        self.assertNotIn("a.md", left)
        self.assertIn("copy-of-c.md", left)
        self.assert_whole()
        self.assertEqual(e2e.weft("search", "-o", self.out, "worda").returncode, 1)
        self.assertEqual(e2e.weft("search", "-o", self.out, "wordc").returncode, 0)
        self.assertIn(" 0 gone", e2e.weft("status", "-o", self.out).stdout)
        self.assertEqual(self.gc("--gone").stdout, "")

        # What comes back is read again.
        (self.pile / "a.md").write_text("The worda of a.\n")
        self.inventory()
        self.assertIn("a.md", e2e.by_name(self.out))
        self.assert_whole()

    def test_the_catalogue_shrinks(self):
        database = self.out / "state/catalog.db"
        for i in range(12):
            (self.pile / f"long {i}.md").write_text(" ".join(f"w{i}x{n}" for n in range(4000)) + "\n")
        self.inventory()
        before = database.stat().st_size
        for i in range(12):
            (self.pile / f"long {i}.md").unlink()
        self.inventory("--accept-deletions")
        self.gc("--gone")
        # by how much depends on how the index of words was merged; without VACUUM it never shrinks
        self.assertLess(database.stat().st_size, before * 9 // 10)
        self.assertEqual(e2e.weft("search", "-o", self.out, "wordb").returncode, 0)
        self.assert_whole()

    def test_it_is_done_again_after_a_crash(self):
        """Killed between file and row, or before the manifest."""
        self.lose()
        (file,) = [file for file in e2e.record_files(self.out)
                   if json.loads(file.read_text())["source"]["paths"] == [str(self.pile / "a.md")]]
        file.unlink()
        self.gc("--gone")
        self.assert_whole()
        with contextlib.closing(sqlite3.connect(self.out / "state/catalog.db")) as catalogue:
            self.assertEqual(catalogue.execute("SELECT COUNT(*) FROM source WHERE gone != 0").fetchone(), (0,))
            self.assertEqual(catalogue.execute("SELECT COUNT(*) FROM record WHERE id = ?",
                                               ("sha256:" + file.stem,)).fetchone(), (0,))

    def test_what_killed_runs_left(self):
        left = [self.out / ".summary.json.tmp-0123abcd",
                e2e.record_files(self.out)[0].parent / ".x.json.tmp-0123abcd"]
        others = [self.out / "mine.txt", self.out / ".hidden"]
        for file in left + others:
            file.write_text("x")
        self.gc()
        self.assertEqual([file.exists() for file in left + others], [False, False, True, True])

    def test_the_cache_is_bounded(self):
        cache = self.out / "state/cache"
        def size():
            return sum(file.stat().st_blocks * 512 for file in cache.rglob("*") if file.is_file())
        self.assertGreater(size(), 4096)
        self.gc("--cache", "4K")
        self.assertLessEqual(size(), 4096)
        self.gc("--cache", "0")
        self.assertEqual(size(), 0)
        self.inventory()
        self.assert_whole()

    def test_refusals(self):
        self.gc("--cache", "much", code=2)
        for verb in ("gc", "status", "verify", "rebuild-index"):  # a folder without -o is not ./weft-out
            self.assert_code(e2e.weft(verb, self.out), 2)
        self.assert_code(e2e.weft("gc", "-o", self.folder / "none"), 3)
        self.assertFalse((self.folder / "none").exists())
        with open(self.out / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            self.gc("--gone", code=75)
            self.gc("--gone", "-n")


if __name__ == "__main__":
    e2e.main()
