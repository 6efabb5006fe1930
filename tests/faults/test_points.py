"""A fault at every call in turn that changes the output folder, then a clean run: faults.py.

Each loop goes through the calls that an undisturbed run makes; they are numbered by shim.c. The
job is `inventory` over six small files, which takes 30 ms. The short form takes one call of each sort.
"""
import concurrent.futures
import itertools
import os
import re
import shutil
import signal
import threading

import e2e
import faults
from faults import DONE, NOT_STARTED, OUTPUT, SOME_FAILED

KILLED = -signal.SIGKILL
ENDS = (DONE, SOME_FAILED)
# Mode, once or for ever, how it may end.
MODES = [("kill", False, (*ENDS, KILLED)), ("tear", False, (*ENDS, KILLED)),
         ("enospc", False, (*ENDS, OUTPUT, NOT_STARTED)),
         ("enospc", True, (*ENDS, OUTPUT, NOT_STARTED)),
         ("eio", False, (*ENDS, OUTPUT, NOT_STARTED)), ("eio", True, (*ENDS, OUTPUT, NOT_STARTED)),
         ("erofs", True, (*ENDS, OUTPUT, NOT_STARTED)),
         ("short", False, (*ENDS, OUTPUT, NOT_STARTED)), ("short", True, (*ENDS, OUTPUT, NOT_STARTED)),
         ("eintr", False, (*ENDS, OUTPUT, NOT_STARTED))]
READ_MODES = [mode for mode in MODES if mode[0] in ("eio", "eintr")]
# Of runs that take longer.
ASKING_MODES = [mode for mode in MODES
                if mode[:2] in (("kill", False), ("tear", False), ("enospc", True), ("eio", False))]


def change_all(folder):
    """What happens to files between two nights."""
    (folder / "a.txt").write_text("The pier was mended in June.\n")          # changed, its copy not
    (folder / "b.txt").rename(folder / "moved.txt")                          # renamed
    shutil.copyfile(folder / "dots.png", folder / "copy of dots.png")        # copied
    (folder / "empty.txt").write_text("Not empty any more.\n")
    (folder / "new.txt").write_text("The ferry is late.\n")


