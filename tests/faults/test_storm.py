"""kill -9 of the whole process group at random instants of a run, then a clean run: faults.py.

The job is `index` with a small bundle over a mixed folder, so that the kill falls into decoding, reading,
asking, writing and the start. Half of a short run's time is its start, and most records are written within
the last tenth of it; so every other kill comes at a random call on the disk (from shim.c), also where
the machine is too busy for a kill in time. Some rounds kill the recovering run as well. Helper programs are
in groups of their own and must follow the one that started them.
"""
import os
import shutil
import signal
import time
import unittest

import e2e
import faults

N_KILLS = 200 if faults.LONG else 20
KILLED = -signal.SIGKILL
ENDS = (faults.DONE, faults.SOME_FAILED, KILLED)


class Doomed:
    """A run that may be killed, at a random share of a whole run's time or calls."""

    def __init__(self, job, out, dice, share_max=1.0, is_spared=False, **more):
        self.job, self.out, self.log_name = job, out, more.get("name")
        share, self.wait_s, fault = dice.random() * share_max, None, {}
        if is_spared:
            self.when = "never"
        elif dice.random() < 0.5:
            self.wait_s, self.when = share * job.seconds, f"{share * job.seconds:.3f} s"
        else:
            fault = {"mode": "kill", "at": 1 + int(share * job.n_calls)}
            self.when = f"call {fault['at']}"
        self.process = job.popen(out, **more, **fault)

    def strike(self):
        if self.wait_s is not None:
            time.sleep(self.wait_s)
            os.killpg(self.process.pid, signal.SIGKILL)

    def end(self):
        run = self.job.end(self.process, self.out, name=self.log_name)
        faults.await_none(self.process.pid)
        faults.promise(run.code in ENDS, f"exit {run.code}, killed at {self.when}:", run.stderr)
        return run


class Storm(e2e.Case):
    def storm(self, arguments, n_kills, name, make_inputs=faults.make_mixed):
        job = faults.Job(self.folder / "job", make_inputs, arguments)
        found = faults.Findings(self)
        dice = faults.dice(name)
        n_due = len({sha for sha in faults.sources(job.inputs).values()})
        counts = []  # documents finished when a run was killed
        while len(counts) < n_kills:
            out, before, instants = job.fresh(), set(), []
            try:
                for _ in range(dice.choice((1, 1, 1, 2, 4))):
                    doomed = Doomed(job, out, dice)
                    instants.append(doomed.when)
                    doomed.strike()
                    run = doomed.end()
                    faults.judge(job, out, run, ENDS)
                    faults.check_not_twice(job, run, before)
                    before = faults.finished(out) if out.exists() else set()
                    found.n_runs += 1
                    if run.code != KILLED:
                        break
                    counts.append(len(before))
                faults.recover(job, out)
                found.n_runs += 1
            except faults.Wrong as error:
                found.add(f"killed at {', '.join(instants)}", error)
                continue
            shutil.rmtree(out, ignore_errors=True)
        n_between = sum(0 < n < n_due for n in counts)
        found.end(f"{name}: {len(counts)} kills within {job.seconds:.2f} s and {job.n_calls} calls, "
                  f"{n_between} of them with some documents finished")

    def join(self, job, out, dice):
        """Two runs that share the work; each may be killed. Gives how many were, after a clean run."""
        both = []
        for i in range(2):
            time.sleep(dice.random() * job.seconds / 4)
            both.append(Doomed(job, out, dice, share_max=0.5, is_spared=dice.random() < 0.4,
                               extra=["--join"], name=f"{out.name}-{i}"))
        for doomed in both:
            doomed.strike()
        runs = [doomed.end() for doomed in both]
        n_killed = sum(run.code == KILLED for run in runs)
        faults.visible(job, out)
        if n_killed == 0:
            faults.complete(job, out)
            first, second = [set(faults.decoded_in(job, run)) for run in runs]
            faults.promise(not first & second, len(first & second), "documents done by both, of",
                           len(first), len(second))
        faults.recover(job, out, is_told=n_killed < 2)
        return n_killed

    @unittest.skipUnless("--join" in e2e.weft("run", "--help").stdout, "runs can't share work yet")
    def test_two_runs(self):
        job = faults.Job(self.folder / "job", faults.make_mixed, ["-t", "inventory", "-j", "2"])
        found, dice, n_killed = faults.Findings(self), faults.dice("join"), 0
        for _ in range(60 if faults.LONG else 6):
            out = job.fresh()
            with found.of(out.name, n_runs=3):
                n_killed += self.join(job, out, dice)
        found.end(f"two runs: {n_killed} kills")

    def test_index(self):
        self.storm(["-m", e2e.BUNDLE, "--reader", "none", "-j", "2"], N_KILLS, "index")

    def test_types(self):
        task = faults.types_task(self.folder)
        self.storm(["-m", e2e.BUNDLE, "--reader", "none", "-j", "2", "-t", task], N_KILLS // 4, "types")

    def test_together(self):
        self.storm(["--together", "-t", "transcript", "--reader", "none", "-j", "2"], N_KILLS // 4, "together",
                   faults.make_meetings)

    def test_inventory(self):
        self.storm(["-t", "inventory", "-j", "2"], N_KILLS // 2, "inventory")


if __name__ == "__main__":
    e2e.main()
