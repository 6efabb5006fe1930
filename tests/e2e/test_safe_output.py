"""No document, and no name of one, talks to the terminal; records are UTF-8 JSON whatever came in.

Hostile strings stand wherever a document can have one: names, text, metadata, outline, attached
files, tags of sound and pictures. Everything that weft then prints, and every record, is searched for
characters that a terminal obeys.
"""
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import zlib

import e2e

# Set the title, clear the screen, answer back, a C1 CSI, turn the direction, end the line.
EVIL = "\x1b]0;owned\x07\x1b[2J\x05\x9b31m\u202etxt.exe\u2066\u2028\x7f x\x08\x00y"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
OWN = re.compile("\x1b\\[(K|1m|0m|1;3[13]m|2m)|\r")  # what weft itself sends to a terminal


def evil(text):
    return EVIL.replace(" x", " " + text)


def utf16(text):
    return b"<" + b"FEFF" + text.encode("utf-16-be").hex().encode() + b">"


def pdf():
    """Title, author, outline, an attachment's name and the page's own text."""
    shown = "".join(c if ord(c) < 256 else "?" for c in evil("shown"))
    text = b"BT /F1 11 Tf 72 720 Td <" + shown.encode("latin-1").hex().encode() + b"> Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R /Names << /EmbeddedFiles << /Names [" +
        utf16(evil("name")) + b" 8 0 R] >> >> >>",
        b"<< /Type /Pages /Count 1 /Kids [4 0 R] >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R "
        b"/Resources << /Font << /F1 3 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>",
        b"<< /Title " + utf16(evil("chapter")) + b" /Parent 6 0 R /Dest [4 0 R /Fit] >>",
        b"<< /Type /Filespec /F (f) /UF " + utf16(evil("attached")) + b" /EF << /F 9 0 R >> >>",
        b"<< /Type /EmbeddedFile /Length 1 >>\nstream\nx\nendstream",
        b"<< /Title " + utf16(evil("title")) + b" /Author (\x1b[31m\xff\x9b) /Subject " +
        b"<FEFFD800> /" + b"Key#1b#5b31m" + b" (value) >>",
    ]
    return e2e.assemble_pdf(objects, b" /Info 10 0 R")


def id3(frames):
    body = b"".join(name + struct.pack(">I", len(data)) + b"\0\0" + data for name, data in frames)
    size = len(body)
    return b"ID3\x03\0\0" + bytes((size >> shift) & 127 for shift in (21, 14, 7, 0)) + body


