"""What the fault tests share: a job, its undisturbed result, and how a folder is judged after a fault.

The promise is one sentence: whatever ends a run, at any instant, the same command run again gives
the bytes that an undisturbed run gives, and does nothing twice. It is shown by doing that:

    the reference   the job is run once, undisturbed
    a disturbed run the same job with a fault (a kill at a random instant, a call that fails)
      judged by visible(): no record file, summary or manifest is torn; a record that is there is the
      reference's, with some or all of its paths; no healthy document is blamed; the exit code
      is one that README and man page give; what ended in exit 0 or 1 is complete, by itself
    a clean run     the same command again, judged by complete(): the same set of files (so nothing
      temporary is left), the same records less `run`, manifest.sha256 right in all its lines,
      the ledger balanced, the catalogue sound and with the reference's rows
    no work twice   shim.c logs each document that is handed to a decoder; a document whose record
      lay in its place before a run began may not be in that run's log

shim.c says how calls are made to fail. Four programs use this one: test_points.py goes through all
calls in turn, test_verbs.py through those of the verbs beside run, test_storm.py kills at random
instants, test_world.py changes the world underneath (full and read-only disks, inputs that change or
vanish, a damaged catalogue, a second run).
FAULTS_LONG=1 (tests/run.sh --long) takes all points and 400 kills, FAULTS_SEED another seed.
"""
import collections
import contextlib
import hashlib
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import wave
import zlib

import e2e

SHIM = os.environ["SHIM"]
LONG = bool(os.environ.get("FAULTS_LONG"))
SEED = int(os.environ.get("FAULTS_SEED", "1"))
TIMEOUT_S = 120

DONE, SOME_FAILED, NOT_STARTED, OUTPUT, INTERRUPTED = 0, 1, 3, 74, 130
WORK_FILE = re.compile("state/work/[0-9a-f]{64}")
MANIFEST_LINE = re.compile(r"[0-9a-f]{64}  records/([0-9a-f]{2})/\1[0-9a-f]{62}\.json")

Run = collections.namedtuple("Run", "code stderr log seconds mode")


class Wrong(AssertionError):
    """A promise that was not kept."""


def promise(condition, *about):
    if not condition:
        raise Wrong(" ".join(str(part) for part in about))


# ---- folders of documents ----

def png(side=8, shade=0):
    rows = b"".join(b"\0" + bytes((x * y + shade) & 255 for x in range(side)) for y in range(side))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)),
              (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks)


def make_tiny(folder):
    """What one helper program decodes in milliseconds: text, a picture, a copy, the empty, the broken."""
    folder.mkdir()
    (folder / "a.txt").write_text("The pier was mended in May.\n")
    (folder / "b.txt").write_text("The lamp of buoy 7 is green.\n")
    (folder / "copy of a.txt").write_text("The pier was mended in May.\n")
    (folder / "dots.png").write_bytes(png())
    (folder / "broken.png").write_bytes(png()[:40])
    (folder / "empty.txt").write_bytes(b"")


def tone(path, seconds=1.0):
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(b"".join(struct.pack("<h", (i * 991) % 4001 - 2000)
                                   for i in range(int(16000 * seconds))))


def captions(path, text):
    path.write_text(f"WEBVTT\n\n00:00:00.000 --> 00:00:00.100\n<v Anna>{text}\n")


def make_meetings(folder):
    """Recordings that are one document together, one of them broken; captions beside two."""
    folder.mkdir()
    tone(folder / "may.wav", 0.2)
    captions(folder / "may.vtt", "We mend the pier.")
    tone(folder / "june.wav", 0.3)
    captions(folder / "june.wav.vtt", "The pier is mended.")
    (folder / "july.wav").write_bytes((folder / "may.wav").read_bytes()[:30])
    (folder / "notes.txt").write_text("All came.\n")


