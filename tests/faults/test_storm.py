"""kill -9 of the whole process group at random instants of a run, then a clean run: faults.py.

The job is `index` with a small bundle over a mixed folder, so that the kill falls into decoding, reading,
asking, writing and the start. Some rounds kill the recovering run as well. Helper programs are in
groups of their own and must follow the one that started them.
"""
import os
import shutil
import signal
import time
import unittest

import e2e
import faults

N_KILLS = 200 if faults.LONG else 20


class Storm(e2e.Case):
    def storm(self, arguments, n_kills, name):
        job = faults.Job(self.folder / "job", faults.make_mixed, arguments)
        found = faults.Findings(self)
        dice = faults.dice(name)
        n_due = len({sha for sha in faults.sources(job.inputs).values()})
        done = decoded = 0
        while done < n_kills:
            out, before = job.fresh(), set()
            instants = [dice.random() * job.seconds for _ in range(dice.choice((1, 1, 1, 2, 4)))]
            try:
                for instant in instants:
                    done += self.kill(job, out, instant, before)
                    before = faults.finished(out) if out.exists() else set()
                    decoded += len(before)
                    found.n_runs += 1
                faults.recover(job, out)
                found.n_runs += 1
            except faults.Wrong as error:
                found.add(f"killed after {', '.join(f'{instant:.3f}' for instant in instants)} s", error)
                continue
            shutil.rmtree(out, ignore_errors=True)
        found.end(f"{name}: {done} kills within {job.seconds:.2f} s, "
                  f"{decoded / max(1, done):.1f} of {n_due} documents finished before a kill")

    def kill(self, job, out, instant, before):
        """1 when the run was still there. What it left is judged."""
        process = job.popen(out)
        time.sleep(instant)
        os.killpg(process.pid, signal.SIGKILL)
        run = job.end(process, out)
        faults.await_none(process.pid)
        faults.judge(job, out, run, (-signal.SIGKILL, faults.DONE, faults.SOME_FAILED))
        faults.check_not_twice(job, run, before)
        return run.code == -signal.SIGKILL

    def join(self, job, out, dice):
        """Two runs that share the work; each may be killed. Gives how many were."""
        runs, processes = [], []
        for i in range(2):
            time.sleep(dice.random() * job.seconds / 4)
            processes.append(job.popen(out, ["--join"], name=f"{out.name}-{i}"))
        for process in processes:
            if dice.random() < 0.6:
                time.sleep(dice.random() * job.seconds / 2)
                os.killpg(process.pid, signal.SIGKILL)
        for i, process in enumerate(processes):
            runs.append(job.end(process, out, name=f"{out.name}-{i}"))
            faults.await_none(process.pid)
        n_killed = sum(run.code == -signal.SIGKILL for run in runs)
        for run in runs:
            faults.promise(run.code in (faults.DONE, faults.SOME_FAILED, -signal.SIGKILL),
                           f"exit {run.code}:", run.stderr)
        faults.visible(job, out)
        if n_killed == 0:
            faults.complete(job, out)
            both = [set(faults.decoded_in(job, run)) for run in runs]
            faults.promise(not both[0] & both[1], len(both[0] & both[1]), "documents done by both, of",
                           [len(done) for done in both])
        return n_killed

    @unittest.skipUnless("--join" in e2e.weft("run", "--help").stdout, "runs can't share work yet")
    def test_two_runs(self):
        job = faults.Job(self.folder / "job", faults.make_mixed, ["-t", "inventory", "-j", "2"])
        found, dice, n_killed = faults.Findings(self), faults.dice("join"), 0
        for _ in range(60 if faults.LONG else 6):
            out = job.fresh()
            with found.of(out.name, n_runs=3):
                n_killed += self.join(job, out, dice)
                faults.recover(job, out)
        found.end(f"two runs: {n_killed} kills")

    def test_index(self):
        self.storm(["-m", e2e.BUNDLE, "--reader", "none", "-j", "2"], N_KILLS, "index")

    def test_inventory(self):
        self.storm(["-t", "inventory", "-j", "2"], N_KILLS // 2, "inventory")


if __name__ == "__main__":
    e2e.main()