class Points(faults.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = cls.new_job()

    @staticmethod
    def point(job, like, ops, at, mode, is_forever, allowed):
        """One fault, judged, and the clean run after it. Gives None or what is wrong."""
        out = job.fresh(like)
        try:
            before = faults.finished(out) if out.exists() else set()
            run = job.run(out, at=at, mode=mode, forever=is_forever, ops=ops)
            faults.judge(job, out, run, allowed)
            if ops != "read":  # a record that can't be read may be made again
                faults.check_not_twice(job, run, before)
            faults.recover(job, out)
        except faults.Wrong as error:
            return str(error)
        shutil.rmtree(out, ignore_errors=True)
        (job.folder / f"{out.name}.log").unlink(missing_ok=True)
        return None

    @staticmethod
    def points(calls, modes, share):
        """All calls in all modes, and the end. In the short form one call of each sort (what is done
        to what), in every share-th mode, beginning with another one for each sort."""
        if faults.LONG:
            yield from itertools.product(range(1, len(calls) + 2), modes)
            return
        sorts = {}
        for at, call in enumerate(calls[1:], 1):
            name = call.rsplit("/out-", 1)[1].split("/", 1)[1:] if "/out-" in call else [call]
            sorts.setdefault((call.split(" ")[0], re.sub("[0-9a-f]{2,}", "#", "".join(name))), []).append(at)
        for i, points in enumerate(sorts.values()):
            for j, mode in enumerate(modes):
                if (i + j) % share == 0:
                    yield points[j * len(points) // len(modes)], mode

    def loop(self, title, modes, job=None, like=None, ops=None, share=3):
        """All calls of a run from `like` on."""
        job = job or self.job
        calls = job.calls(like, ops)
        self.assertGreater(len(calls), 5)
        found = faults.Findings(self)
        lock = threading.Lock()

        def one(task):
            at, (mode, is_forever, allowed) = task
            wrong = self.point(job, like, ops, at, mode, is_forever, allowed)
            with lock:
                found.n_runs += 2
                if wrong:
                    call = calls[at] if at < len(calls) else "the end"
                    found.add(f"{mode}{' for ever' if is_forever else ''} at {at}, {call}", wrong)

        tasks = list(self.points(calls, modes, share))
        # A run of 30 ms mostly waits: for its helper program, and for its turn on a busy machine.
        with concurrent.futures.ThreadPoolExecutor(4 * os.cpu_count()) as pool:
            list(pool.map(one, tasks))
        found.end(f"{title}: {len(calls) - 1} calls, {len(tasks)} points")

    def half_done(self):
        """Left by a run that was killed between a record and its row, with a temporary file."""
        creates = [i for i, call in enumerate(self.job.calls())
                   if call and call.startswith("create ") and ".tmp-" in call and "/records/" in call]
        for at in range(creates[len(creates) // 2], len(self.job.calls())):
            out = self.job.fresh()
            self.job.run(out, at=at, mode="kill")
            if [path for path in out.rglob("*") if ".tmp-" in path.name] and e2e.record_files(out):
                return out
        return self.fail("no run left a temporary file behind")

    def test_a_first_run(self):
        self.loop("first run", MODES)

    def test_a_run_that_recovers(self):
        """A fault while recovering from a fault."""
        self.loop("recovery", MODES, like=self.half_done())

    def test_a_run_with_nothing_to_do(self):
        out = self.job.fresh()
        self.job.run(out)
        self.loop("second run", MODES, like=out)

    def test_a_run_over_changes(self):
        job = self.new_job(change=change_all)
        self.loop("changed inputs", MODES, job)
        self.loop("changed inputs, reads", READ_MODES, job, ops="read", share=1)

    def test_reads_of_what_is_there(self):
        """Records and catalogue that can't be read back."""
        self.loop("reads", READ_MODES, like=self.half_done(), ops="read", share=1)

    def test_with_a_model(self):
        """The same of `index`: answers have their journals, too."""
        job = faults.Job(self.root / "index", faults.make_tiny,
                         ["-m", e2e.BUNDLE, "--reader", "none", "-j", "2"])
        self.loop("index", ASKING_MODES, job, share=4)

    def test_with_types(self):
        """More rounds of questions: which type it is, then by that type's schema."""
        folder = self.root / "types"
        folder.mkdir()
        job = faults.Job(folder, faults.make_tiny, ["-m", e2e.BUNDLE, "--reader", "none", "-j", "2", "-t",
                                                    faults.types_task(folder)], self.program)
        self.loop("types", ASKING_MODES, job, share=4)

    def test_together(self):
        """Several recordings that are one document, with captions beside them."""
        job = faults.Job(self.root / "together", faults.make_meetings,
                         ["--together", "-t", "transcript", "--reader", "none", "-j", "2"])
        self.loop("together", ASKING_MODES, job, share=4)

    def test_chains(self):
        """Faults of all kinds in a row, the next while the run recovers from the one before."""
        dice, found = faults.dice("chains"), faults.Findings(self)
        n_calls = len(self.job.calls())
        for _ in range(150 if faults.LONG else 8):
            out, chain = self.job.fresh(), []
            try:
                for _ in range(4):
                    mode, is_forever, allowed = dice.choice(MODES)
                    at = dice.randrange(1, n_calls)
                    chain.append(f"{mode}{' for ever' if is_forever else ''} at {at}")
                    run = self.job.run(out, at=at, mode=mode, forever=is_forever)
                    faults.judge(self.job, out, run, allowed)
                    found.n_runs += 1
                faults.recover(self.job, out)
                found.n_runs += 1
            except faults.Wrong as error:
                found.add(", ".join(chain), error)
        found.end("chains of four faults")


if __name__ == "__main__":
    e2e.main()