def types_task(folder):
    """A task that asks each type of document by its own schema, in a round of its own. Its path."""
    def schema(name, key):
        (folder / name).write_text(json.dumps(
            {"type": "object", "properties": {key: {"type": ["string", "null"], "maxLength": 9}},
             "required": [key], "additionalProperties": False}))
    schema("work.json", "what")
    schema("light.json", "colour")
    (folder / "types.task").write_text(
        "[task]\nprompt=Take the values out.\n[type work]\nabout=what was built\nmatch=mended\n"
        "schema=@work.json\n[type light]\nabout=lamps and buoys\nschema=@light.json\n")
    return folder / "types.task"


def make_mixed(folder):
    """A bit of everything that the helper programs read."""
    make_tiny(folder)
    (folder / "more").mkdir()
    (folder / "notes").mkdir()
    for i in range(30):
        (folder / f"notes/{i}.md").write_text(f"# Note {i}\n\nThe tide of day {i} was {i * 13 % 7} m.\n")
    for i in range(3):
        lines = [f"Line {n} of letter {i}, about barrel {n * 7}." for n in range(12)]
        (folder / f"letter {i}.pdf").write_bytes(e2e.pdf([lines] * (i + 1)))
    (folder / "broken.pdf").write_bytes(e2e.pdf([["x"]])[:200])
    shutil.copyfile(e2e.SOURCE / "tests/fuzz/corpus/picture/grey.jpg", folder / "more/grey.jpg")
    shutil.copyfile(folder / "letter 0.pdf", folder / "more/letter 0 again.pdf")
    tone(folder / "more/tone.wav")
    captions(folder / "more/tone.vtt", "This is the tone.")
    (folder / "more/unread.bin").write_bytes(bytes(range(256)))


# ---- the program ----

def slim_house(folder):
    """weft beside a single helper program: it starts in a fifth of the time."""
    house = folder / "house"
    (house / "cli").mkdir(parents=True)
    (house / "ingest").mkdir()
    built = pathlib.Path(e2e.WEFT).resolve()
    for source, target in ((built, house / "cli/weft"),
                           (e2e.HELPERS / "weft-decode-image", house / "ingest/weft-decode-image")):
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)
    (house / "tasks").symlink_to(built.parent.parent / "tasks")
    return house / "cli/weft"


def fast_folder():
    """Memory where it can be had: thousands of syncs cost nothing there."""
    memory = pathlib.Path("/dev/shm")
    is_usable = (memory.is_dir() and os.access(memory, os.W_OK) and
                 shutil.disk_usage(memory).free > 1 << 30)
    return tempfile.mkdtemp(prefix="weft-faults-", dir=memory if is_usable else None)


def sources(folder):
    """Absolute path -> SHA-256 of its content."""
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*") if path.is_file()}