def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(64) for _ in range(64))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)) +
            chunk(b"tEXt", b"Title\0\x1b[31m\x9bowned") +
            chunk(b"iTXt", b"Author\0\0\0\0\0" + evil("artist").encode()) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Safe(e2e.Case):
    def setUp(self):
        super().setUp()
        self.pile = self.folder / "pile"
        self.pile.mkdir()
        name = EVIL.replace("/", "").replace("\0", "")
        self.files = {
            f"{name}.pdf": pdf(),
            f"{name}\n.md": ("# " + evil("heading") + "\n\nA giraffe said " + evil("word") + "\n").encode(),
            "latin.txt": b"A giraffe \x1b[31m \x9b31m \xff\xfe end\n",
            f"broken{name}.pdf": b"%PDF-1.4\n\x1b[31mnothing\n" + b"1 0 obj << /\x1b[2J \x9b >> endobj\n" * 20,
            f"{name}.docx": (e2e.INBOX / "minutes.docx").read_bytes() + b"x",
            "tags.mp3": id3([(b"TIT2", b"\x01\xff\xfe" + evil("song").encode("utf-16-le")),
                             (b"TPE1", b"\x00\x1b[31m\x9bband"),
                             (b"TXXX", b"\x00\x1b[1mkey\0\x1b[2Jvalue")]) +
                        (e2e.INBOX / "interview.mp3").read_bytes(),
            "chunks.png": png(),
        }
        for file, data in self.files.items():
            (self.pile / file).write_bytes(data)
        (self.pile / os.fsdecode(b"no\xff\xfeutf8\x1b[31m\x9b.md")).write_text("A giraffe.\n")
        self.saw = []

    def weft(self, *arguments):
        done = e2e.weft(*arguments, text=False)
        self.look(done.stdout, arguments)
        self.look(done.stderr, arguments)
        return done

    def look(self, shown, what):
        """What was printed is UTF-8 and holds nothing that a terminal obeys."""
        text = shown.decode()
        self.assertIsNone(OBEYED.search(text), f"{what}: {ascii(text)[:3000]}")
        self.saw.append(text)

    def on_a_terminal(self, *arguments):
        here, there = pty.openpty()
        process = subprocess.Popen([e2e.WEFT, *map(str, arguments)], stdout=there, stderr=there)
        os.close(there)
        shown = b""
        try:
            while piece := os.read(here, 65536):
                shown += piece
        except OSError:
            pass  # the other side is closed
        os.close(here)
        process.wait()
        self.look(OWN.sub("", shown.decode()).encode(), arguments)

    def assert_records(self):
        names = set()
        for file in e2e.record_files(self.out):
            raw = file.read_bytes()
            text = raw.decode()  # strictly
            self.assertIsNone(OBEYED.search(text[:-1]), ascii(text)[:2000])
            record = json.loads(text)
            names |= {os.path.basename(path) for path in e2e.paths_of(record)}
        self.assertEqual(names, {os.fsencode(file) for file in os.listdir(self.pile)})

    def test_everything(self):
        inventory = ["run", "-t", "inventory", "--reader", "none", "-o", self.out]
        self.weft(*inventory, self.pile)
        self.assert_records()

        self.weft(*inventory, "--log", "json", "--graph", self.pile)
        self.weft("run", "-t", "inventory", "--reader", "none", "-o", "-", self.pile)
        self.weft("run", "-m", e2e.BUNDLE, "--dry-run", "-o", self.out, self.pile)
        self.weft("show", "-o", self.out)
        for file in sorted(os.listdir(self.pile)):
            self.assertEqual(self.weft("show", "-o", self.out, self.pile / file).returncode, 0)
        for word in ["giraffe", "title", "chapter", "attached", "song", "word", "artist", "heading", EVIL[:-3]]:
            self.weft("search", "-o", self.out, "--", word)
            self.on_a_terminal("search", "-o", self.out, "--", word)
        for verb in ["status", "verify", "rebuild-index"]:
            self.assertEqual(self.weft(verb, "-o", self.out).returncode, 0)
        self.on_a_terminal("show", "-o", self.out)
        self.on_a_terminal("status", "-o", self.out)
        said = "".join(self.saw)
        for word in ["title", "chapter", "attached", "song", "word", "giraffe", "\\u202E", "\\x1B"]:
            self.assertIn(word, said)  # it was there, and was shown harmlessly

    def test_on_a_terminal(self):
        """Bar and messages; the second run over more files than are under way at once."""
        self.on_a_terminal("run", "-t", "inventory", "--reader", "none", "-o", self.out, self.pile)
        self.assert_records()

    def test_what_is_wrong(self):
        self.weft("run", "-q", "-t", "inventory", "--reader", "none", "-o", self.out, self.pile)
        for file in list(self.files)[:4]:
            (self.pile / file).write_bytes(b"other \x1b[31m")
        self.assertEqual(self.weft("verify", "-o", self.out).returncode, 1)
        shutil.rmtree(self.pile)
        self.assertEqual(self.weft("verify", "-o", self.out).returncode, 1)
        self.weft("run", "-t", "inventory", "-o", self.out, self.pile)
        self.pile.mkdir()
        self.weft("run", "-t", "inventory", "-o", self.out, "--accept-deletions", self.pile)
        self.assertEqual(self.weft("gc", "--gone", "-n", "-o", self.out).returncode, 0)
        self.assertEqual(self.weft("gc", "--gone", "-o", self.out).returncode, 0)

    def test_arguments(self):
        """Who gives them may be a script."""
        name = EVIL.replace("\0", "")
        for arguments in [[name], ["run", name], ["run", "--" + name], ["run", "-t", name, "x"],
                          ["run", "-m", name, "x"], ["run", "-o", "/dev/null/" + name, "x"],
                          ["show", "-o", name], ["show", "-o", self.out, name],
                          ["search", "-o", name, "x"], ["status", "-o", name], ["verify", "-o", name],
                          ["gc", "-o", name], ["gc", "--cache", name], ["rebuild-index", "-o", name],
                          ["plan", name], ["model", "inspect", name], ["schema", "check", name],
                          ["run", "-c", name], ["run", "--memory", name, "x"]]:
            self.weft(*arguments)


if __name__ == "__main__":
    e2e.main()
