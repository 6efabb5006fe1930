"""A fault at every call in turn that changes the output folder, then a clean run: faults.py.

Each loop goes through the calls that an undisturbed run makes; they are numbered by shim.c. The
job is `inventory` over six small files, which takes 30 ms; the short form takes every n-th call.
"""
import concurrent.futures
import os
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
N_SHORT = 14 # points of a loop in the short form


class Points(e2e.Case):
    @classmethod
    def setUpClass(cls):
        cls.root = faults.pathlib.Path(faults.fast_folder())
        cls.job = faults.Job(cls.root, faults.make_tiny, ["-t", "inventory", "-j", "2"],
                             faults.slim_house(cls.root)).refer()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root, ignore_errors=True)

    def point(self, at, mode, is_forever, allowed, like, ops=None):
        """One fault, judged, and the clean run after it. Gives None or what is wrong."""
        job, out = self.job, self.job.fresh(like)
        try:
            before = faults.finished(out) if like else set()
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

    def loop(self, title, modes, like=None, ops=None):
        """All calls of a run from `like` on, in all modes."""
        out = self.job.fresh(like)
        calls = [line for line in self.job.run(out, ops=ops).log if line[0].isdigit()]
        self.assertGreater(len(calls), 5)
        found = faults.Findings(self)
        lock = threading.Lock()
        n_all = len(calls) + 2
        step = 1 if faults.LONG else max(1, n_all // N_SHORT)

        def one(task):
            at, (mode, is_forever, allowed) = task
            wrong = self.point(at, mode, is_forever, allowed, like, ops)
            with lock:
                found.n_runs += 2
                if wrong:
                    call = " ".join(calls[at - 1].split(" ")[1:]) if at <= len(calls) else "the end"
                    found.add(f"{mode}{' for ever' if is_forever else ''} at {at}, {call}", wrong)

        # Each mode begins elsewhere, so that the short form touches different calls.
        tasks = [(at, mode) for i, mode in enumerate(modes)
                 for at in range(1 + i % step, n_all + 1, step)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(one, tasks))
        found.end(f"{title}: {len(calls)} calls, {len(tasks)} points")

    def test_a_first_run(self):
        self.loop("first run", MODES)

    def half_done(self):
        """Left by a run that was killed between a record and its row, with a temporary file."""
        out = self.job.fresh()
        renames = [i for i, (call, path) in enumerate(self.job.calls, 1)
                   if call == "create" and ".tmp-" in path and "/records/" in path]
        self.job.run(out, at=renames[len(renames) // 2] + 1, mode="kill")
        self.assertTrue([path for path in out.rglob("*") if ".tmp-" in path.name])
        return out

    def test_a_run_that_recovers(self):
        """A fault while recovering from a fault."""
        self.loop("recovery", MODES, like=self.half_done())

    def test_a_run_with_nothing_to_do(self):
        out = self.job.fresh()
        self.job.run(out)
        self.loop("second run", MODES, like=out)

    def test_reads_of_what_is_there(self):
        """Records and catalogue that can't be read back."""
        self.loop("reads", [("eio", False, (*ENDS, OUTPUT, NOT_STARTED)),
                            ("eio", True, (*ENDS, OUTPUT, NOT_STARTED)),
                            ("eintr", False, (*ENDS, OUTPUT, NOT_STARTED))],
                  like=self.half_done(), ops="read")


if __name__ == "__main__":
    e2e.main()