class Job:
    """One command line over one folder of documents, and its undisturbed result.

    `change` alters the inputs after a first run: the job is then the second one, every run of which
    begins with what the first one left.
    """

    def __init__(self, folder, make_inputs, arguments, program=e2e.WEFT, change=None):
        self.folder = pathlib.Path(folder).resolve()
        self.inputs = self.folder / "in"
        self.folder.mkdir(exist_ok=True)
        make_inputs(self.inputs)
        self.arguments = [str(argument) for argument in arguments]
        self.program = str(program)
        # With a model all documents are looked at first; of pictures no pixels are kept until then.
        self.n_looks = 1 if "inventory" in self.arguments else 2
        self.numbers = itertools.count(1)
        self.base = None
        if change is not None:
            self.base = self.fresh()
            run = self.run(self.base)
            promise(run.code in (DONE, SOME_FAILED), "the run before:", run)
            change(self.inputs)
        self.refer()

    def refer(self):
        """The reference, its exit code and what it takes."""
        out = self.fresh()
        run = self.run(out)
        promise(run.code in (DONE, SOME_FAILED), "the undisturbed run:", run)
        self.reference = Picture(out)
        self.pictures = [self.reference] + ([Picture(self.base)] if self.base else [])
        complete(self, out)
        self.code, self.seconds = run.code, run.seconds
        self.n_calls = sum(line[0].isdigit() for line in run.log)

    def fresh(self, like=None):
        """A new output folder as another one is, or as it is before the job."""
        out = self.folder / f"out-{next(self.numbers)}"
        if like or self.base:
            shutil.copytree(like or self.base, out, symlinks=True)
        return out

    def calls(self, like=None, ops=None, under=None):
        """The numbered calls of an undisturbed run: "call path", from 1."""
        run = self.run(self.fresh(like), ops=ops, under=under)
        return [None] + [line.split(" ", 1)[1] for line in run.log if line[0].isdigit()]

    def popen(self, out, extra=(), preexec_fn=None, name=None, **fault):
        """The run. `name`: of the log, where two write to one folder."""
        return self.start(["run", "-q", *self.arguments, *extra, "-o", out.name, "in"], out, preexec_fn,
                          name, **fault)

    def start(self, arguments, out, preexec_fn=None, name=None, cwd=None, **fault):
        """Any command, in the folder that `out` lies in unless `cwd` says another."""
        log = self.folder / f"{name or out.name}.log"
        log.unlink(missing_ok=True)
        variables = {"FAULT_" + key.upper(): str(value) for key, value in fault.items()
                     if value is not None and value is not False}
        environment = {**os.environ, "LD_PRELOAD": SHIM, "FAULT_UNDER": str(out),
                       "FAULT_INPUTS": str(self.inputs), "FAULT_LOG": str(log), **variables}
        return subprocess.Popen([self.program, *map(str, arguments)], cwd=cwd or self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                start_new_session=True, env=environment, preexec_fn=preexec_fn)

    def end(self, process, out, mode=None, name=None):
        """Waits for the end; a run that does not end breaks the promise."""
        begin = time.monotonic()
        try:
            stderr = process.communicate(timeout=TIMEOUT_S)[1].decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Wrong(f"no end after {TIMEOUT_S} s") from None
        log = self.folder / f"{name or out.name}.log"
        lines = log.read_text(errors="surrogateescape").splitlines() if log.exists() else []
        return Run(process.returncode, stderr, lines, time.monotonic() - begin, mode)

    def run(self, out, extra=(), preexec_fn=None, **fault):
        return self.end(self.popen(out, extra, preexec_fn, **fault), out, fault.get("mode"))


class Case(e2e.Case):
    """Tests of a job that takes 30 ms: `inventory` over six small files, in memory."""

    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(fast_folder())
        cls.addClassCleanup(shutil.rmtree, cls.root, ignore_errors=True)
        cls.program = slim_house(cls.root)

    @classmethod
    def new_job(cls, make_inputs=make_tiny, change=None):
        return Job(tempfile.mkdtemp(dir=cls.root), make_inputs, ["-t", "inventory", "-j", "2"],
                   cls.program, change)


# ---- what is on the disk ----

def state_rows(out):
    """Path -> id, as the catalogue has it; None: no catalogue, or one that is being made."""
    database = out / "state/catalog.db"
    if not database.exists():
        return None
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:  # to look must leave no traces
        for name in ("catalog.db", "catalog.db-wal", "catalog.db-journal"):
            if database.with_name(name).exists():
                shutil.copyfile(database.with_name(name), pathlib.Path(folder) / name)
        with contextlib.closing(sqlite3.connect(pathlib.Path(folder) / "catalog.db")) as connection:
            try:
                sound = connection.execute("PRAGMA integrity_check").fetchall()
            except sqlite3.Error as error:
                raise Wrong(f"the catalogue: {error}") from None
            promise(sound == [("ok",)], "the catalogue:", sound)
            tables = {name for name, in connection.execute("SELECT name FROM sqlite_master")}
            if "source" not in tables:
                return None
            return dict(connection.execute(
                "SELECT path, id FROM source WHERE gone = 0 ORDER BY rowid"))


