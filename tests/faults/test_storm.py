"""kill -9 of the whole process group at random instants of a run, then a clean run: faults.py.

The job is `index` with a small bundle over a mixed folder, so that the kill falls into decoding, reading,
asking, writing and the start. Some rounds kill the recovering run as well. Helper programs are in
groups of their own and must follow the one that started them.
"""
import os
import shutil
import signal
import time

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

    def test_index(self):
        self.storm(["-m", e2e.BUNDLE, "--reader", "none", "-j", "2"], N_KILLS, "index")

    def test_inventory(self):
        self.storm(["-t", "inventory", "-j", "2"], N_KILLS // 2, "inventory")


if __name__ == "__main__":
    e2e.main()
