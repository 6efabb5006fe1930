"""Folders as they are, and as somebody who means harm makes them."""
import ctypes
import os
import pathlib
import socket
import subprocess
import threading

import e2e

INVENTORY = ["-t", "inventory"]


class Walk(e2e.Case):
    def setUp(self):
        super().setUp()
        self.addCleanup(os.chdir, "/")

    def put(self, name, text=None):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if text is not None else f"The words of {name}.\n")
        return path

    def walk(self, *arguments, code=0):
        done = self.run_weft(*INVENTORY, "-o", self.out, *arguments, code=code, cwd=self.folder)
        self.summary = e2e.summary(self.out)
        # Each input is counted exactly once.
        self.assertEqual(self.summary["inputs"],
                         sum(self.summary[key] for key in
                             ("done", "partial", "failed", "skipped", "copies", "unchanged")))
        return done

    def names(self):
        return sorted(os.fsdecode(path) for record in e2e.by_name(self.out).values()
                      for path in e2e.paths_of(record))

    def test_debris(self):
        for name in ("@eaDir/a.txt", "#recycle/a.txt", ".snapshot/a.txt", ".Trash-1000/a.txt",
                     "sub/Thumbs.db", "sub/.DS_Store", "sub/~$letter.txt", "sub/kept.txt",
                     "a Thumbs.db", "snapshot/b.txt"):
            self.put("in/" + name)
        done = self.walk("in")
        self.assertEqual(self.names(), ["in/a Thumbs.db", "in/snapshot/b.txt", "in/sub/kept.txt"])
        self.assertEqual((self.summary["ignored"], self.summary["left_out"]), (7, 0))
        self.assertIn("7 ignored", done.stderr)
        # What is given is meant.
        self.walk("in/@eaDir")
        self.assertIn("in/@eaDir/a.txt", self.names())

    def test_weftignore(self):
        self.put("in/.weftignore", "# words\n*.tmp\n/top.txt\nsub/one.txt\ncache/\n!kept.tmp\n"
                                   "\\#odd.txt\n**/deep/*/x.txt\n~$*\n!.DS_Store\n")
        self.put("in/sub/.weftignore", "!two.tmp\n/three.txt\n")
        for name in ("a.tmp", "kept.tmp", "top.txt", "#odd.txt", "cache", ".DS_Store",
                     "sub/top.txt", "sub/one.txt", "sub/two.tmp", "sub/b.tmp", "sub/three.txt",
                     "sub/cache/a.txt", "sub/below/three.txt", "sub/deep/a/x.txt", "deep/b/x.txt"):
            self.put("in/" + name)
        self.walk("in")
        self.assertEqual(self.names(), [
            "in/.DS_Store", "in/cache", "in/kept.tmp", "in/sub/below/three.txt", "in/sub/top.txt",
            "in/sub/two.tmp"])
        self.assertEqual(self.summary["ignored"], 11)

    def test_a_weftignore_that_cannot_be_read(self):
        self.put("in/a.txt")
        (self.folder / "in/.weftignore").symlink_to("../elsewhere")
        self.walk("in", code=1)
        self.assertEqual(self.names(), ["in/.weftignore", "in/a.txt"])

    def test_inputs_that_overlap(self):
        for name in ("a.txt", "sub/b.txt", "sub/c/d.txt"):
            self.put("in/" + name)
        for inputs in (["in", "in/sub", "in/a.txt"], ["in/sub/c", "./in//", "in"],
                       ["in/a.txt", "in/./a.txt", "in/sub", "in"]):
            self.walk("--rehash", *inputs)
            self.assertEqual(self.summary["inputs"], 3, inputs)

    def test_order_of_paths(self):
        """In bytes of the whole path: a folder stands where its files stand."""
        for name in ("a/z.txt", "a.txt", "a-b/c.txt", "a0.txt", "B.txt"):
            self.put("in/" + name)
        done = e2e.weft("run", *INVENTORY, "-o", "-", "in", cwd=self.folder)
        found = [e2e.paths_of(record)[0] for record in e2e.lines(done)]
        self.assertEqual(found, sorted(found))
        self.assertEqual(len(found), 5)

    def test_what_is_no_file(self):
        self.put("in/a.txt")
        os.mkfifo(self.folder / "in/fifo.pdf")
        (self.folder / "in/loop").symlink_to(".")
        (self.folder / "in/itself").symlink_to("itself")
        (self.folder / "in/passwd").symlink_to("/etc/passwd")
        with socket.socket(socket.AF_UNIX) as listener:
            os.chdir(self.folder)
            listener.bind("in/socket.txt")
        made = 5
        if os.getuid() == 0:
            os.mknod(self.folder / "in/null", 0o020666, os.makedev(1, 3))
            made += 1
        self.walk("in")
        self.assertEqual(self.names(), ["in/a.txt"])
        self.assertEqual(self.summary["left_out"], made)
        # Given by their names they are refused, not waited for.
        done = self.walk("in/fifo.pdf", "in/itself", "in/socket.txt", code=1)
        self.assertEqual(self.summary["failed"], 3)
        self.assertIn("not a regular file", done.stderr)

    def test_long_paths(self):
        """20 folders of 250 bytes: a path that no system call takes."""
        deep = os.open(self.folder, os.O_RDONLY)
        path = "in"
        os.mkdir("in", dir_fd=deep)
        below = os.open("in", os.O_RDONLY, dir_fd=deep)
        for i in range(20):
            name = f"{i:02}" + "d" * 248
            os.mkdir(name, dir_fd=below)
            os.close(deep)
            deep, below = below, os.open(name, os.O_RDONLY, dir_fd=below)
            path += "/" + name
        with open(os.open("far.txt", os.O_WRONLY | os.O_CREAT, dir_fd=below), "w",
                  encoding="utf-8") as file:
            file.write("Far below.\n")
        self.walk("in")
        path += "/far.txt"
        self.assertGreater(len(path), 5000)
        self.assertEqual(self.names(), [path])
        self.assertEqual(self.summary["done"], 1)
        self.walk("in")
        self.assertEqual(self.summary["unchanged"], 1)
        # Also from a list, and gone again.
        listed = subprocess.run([e2e.WEFT, "run", *INVENTORY, "-o", self.out, "--rehash", "-0",
                                 "--files-from", "-"], input=path.encode() + b"\0",
                                cwd=self.folder, capture_output=True, check=False)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        os.unlink("far.txt", dir_fd=below)
        self.walk("--accept-deletions", "in")
        self.assertEqual(self.summary["gone"], 1)
        os.close(below)
        os.close(deep)
        subprocess.run(["rm", "-rf", self.folder / "in"], check=True)

    def test_too_many_folders(self):
        os.chdir(self.folder)
        os.mkdir("in")
        os.chdir("in")
        for _ in range(205):
            os.mkdir("d")
            os.chdir("d")
        pathlib.Path("a.txt").write_text("too far\n")
        os.chdir(self.folder)
        self.put("in/a.txt")
        done = self.walk("in", code=1)
        self.assertIn("limit 200", done.stderr)
        self.assertEqual((self.summary["done"], self.summary["failed"]), (1, 1))
        subprocess.run(["rm", "-rf", self.folder / "in"], check=True)

    def test_holes(self):
        path = self.put("in/hollow.bin", "")
        os.truncate(path, 1 << 40)
        self.put("in/a.txt")
        done = self.walk("in", code=1)
        self.assertIn("1099511627776 bytes", done.stderr)
        record = e2e.by_name(self.out)["hollow.bin"]
        self.assertEqual((record["status"], record["errors"][0]["code"]), ("failed", "limit"))
        self.walk("in")
        self.assertEqual(self.summary["known_failures"], 1)

    def test_files_without_size(self):
        self.walk("/proc/self/status", "/proc/kmsg" if os.getuid() == 0 else "/proc/uptime")
        self.assertEqual((self.summary["skipped"], self.summary["copies"]), (1, 1))

    def test_swapped_for_links(self):
        """A folder that is now a folder and now a link to one outside: nothing outside is read."""
        self.put("outside/secret.txt", "nobody may read this\n")
        for i in range(40):
            self.put(f"in/{i:02}/secret.txt", f"harmless {i}\n")
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
        is_over = threading.Event()

        def swap():
            for i in range(40):
                (self.folder / f"link{i:02}").symlink_to(self.folder / "outside")
            while not is_over.is_set():
                for i in range(40):
                    exchange(-100, os.fsencode(self.folder / f"in/{i:02}"), -100,
                             os.fsencode(self.folder / f"link{i:02}"), 2)

        swapper = threading.Thread(target=swap)
        swapper.start()
        try:
            for _ in range(8):
                done = e2e.weft("run", *INVENTORY, "-o", "-", "in", cwd=self.folder)
                self.assertIn(done.returncode, (0, 1), done.stderr)
                self.assertNotIn("nobody may read", done.stdout)
        finally:
            is_over.set()
            swapper.join()

    def test_folders_that_vanish(self):
        """Whatever comes and goes meanwhile, a run ends, and each input is counted once."""
        for i in range(200):
            self.put(f"in/{i:03}/a.txt", f"here {i}\n")
        is_over = threading.Event()

        def shake():
            while not is_over.is_set():
                for i in range(0, 200, 3):
                    os.rename(self.folder / f"in/{i:03}", self.folder / f"x{i:03}")
                    os.rename(self.folder / f"x{i:03}", self.folder / f"in/{i:03}")

        shaker = threading.Thread(target=shake)
        shaker.start()
        try:
            self.run_weft(*INVENTORY, "-o", self.out, "in", code=0, cwd=self.folder)
        finally:
            is_over.set()
            shaker.join()
        self.walk("--accept-deletions", "in")
        self.assertEqual(len(e2e.by_name(self.out)), 1)
        self.assertEqual(len(e2e.record_files(self.out)), 200)

    def test_lists(self):
        self.put("a\nb.txt")
        self.put("c.txt")
        listed = "a\nb.txt\0\0./c.txt\0c.txt\0\0"
        for arguments, text, code, words in (
                (["-0"], listed, 0, "2 done"), ([], "c.txt", 0, "1 unchanged"),
                ([], "c.txt\0", 2, "NUL"), ([], "x" * (1 << 20) + "x", 3, "more than 1048576"),
                ([], "\n\n", 0, "no files")):
            done = subprocess.run([e2e.WEFT, "run", *INVENTORY, "-o", self.out, *arguments,
                                   "--files-from", "-"], input=text, text=True, cwd=self.folder,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(words, done.stderr)

    def test_memory_of_a_list(self):
        """Less than 300 bytes a path, so that ten million take less than 3 GB."""
        peaks = []
        for n in (1000, 200_000):
            listing = self.folder / "list"
            listing.write_text("".join(f"{'d' * 80}/{i:08}.pdf\n" for i in range(n)))
            child = subprocess.Popen([e2e.WEFT, "run", *INVENTORY, "-q", "-o", self.out,
                                      "--exclude", "*", "--files-from", listing])
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(child.returncode, 0)
            peaks.append(usage.ru_maxrss * 1024)
        if "asan" not in os.environ.get("BUILD", ""):
            self.assertLess((peaks[1] - peaks[0]) / 199_000, 300)


if __name__ == "__main__":
    e2e.main()
