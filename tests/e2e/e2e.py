"""What the end-to-end tests share. Python's own library only.

WEFT is the program, SOURCE the source tree; both come from meson. A program whose tests were all
skipped ends with 77.
"""
import base64
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["SOURCE"])
WEFT = os.environ["WEFT"]
BUNDLE = SOURCE / "tests/golden/scout"
INBOX = SOURCE / "examples/inbox"
HELPERS = pathlib.Path(WEFT).resolve().parent.parent / "ingest"
SHIPPED = (SOURCE / "default/config.json").exists()


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


def weft(*arguments, cwd=None, text=True, **more):
    """Runs weft to its end; stdout and stderr as text, or as bytes."""
    return subprocess.run([WEFT, *map(str, arguments)], cwd=cwd, capture_output=True, text=text,
                          timeout=500, check=False, **more)


def bound_by_permissions():
    """In the child: root keeps its name, but loses the right to pass over permissions."""
    if os.getuid() == 0:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            if prctl(24, capability, 0, 0, 0) != 0:  # PR_CAPBSET_DROP
                raise OSError(ctypes.get_errno(), "PR_CAPBSET_DROP")


def lines(done):
    """The records on stdout, in their order. A string in JSON may hold U+2028, no line feed."""
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def record_files(out):
    return sorted(pathlib.Path(out).glob("records/??/*.json"))


def without_run(text):
    """A record as text, less what may differ between runs."""
    record = json.loads(text)
    del record["run"]
    return json.dumps(record)


def records(out):
    """Name of the file -> its content without `run`."""
    return {path.name: without_run(path.read_text()) for path in record_files(out)}


def paths_of(record):
    """Where the document lies, as bytes."""
    source = record["source"]
    return ([os.fsencode(path) for path in source["paths"]] +
            [base64.b64decode(path) for path in source.get("paths_b64", [])])


def named(found):
    """Base name of each path -> record."""
    return {os.fsdecode(os.path.basename(path)): record for record in found
            for path in paths_of(record)}


def by_name(out):
    """Base name -> record, of an output folder."""
    return named(json.loads(path.read_text()) for path in record_files(out))


def items_with(record, text):
    return [item for item in record["content"] if text in (item["text"] or "")]


def place_of(item, text):
    """The anchor of the word in which `text` begins, or of the whole item."""
    first = item["text"].index(text)
    for word in item.get("words", []):
        if word["chars"][0] <= first < word["chars"][1]:
            return word["at"]
    return item["at"][0]


def summary(out):
    """The ledger of the last run, which balances whatever happened."""
    said = json.loads((pathlib.Path(out) / "summary.json").read_text())
    for name, counts in said["ledger"].items():
        assert counts["in"] == sum(counts.values()) - counts["in"], (name, counts)
    return said


def bundle_with(folder, **text_config):
    """A copy of the small bundle with some keys of its text configuration changed."""
    copy = pathlib.Path(folder) / "bundle"
    shutil.copytree(BUNDLE, copy)
    config = json.loads((copy / "config.json").read_text())
    config["text_config"].update(text_config)
    (copy / "config.json").write_text(json.dumps(config))
    return copy


def pdf(pages):
    """A PDF with these pages, each a list of lines in Latin-1."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", None,
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        text = b"BT /F1 11 Tf 14 TL 72 720 Td "
        for line in lines:
            escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            text += b"(" + escaped.encode("latin-1") + b") Tj T* "
        text += b"ET"
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text))
        objects.append(b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
                       b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(objects))
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    return assemble_pdf(objects)


def assemble_pdf(objects, trailer=b""):
    """A PDF of these objects, numbered from 1; the catalogue is the first."""
    out = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    xref = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + (b"trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" %
                  (len(objects) + 1, trailer, xref))


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    maxDiff = 2000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.out = self.folder / "out"

    def assert_code(self, done, code):
        self.assertEqual(done.returncode, code, done.stderr)

    def run_weft(self, *arguments, code, **more):
        done = weft("run", *arguments, **more)
        self.assert_code(done, code)
        return done


def main():
    result = unittest.main(argv=[sys.argv[0], "-v"], exit=False).result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if 0 < result.testsRun == len(result.skipped) else 0)
