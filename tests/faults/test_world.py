"""The world changes under a run: the disk fills, inputs change or vanish, somebody deletes. faults.py.

Where a change must come between two steps of weft, the shim stops the process before a numbered call
(FAULT_MODE=stop), the test changes what it likes, and lets it go on.
"""
import ctypes
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest

import e2e
import faults
from faults import DONE, NOT_STARTED, OUTPUT, SOME_FAILED, promise

LOCKED = 75
ENDS = (DONE, SOME_FAILED)
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
TEN_YEARS_S = 10 * 365 * 86400
# Coarser than the ticks in which a file system counts, 1 to 10 ms.
TICK_S = 0.02


def own_mounts():
    """A mount namespace of our own, so that what is mounted here is seen and left nowhere else."""
    libc = ctypes.CDLL(None, use_errno=True)
    return (os.getuid() == 0 and libc.unshare(CLONE_NEWNS) == 0 and
            libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0)


def mount(*arguments):
    done = subprocess.run(["mount", *map(str, arguments)], check=False, capture_output=True)
    return done.returncode == 0


CAN_MOUNT = own_mounts()
needs_mounts = unittest.skipUnless(CAN_MOUNT, "mounting needs root")


class World(faults.Case):
    def stopped_at(self, job, out, at, **fault):
        """A run that waits before a numbered call, and the file that the call is about."""
        process = job.popen(out, at=at, mode="stop", **fault)
        found = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self.assertEqual(found.si_code, os.CLD_STOPPED, f"no call {at}")
        line, = [line for line in (job.folder / f"{out.name}.log").read_text().splitlines()
                 if line.endswith(" *")]
        return process, faults.pathlib.Path(line.removesuffix(" *").split(" ", 2)[2])

    @staticmethod
    def go_on(job, out, process):
        os.kill(process.pid, signal.SIGCONT)
        return job.end(process, out)

    def every(self, n_all, n_short):
        """Numbers from 1 on, some of them in the short form."""
        return range(1, n_all + 1, 1 if faults.LONG else max(1, n_all // n_short))

    # ---- the disk ----

    def fill(self, job, found, option, sizes):
        for size in sizes:
            out = job.fresh()
            out.mkdir()
            if not mount("-t", "tmpfs", "-o", f"{option}={size},mode=0700", "tmpfs", out):
                self.skipTest("tmpfs can't be mounted")
            with found.of(f"{option}={size}"):
                faults.judge(job, out, job.run(out), (*ENDS, OUTPUT, NOT_STARTED))
                mount("-o", "remount,size=64m,nr_inodes=10000", out)
                faults.recover(job, out)
            subprocess.run(["umount", "-l", out], check=False)

    @needs_mounts
    def test_a_small_disk_that_fills(self):
        job, found = self.new_job(), faults.Findings(self)
        self.fill(job, found, "size", [f"{4 * n}k" for n in self.every(110, 8)])
        self.fill(job, found, "nr_inodes", [n + 1 for n in self.every(28, 6)])
        found.end("small disks")

    @needs_mounts
    def test_a_read_only_disk(self):
        job = self.new_job()
        out = job.fresh()
        out.mkdir()
        if not mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", out):
            self.skipTest("tmpfs can't be mounted")
        self.addCleanup(subprocess.run, ["umount", "-l", out], check=False)
        for _ in range(2):  # before the first run, and after it
            self.assertTrue(mount("-o", "remount,ro", out))
            run = job.run(out)
            self.assertEqual(run.code, NOT_STARTED, run.stderr)
            faults.judge(job, out, run, (NOT_STARTED,))
            self.assertTrue(mount("-o", "remount,rw", out))
            faults.recover(job, out)

    def test_an_output_without_permission(self):
        job = self.new_job(change=lambda folder: (folder / "later.txt").write_text("The last ferry.\n"))
        for closed in (".", "records", "state"):
            out = job.fresh()
            os.chmod(out / closed, 0o500)
            run = job.run(out, preexec_fn=e2e.bound_by_permissions)
            os.chmod(out / closed, 0o700)
            with self.subTest(closed):
                self.assertIn(run.code, (OUTPUT, NOT_STARTED), run.stderr)
                faults.judge(job, out, run, (OUTPUT, NOT_STARTED))
                faults.recover(job, out)

    # ---- the clock ----

    def test_a_clock_that_is_set_back(self):
        job = self.new_job()
        calls = len(job.calls())
        for at in self.every(calls, 6):
            out = job.fresh()
            faults.judge(job, out, job.run(out, at=at, mode="kill", clock_s=TEN_YEARS_S),
                         (*ENDS, -signal.SIGKILL))
            before = faults.finished(out) if out.exists() else set()
            run = job.run(out, clock_s=-TEN_YEARS_S)
            self.assertIn(run.code, ENDS, run.stderr)
            faults.check_not_twice(job, run, before)
            faults.complete(job, out)
        again = job.run(out, clock_s=TEN_YEARS_S)
        self.assertEqual([line for line in again.log if line.startswith("decode ")], [])

    # ---- inputs ----

    @staticmethod
    def make_three(folder):
        folder.mkdir()
        (folder / "a.txt").write_text("The pier was mended in May.\n")
        (folder / "b.txt").write_text("The lamp of buoy 7 is green.\n")
        (folder / "copy of a.txt").write_text("The pier was mended in May.\n")

    CHANGES = {
        "other bytes, same size, time restored": lambda path, old: World.rewrite(path, old.swapcase()),
        "longer": lambda path, old: path.write_bytes(old * 3),
        "longer, time restored": lambda path, old: World.rewrite(path, old * 3),
        "shorter": lambda path, old: path.write_bytes(old[:9]),
        "empty": lambda path, old: path.write_bytes(b""),
        "replaced": lambda path, old: World.replace(path, old.upper()),
    }

    @staticmethod
    def rewrite(path, data):
        before = path.stat()
        time.sleep(TICK_S)
        with open(path, "r+b") as file:
            file.write(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    @staticmethod
    def replace(path, data):
        path.with_name("new").write_bytes(data)
        path.with_name("new").replace(path)

    @staticmethod
    def check_of_one_piece(out, texts):
        """Each record holds the text that its hash is of."""
        for record in faults.record_texts(out).values():
            sha = record["source"].get("sha256")
            if sha is None:
                promise({error["code"] for error in record["errors"]} <= {"changed", "io"} and
                        record["status"] == "failed", "a record without hash:", record)
            elif record["status"] == "ok":
                promise(sha in texts, "the hash of no version:", record["source"])
                text = "\n".join(item["text"] for item in record["content"])
                promise(text == texts[sha], "text", repr(text), "with the hash of", repr(texts[sha]))

    def change_at(self, job, at, ops, change):
        """The file that the call is about becomes another one just before it."""
        originals = {path: path.read_bytes() for path in job.inputs.iterdir()}
        texts = {hashlib.sha256(data).hexdigest(): data.decode().strip() for data in originals.values()}
        out = job.fresh()
        process, path = self.stopped_at(job, out, at, ops=ops, under=job.inputs)
        try:
            if path.is_dir():
                return
            change(path, originals[path])
            data = path.read_bytes()
            texts[hashlib.sha256(data).hexdigest()] = data.decode().strip()
            run = self.go_on(job, out, process)
            promise(run.code in ENDS, f"exit {run.code}:", run.stderr)
            faults.check_ledger(out)
            self.check_of_one_piece(out, texts)
            again, fresh = job.run(out), job.fresh()
            promise(again.code in ENDS, f"exit {again.code} of the run after it:", again.stderr)
            self.check_of_one_piece(out, texts)
            job.run(fresh)
            now = {name: record for name, record in faults.record_texts(out).items()
                   if faults.paths_taken(record)[1]}
            promise(now == faults.record_texts(fresh), "another output:", now)
            faults.check_manifest(out)
        finally:
            process.kill()
            process.communicate()
            for path, data in originals.items():
                path.write_bytes(data)

    def test_inputs_that_change(self):
        job, found = self.new_job(self.make_three), faults.Findings(self)
        for ops in ("open", "read", "hand"):
            n_calls = len(job.calls(ops=ops, under=job.inputs)) - 1
            self.assertGreater(n_calls, 1, ops)
            for what, change in self.CHANGES.items():
                for at in self.every(n_calls, 2):
                    with found.of(f"{what} before {ops} {at}", n_runs=3):
                        self.change_at(job, at, ops, change)
        found.end("changing inputs")

    def test_inputs_that_vanish(self):
        """Between listing and opening, and while they are read; then they are there again."""
        job, found = self.new_job(), faults.Findings(self)
        for ops in ("open", "read", "hand"):
            for at in self.every(len(job.calls(ops=ops, under=job.inputs)) - 1, 3):
                out = job.fresh()
                process, path = self.stopped_at(job, out, at, ops=ops, under=job.inputs)
                away = job.folder / "away"
                path.rename(away)
                run = self.go_on(job, out, process)
                away.rename(path)
                with found.of(f"{path.name} before {ops} {at}"):
                    promise(run.code in (*ENDS, NOT_STARTED), f"exit {run.code}:", run.stderr)
                    faults.recover(job, out)
        found.end("vanishing inputs")

    def test_inputs_that_cannot_be_read(self):
        """A document is not blamed for its disk: it is read by the next run."""
        job, found = self.new_job(), faults.Findings(self)
        for ops in ("open", "read"):
            for at in self.every(len(job.calls(ops=ops, under=job.inputs)) - 1, 4):
                for forever in (False, True):
                    out = job.fresh()
                    run = job.run(out, at=at, mode="eio", forever=forever, ops=ops, under=job.inputs)
                    with found.of(f"EIO{' for ever' if forever else ''} at {ops} {at}"):
                        promise(run.code in (*ENDS, NOT_STARTED), f"exit {run.code}:", run.stderr)
                        faults.recover(job, out)
        found.end("unreadable inputs")

    # ---- the output folder ----

    def test_an_output_folder_that_goes_away(self):
        """Removed or moved under the run: it does not say that it is done."""
        job, found = self.new_job(), faults.Findings(self)
        calls = job.calls()
        last = max(i for i, call in enumerate(calls) if call and call.endswith("/manifest.sha256"))
        for at in self.every(last, 10):
            for how in ("removed", "moved", "state removed"):
                out = job.fresh()
                process, _ = self.stopped_at(job, out, at)
                if how == "moved" and out.exists():
                    out.rename(out.with_name(out.name + "-moved"))
                else:
                    shutil.rmtree(out / "state" if how == "state removed" else out, ignore_errors=True)
                with found.of(f"{how} before {at}, {calls[at]}"):
                    run = self.go_on(job, out, process)
                    if how == "state removed" and run.code in ENDS:
                        faults.check_manifest(out)  # and what lay in the catalogue is lost
                    else:
                        faults.judge(job, out, run, (*ENDS, OUTPUT, NOT_STARTED))
                    faults.recover(job, out, is_told=how == "state removed")  # marks are there
        found.end("output folders that go away")

    def damages(self):
        """Name -> what is done to STATE/catalog.db."""
        dice = faults.dice("catalogue")

        def scribble(path):
            data = bytearray(path.read_bytes())
            for _ in range(dice.randrange(1, 60)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            path.write_bytes(data)

        def version(number):
            def change(path):
                with sqlite3.connect(path) as connection:
                    connection.execute(f"PRAGMA user_version = {number}")
            return change

        def other_tables(path):
            path.unlink()
            with sqlite3.connect(path) as connection:
                connection.execute("CREATE TABLE record (number INTEGER)")

        wal = ("-wal", "-shm", "-journal")
        damages = {
            "deleted": lambda path: path.unlink(),
            "state deleted": lambda path: shutil.rmtree(path.parent),
            "emptied": lambda path: path.write_bytes(b""),
            "not a database": lambda path: path.write_text("hello\n" * 3000),
            "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2),
            "cut within a page": lambda path: os.truncate(path, path.stat().st_size - 1000),
            "header of zeros": lambda path: path.write_bytes(bytes(100) + path.read_bytes()[100:]),
            "pages of zeros": lambda path: path.write_bytes(path.read_bytes()[:4096] +
                                                            bytes(path.stat().st_size - 4096)),
            "version 99": version(99), "version 0": version(0), "version 1": version(1),
            "other tables": other_tables,
            **{f"garbage beside it, {end}": (lambda path, end=end: path.with_name(
                path.name + end).write_bytes(dice.randbytes(9000))) for end in wal},
        }
        for i in range(40 if faults.LONG else 6):
            damages[f"scribbled on, {i}"] = scribble
        return damages

    def test_a_damaged_catalogue(self):
        """It is an index: what it said is found again, at the latest by a second run, and nothing
        is done twice. Damage that SQLite does not see stays for `weft verify`."""
        job, found = self.new_job(), faults.Findings(self)
        whole = job.fresh()
        job.run(whole)
        before = faults.finished(whole)
        for name, damage in self.damages().items():
            out = job.fresh(whole)
            damage(out / "state/catalog.db")
            with found.of(name):
                for allowed in ((*ENDS, OUTPUT, NOT_STARTED), ENDS):
                    run = job.run(out)
                    promise(run.code in allowed, f"exit {run.code}:", run.stderr)
                    faults.check_not_twice(job, run, before)
                promise(faults.record_texts(out) == job.reference.records, "other records")
                faults.check_manifest(out)
        found.end("damaged catalogues")

    def test_a_catalogue_that_is_a_folder(self):
        job = self.new_job()
        out = job.fresh()
        (out / "state/catalog.db").mkdir(parents=True)
        faults.judge(job, out, job.run(out), (NOT_STARTED,))

    def test_a_damaged_record(self):
        """Its document is read again when it is looked at, and keeps its copies' paths."""
        job = self.new_job()
        whole = job.fresh()
        job.run(whole)
        name = next(name for name, record in job.reference.records.items()
                    if len(record["source"]["paths"]) == 2)
        for damage in (lambda data: b"", lambda data: data[:len(data) // 2], lambda data: b"\0" * 900):
            out = job.fresh(whole)
            path = out / "records" / name[:2] / name
            path.write_bytes(damage(path.read_bytes()))
            os.utime(job.inputs / "a.txt")
            run = job.run(out)
            self.assertIn(run.code, ENDS, run.stderr)
            faults.complete(job, out)

    # ---- another run ----

    def test_a_second_run(self):
        job = self.new_job()
        calls = job.calls()
        lock = next(i for i, call in enumerate(calls) if call and call.endswith("/lock"))
        for at in [lock + n for n in self.every(len(calls) - lock - 1, 8)]:
            out = job.fresh()
            process, _ = self.stopped_at(job, out, at)
            second = subprocess.run([self.program, "run", *job.arguments, "-o", out.name, "in"],
                                    cwd=job.folder, capture_output=True, text=True, check=False,
                                    timeout=faults.TIMEOUT_S)
            self.assertEqual(second.returncode, LOCKED, second.stderr)
            self.assertIn("another run", second.stderr)
            if at % 2:
                run = self.go_on(job, out, process)
                faults.judge(job, out, run, ENDS)
            else:  # the lock goes with the process, not with the file
                os.killpg(process.pid, signal.SIGKILL)
                job.end(process, out)
                faults.recover(job, out)


if __name__ == "__main__":
    e2e.main()
