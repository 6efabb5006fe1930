"""A fault at every call of the verbs that write, then the same command again: faults.py.

Each works on a copy of one archive: records of two jobs, one document of them gone, what was read of them, and
what people say about answers. Whatever ends a verb, each file that can be seen is as it was before or as
the undisturbed verb leaves it; exit 0 means that all of them are; the same command again makes them so.
A verb that was killed may leave a hidden file, which `weft gc` removes from the archive and nobody from a
folder of the user's.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal

import e2e
import faults
from faults import DONE, NOT_STARTED, OUTPUT, promise

KILLED = -signal.SIGKILL
MODES = [("kill", False), ("tear", False), ("enospc", False), ("enospc", True), ("eio", False), ("erofs", True),
         ("short", False)]
# All write below the folder "to", beside the archive, or into it.
VERBS = {
    "gc": ["gc", "-q", "--gone", "--cache", "0"],
    "rebuild-index": ["rebuild-index", "-q"],
    "calibrate": ["calibrate", "--plot", "to/plot.svg"],
    "report": ["report"],
    "show": ["show", "--explain", "/summary", "../in/dots.png"],
    "export md": ["export", "-f", "md", "--to", "to/pages"],
    "export csv": ["export", "-f", "csv", "--to", "to/table.csv"],
    "export jsonl": ["export", "-f", "jsonl", "--to", "to"],
}
TEMPORARY = re.compile(r"\..+\.tmp-[0-9a-f]{8}")


def is_temporary(name):
    return bool(TEMPORARY.fullmatch(pathlib.PurePath(name).name))


def look(out):
    """Name -> bytes of all that a verb can change, less temporary files; and the names of those."""
    found, temporary = {}, []
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out)
        if not path.is_file() or faults.hides(pathlib.Path(*name.parts[1:])):
            continue
        if is_temporary(name):
            temporary.append(str(name))
        else:
            found[str(name)] = path.read_bytes()
    return found, temporary


class Verbs(faults.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Commands run in the folder that has the archive "out" and "to"; the copies have both.
        cls.job = cls.new_job()
        cls.whole = cls.job.folder / "whole"
        (cls.whole / "to").mkdir(parents=True)
        inputs = os.path.relpath(cls.job.inputs, cls.whole)
        for more in (["-t", "inventory"], ["-m", e2e.BUNDLE, "--reader", "none"]):
            e2e.weft("run", "-q", "-o", "out", *more, inputs, cwd=cls.whole)
        (cls.job.inputs / "b.txt").unlink()
        e2e.weft("run", "-q", "-o", "out", "-t", "inventory", "--accept-deletions", inputs, cwd=cls.whole)
        cls.write_corrections()
        for name in VERBS:  # what was written by an earlier one is whole until the new one is
            if name.split(" ")[0] in ("calibrate", "report", "export") and name != "export csv":
                e2e.weft(*VERBS[name], "-o", "out", cwd=cls.whole)
        (cls.whole / "to/pages/a.md").write_text("An older page.\n")

    @classmethod
    def write_corrections(cls):
        lines = ["id,pointer,value,who,when"]
        for path in e2e.record_files(cls.whole / "out"):
            record = json.loads(path.read_text())
            for key, value in (record["answer"] or {}).items():
                quoted = json.dumps(value).replace('"', '""')
                lines.append(f'{record["id"]},/{key},"{quoted}",anna,2026-11-21')
        promise(len(lines) > 5, "an archive with answers:", lines)
        (cls.whole / "out/corrections.csv").write_text("\n".join(lines) + "\n")

    def copy(self):
        folder = self.job.folder / f"verb-{next(self.job.numbers)}"
        shutil.copytree(self.whole, folder, symlinks=True)
        return folder

    def verb(self, folder, name, **fault):
        """With the shim over all of the copy."""
        process = self.job.start([*VERBS[name], "-o", "out"], folder, cwd=folder, **fault)
        return self.job.end(process, folder, fault.get("mode"))

    @staticmethod
    def check_whole(folder, name, before, after):
        """No file that can be seen is a half one."""
        found, temporary = look(folder)
        for path, data in found.items():
            promise(data in (before.get(path), after.get(path)), "a half file:", path, data[:200])
        promise(found.keys() >= before.keys() & after.keys(), "lost:",
                before.keys() & after.keys() - found.keys())
        return found, temporary

    def point(self, name, at, mode, is_forever, before, after):
        """One fault, judged, and the clean verb after it. Gives None or what is wrong."""
        folder = self.copy()
        try:
            run = self.verb(folder, name, at=at, mode=mode, forever=is_forever)
            promise(run.code in (DONE, NOT_STARTED, OUTPUT) or (run.code == KILLED and mode in ("kill", "tear")),
                    f"exit {run.code}:", run.stderr)
            found, temporary = self.check_whole(folder, name, before, after)
            promise(run.code != DONE or found == after, "exit 0, and it is not done")
            promise(run.code == KILLED or is_forever or not temporary, "left behind:", temporary)
            again = self.verb(folder, name)
            promise(again.code == DONE, f"again: exit {again.code}:", again.stderr)
            found, temporary = self.check_whole(folder, name, before, after)
            promise(found == after, "again, and not done:", found.keys() ^ after.keys())
            promise(faults.state_rows(folder / "out") == self.rows[name], "other rows")
            if temporary:
                promise(name not in ("gc", "rebuild-index"), "left behind:", temporary)
                e2e.weft("gc", "-q", "-o", folder / "out")
                temporary = look(folder)[1]
                promise(all(path.startswith("to/") for path in temporary), "gc leaves", temporary)
        except faults.Wrong as error:
            return str(error)
        shutil.rmtree(folder, ignore_errors=True)
        (self.job.folder / f"{folder.name}.log").unlink(missing_ok=True)
        return None

    def test_verbs(self):
        found = faults.Findings(self)
        n_points = 0
        self.rows = {}
        before, _ = look(self.whole)
        with concurrent.futures.ThreadPoolExecutor(4 * os.cpu_count()) as pool:
            for name in VERBS:
                folder = self.copy()
                run = self.verb(folder, name)
                self.assertEqual(run.code, DONE, run.stderr)
                after, _ = look(folder)
                self.rows[name] = faults.state_rows(folder / "out")
                calls = [line for line in run.log if line[0].isdigit()]
                self.assertGreater(len(calls), 2, name)
                tasks = [(at, *mode) for at in range(1, len(calls) + 2) for mode in MODES]
                if not faults.LONG:
                    tasks = tasks[::max(1, len(tasks) // 24)]
                n_points += len(tasks)
                for task, wrong in zip(tasks, pool.map(
                        lambda task: self.point(name, *task, before, after), tasks)):
                    found.n_runs += 2
                    if wrong:
                        found.add(f"{name}: {task[1]}{' for ever' if task[2] else ''} at {task[0]} of {len(calls)}, "
                                  f"{calls[min(task[0], len(calls)) - 1]}", wrong)
        found.end(f"{len(VERBS)} verbs: {n_points} points")


if __name__ == "__main__":
    e2e.main()