def record_texts(out):
    found = {}
    for path in e2e.record_files(out):
        try:
            text = path.read_bytes()
        except OSError as error:
            raise Wrong(f"a record that can't be read: {error}") from None
        try:
            record = json.loads(text)
        except ValueError as error:
            raise Wrong(f"a torn record, {path.name}: {error}") from None
        promise(text.endswith(b"}\n"), "a record without its end:", path.name)
        promise(record["id"] == "sha256:" + path.stem, "a record in a wrong place:", path.name)
        record.pop("run")
        found[path.name] = record
    return found


def hides(path):
    """What differs between runs by right: SQLite's own, who is alive, and what was read and may be
    used again, as far as there was room for it."""
    return (path.name.startswith("catalog.db") or "runs" in path.parts or
            (path.parts[:2] == ("state", "cache") and re.fullmatch("[0-9a-f]{64}", path.name)))


class Picture:
    """All of an output folder that two runs must have in common."""

    def __init__(self, out):
        self.records = record_texts(out)
        self.files = sorted(str(path.relative_to(out)) for path in out.rglob("*")
                            if (path.is_file() or path.is_symlink()) and
                            not hides(path.relative_to(out)))
        self.rows = state_rows(out)


def paths_taken(record):
    """A record without its paths, and the paths."""
    source = {**record["source"]}
    paths = source.pop("paths", []) + source.pop("paths_b64", [])
    return {**record, "source": source}, set(paths)


def check_manifest(out):
    lines = (out / "manifest.sha256").read_text().splitlines()
    sums = {line[66:]: line[:64] for line in lines}
    now = {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
           for path in e2e.record_files(out)}
    promise(sums == now, "manifest.sha256 is not of these records:", sorted(sums.items() ^ now.items()))


def check_ledger(out):
    summary = e2e.summary(out)
    ended = sum(summary.get(key, 0) for key in ("done", "partial", "failed", "skipped", "copies",
                                                "unchanged", "elsewhere", "left"))
    promise(summary["inputs"] == ended, "the ledger does not balance:", summary)


def visible(job, out):
    """Nothing that can be seen is torn or wrong, whatever is missing. Gives the records' names."""
    records = record_texts(out)
    for name, record in records.items():
        due = [picture.records[name] for picture in job.pictures if name in picture.records]
        promise(due, "a record that no undisturbed run makes:", json.dumps(record)[:600])
        rest, paths = paths_taken(record)
        promise(any(rest == paths_taken(other)[0] for other in due), "another record:",
                json.dumps(rest)[:900])
        paths_due = set().union(*(paths_taken(other)[1] for other in due))
        promise(paths <= paths_due, "wrong paths:", paths, paths_due)
    if (out / "summary.json").exists():
        promise(e2e.summary(out)["weft"] == 1, "the summary")
    if (out / "manifest.sha256").exists():
        text = (out / "manifest.sha256").read_text()
        promise(all(MANIFEST_LINE.fullmatch(line) for line in text.split("\n")[:-1]) and
                text.endswith("\n"), "a torn manifest")
    return set(records)


def complete(job, out, has_failed=False, needs_catalogue=True):
    """As if nothing had happened. A catalogue that SQLite could not read may be gone, and what a run
    with a failing disk could not put into the cache or away is for the next one."""
    picture, due = Picture(out), job.reference
    files = [name for name in picture.files if not (has_failed and WORK_FILE.fullmatch(name))]
    promise(picture.records.keys() == due.records.keys(), "records missing or more:",
            sorted(picture.records.keys() ^ due.records.keys()))
    for name, record in picture.records.items():
        promise(record == due.records[name], "another record:", json.dumps(record)[:900],
                "instead of", json.dumps(due.records[name])[:900])
    promise(files == due.files, "files missing or left behind:", sorted(set(files) ^ set(due.files)))
    promise(picture.rows == due.rows or (picture.rows is None and not needs_catalogue), "the catalogue has other rows:", picture.rows, due.rows)
    check_manifest(out)
    check_ledger(out)


def finished(out):
    """SHA-256 of the documents whose record lies in its place and is there to stay, and of their parts."""
    return {source.get("sha256") for record in record_texts(out).values()
            for source in (record["source"], *record["source"].get("parts", []))}


