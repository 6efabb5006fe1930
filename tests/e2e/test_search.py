"""Words are found: what was read, where it stands, and also what looks like a query and is none."""
import fcntl
import os
import pty

import e2e


class Search(e2e.Case):
    def setUp(self):
        super().setUp()
        self.pile = self.folder / "pile"
        self.pile.mkdir()
        pages = [["Page one of the ledger"], ["The giraffe was Muller's"], ["nothing more"]]
        (self.pile / "ledger.pdf").write_bytes(e2e.pdf(pages))
        (self.pile / "notes.md").write_text("The giraffe of Frau Müller.\n\nfoo-bar in C++.\n")
        (self.pile / "copy.md").write_text("The giraffe of Frau Müller.\n\nfoo-bar in C++.\n")
        self.run_weft("-q", "-t", "inventory", "-o", self.out, self.pile, code=0)

    def find(self, *arguments, code=0):
        done = e2e.weft("search", "-o", self.out, *arguments)
        self.assert_code(done, code)
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        return [(os.path.basename(path), place, words) for path, place, words in rows]

    def names(self, *arguments, code=0):
        return {path for path, _, _ in self.find(*arguments, code=code)}

    def test_words(self):
        self.assertEqual(self.names("muller"), {"ledger.pdf", "copy.md"})
        self.assertEqual(self.names("MÜLLER", "ledger"), {"ledger.pdf"})  # on two pages
        self.assertEqual(self.names("gira*"), {"ledger.pdf", "copy.md"})
        self.assertEqual(self.names('"frau muller"'), {"copy.md"})
        self.assertEqual(self.names('"muller frau"', code=1), set())
        self.assertEqual(self.names("giraffe NOT frau"), {"ledger.pdf"})

    def test_places(self):
        ((_, place, words),) = self.find("giraffe", "ledger")
        self.assertEqual(place, "p.1")
        ((_, place, words),) = self.find("more", "giraffe", "NOT", "frau")
        self.assertEqual(place, "p.2")
        self.assertIn("giraffe was", words)

    def test_no_query_is_an_error(self):
        for query in ["foo-bar", "C++", '"foo', "foo:bar", "bar)", "frau ^ -"]:
            self.assertIn(self.find(query, code=0)[0][0], {"copy.md"}, query)
        for query in ["(((", "*", "';--", "\udcff", "a:b:c", "", " "]:
            done = e2e.weft("search", "-o", self.out, "--", query)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "", ""), query)

    def test_limit(self):
        done = e2e.weft("search", "-o", self.out, "-n", "1", "giraffe")
        self.assertEqual(len(done.stdout.splitlines()), 1)
        self.assertIn("--limit", done.stderr)
        for arguments in [["-n", "0", "x"], [], ["-n", "x", "x"], ["x" * 5000]]:
            done = e2e.weft("search", "-o", self.out, *arguments)
            self.assertEqual(done.returncode, 2, arguments)

    def test_while_a_run_goes_on(self):
        with open(self.out / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertEqual(self.names("nothing"), {"ledger.pdf"})

    def test_no_catalogue(self):
        done = e2e.weft("search", "-o", self.folder / "none", "x")
        self.assert_code(done, 3)
        for file in (self.out / "state").glob("catalog.db*"):
            file.unlink()
        done = e2e.weft("search", "-o", self.out, "x")
        self.assert_code(done, 3)
        self.assertIn("rebuild-index", done.stderr)

    def test_bold_on_a_terminal(self):
        here, there = pty.openpty()
        if os.fork() == 0:
            os.dup2(there, 1)
            os.execv(e2e.WEFT, [e2e.WEFT, "search", "-o", str(self.out), "ledger"])
        os.close(there)
        shown = b""
        try:
            while piece := os.read(here, 4096):
                shown += piece
        except OSError:
            pass  # the other side is closed
        os.wait()
        os.close(here)
        self.assertIn(b"p.1\r\n    Page one of the \x1b[1mledger\x1b[0m", shown)


if __name__ == "__main__":
    e2e.main()