def decoded_in(job, run):
    """SHA-256 of the documents that a run has handed to decoders."""
    contents = sources(job.inputs)
    return [contents[line.split(" ", 1)[1]] for line in run.log if line.startswith("decode ")]


def check_not_twice(job, run, before):
    """`before`: what finished() said before the run."""
    decoded = decoded_in(job, run)
    again = [sha for sha in decoded if sha in before]
    promise(not again, len(again), "finished documents decoded again, of", len(decoded))
    promise(all(n <= job.n_looks for n in collections.Counter(decoded).values()),
            "a document decoded more than", job.n_looks, "times in one run")
    return len(decoded)


def check_syncs(out, run):
    """What a failed sync leaves on the disk nobody knows: asking once more may say that all is well
    (PostgreSQL learned it in 2018). The catalogue may lose its last rows."""
    for line in run.log:
        if run.mode in ("eio", "enospc", "erofs") and line.endswith(" *") and (
                line.split(" ")[1] in ("fsync", "fdatasync", "syncfs") and f"{out}/state" not in line):
            promise(run.code not in (DONE, SOME_FAILED), f"a failed sync, and exit {run.code}:", line)


def judge(job, out, run, allowed):
    """A disturbed run by itself."""
    promise(run.code in allowed, f"exit {run.code}, not one of {allowed}:", run.stderr)
    if run.code in (NOT_STARTED, OUTPUT):
        said = [line for line in run.stderr.splitlines() if line.startswith("weft run: ")]
        promise(len(said) == 1, "not one line that says what is wrong:", repr(run.stderr))
    if run.code == NOT_STARTED:
        promise(not any(line.startswith("decode ") for line in run.log),
                "exit 3 (nothing could start) of a run that had started:", run.stderr)
    if not out.exists():
        promise(run.code not in (DONE, SOME_FAILED), "complete without output")
        return
    check_syncs(out, run)
    visible(job, out)
    if run.code in (DONE, SOME_FAILED):
        try:
            complete(job, out, has_failed=run.mode in ("eio", "enospc", "erofs", "short"),
                     needs_catalogue=run.mode != "eio")
        except Wrong as error:
            raise Wrong(f"exit {run.code}, and it is not complete: {error}") from None


def recover(job, out, is_told=False):
    """The clean run after it, which tells of failures that no run `is_told` to have told of: one that
    came to its end wrote a summary. Gives how many documents it decoded."""
    before = finished(out) if out.exists() else set()
    is_told = is_told or (out / "summary.json").exists()
    run = job.run(out)
    promise(run.code in ((DONE, SOME_FAILED) if is_told else (job.code,)),
            f"the clean run: exit {run.code}:", run.stderr)
    n_decoded = check_not_twice(job, run, before)
    complete(job, out)
    return n_decoded


def survivors(session):
    """Processes of a session that still run (not those that are dead and not waited for)."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(name)
    return found


def await_none(session):
    """The helper programs and their workers follow the one that started them."""
    deadline = time.monotonic() + 10
    while survivors(session):
        promise(time.monotonic() < deadline, "still there:", survivors(session))
        time.sleep(0.005)


class Findings:
    """Broken promises of a loop, told all at once: one line each, the first ones in full."""

    def __init__(self, test):
        self.test, self.found, self.n_runs = test, [], 0

    def add(self, what, error):
        self.found.append(f"{what}: {error}")

    @contextlib.contextmanager
    def of(self, what, n_runs=2):
        """Around one turn of the loop, which is so many runs."""
        self.n_runs += n_runs
        try:
            yield
        except Wrong as error:
            self.add(what, error)

    def end(self, sentence):
        sys.stderr.write(f"{sentence}, {self.n_runs} runs, {len(self.found)} findings\n")
        if self.found:
            self.test.fail(f"{len(self.found)} findings\n" + "\n".join(
                line[:1500] for line in self.found[:10]))


def dice(name):
    return random.Random(f"{SEED} {name}")
