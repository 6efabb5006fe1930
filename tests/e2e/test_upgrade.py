"""What is made again: failures, after an upgrade, and on an output folder of an older weft."""
import json
import os
import re
import shutil
import sqlite3
import time

import e2e

OLD = e2e.SOURCE / "tests/e2e/data/old-output"
NAMES = ("notes.md", "chart.png", "broken.pdf", "minutes.docx", "photo-receipt.jpg")


class Upgrade(e2e.Case):
    def setUp(self):
        super().setUp()
        self.inbox = self.folder / "in"
        (self.inbox / "sub").mkdir(parents=True)
        for name in NAMES:
            shutil.copyfile(e2e.INBOX / name, self.inbox / name)
        shutil.copyfile(e2e.INBOX / "notes.md", self.inbox / "sub/notes-copy.md")

    def again(self, code, *more):
        return self.run_weft("-t", "inventory", "-o", "out", *more, "in", code=code,
                             cwd=self.folder)

    def files(self):
        """Name of a record file -> the file itself: one that is written again is another."""
        return {path.name: path.stat().st_ino for path in e2e.record_files(self.out)}

    def made_again(self, before):
        after = self.files()
        self.assertEqual(sorted(before), sorted(after))
        records = {path.name: json.loads(path.read_text()) for path in e2e.record_files(self.out)}
        return sorted(os.fsdecode(os.path.basename(e2e.paths_of(records[name])[0]))
                      for name in before if before[name] != after[name])

    def of_other_decoders(self):
        """As if they had been made by others, in the catalogue and in the records."""
        shutil.rmtree(self.out / "state")
        for path in e2e.record_files(self.out):
            record = json.loads(path.read_text())
            record["run"]["decoders"] = "weft 0.0.9; weft-decode-pdf poppler 0.1"
            path.write_text(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
        self.again(0, "--rehash", "--exclude", "*")

    def test_a_failure_is_remembered(self):
        self.again(1)
        before, records = self.files(), e2e.records(self.out)
        done = self.again(0)
        self.assertIn("6 unchanged (1 of them not whole)", done.stderr)
        self.assertEqual(self.made_again(before), [])
        done = self.again(0, "--retry-failed")
        self.assertEqual(self.made_again(before), ["broken.pdf"])
        self.assertIn("6 unchanged (1 of them not whole)", done.stderr)
        self.assertNotIn("damaged", done.stderr)
        self.assertEqual(e2e.records(self.out), records)
        self.again(1, "--strict")

    def test_failures_are_tried_again_after_an_upgrade(self):
        self.again(1)
        records = e2e.records(self.out)
        self.of_other_decoders()
        before = self.files()
        self.again(0)
        # What no decoder read, and what one could not: the rest is left as it is.
        self.assertEqual(self.made_again(before), ["broken.pdf", "minutes.docx"])
        self.assertEqual(e2e.records(self.out), records)
        before = self.files()
        self.again(0)
        self.assertEqual(self.made_again(before), [])

    def test_upgrade(self):
        self.again(1)
        records = e2e.records(self.out)
        self.of_other_decoders()
        before = self.files()
        self.again(0, "--upgrade")
        self.assertEqual(self.made_again(before), sorted(NAMES))
        self.assertEqual(e2e.records(self.out), records)
        before = self.files()
        self.again(0, "--upgrade")
        self.assertEqual(self.made_again(before), [])

    def test_what_the_machine_failed_at(self):
        self.again(1)
        secret = self.inbox / "secret.txt"
        secret.write_text("not yet\n")
        secret.chmod(0)
        for code, failed, known in ((1, 1, 1), (0, 0, 2)):
            done = e2e.weft("run", "-t", "inventory", "-o", "out", "in", cwd=self.folder,
                            preexec_fn=e2e.bound_by_permissions)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertEqual("Permission denied" in done.stderr, failed == 1, done.stderr)
            summary = e2e.summary(self.out)
            self.assertEqual((summary["failed"], summary["known_failures"]), (failed, known))
        self.assertEqual(len(e2e.record_files(self.out)), 6)
        secret.chmod(0o644)
        self.again(0)
        self.assertEqual(e2e.summary(self.out)["done"], 1)
        # The record that only said that it could not be read is gone.
        self.assertEqual(len(e2e.record_files(self.out)), 6)
        self.assertEqual(e2e.by_name(self.out)["secret.txt"]["status"], "ok")

    def test_a_change_within_a_tick(self):
        """The same size, and written again and again as fast as it goes: the last one counts."""
        path = self.inbox / "fast.txt"
        for i in range(15):
            path.write_text(f"state {2 * i:04}\n")
            self.run_weft("-t", "inventory", "-q", "-o", "fast", path, code=0, cwd=self.folder)
            # At once, and with the time of change that it had.
            status = path.stat()
            with path.open("r+") as file:
                file.write(f"state {2 * i + 1:04}\n")
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
            self.run_weft("-t", "inventory", "-q", "-o", "fast", path, code=0, cwd=self.folder)
            found = [record for record in map(json.loads, (
                file.read_text() for file in e2e.record_files(self.folder / "fast")))
                     if e2e.paths_of(record)]
            self.assertEqual([record["content"][0]["text"] for record in found],
                             [f"state {2 * i + 1:04}"])

    def test_rehash(self):
        self.again(1)
        before = self.files()
        path = self.inbox / "notes.md"
        # What nothing but the bytes tells: the catalogue is made to believe the new times.
        text = path.read_text()
        path.write_text(text.replace("harbour", "HARBOUR").replace("the", "THE"))
        self.assertNotEqual(path.read_text(), text)
        status = path.stat()
        database = sqlite3.connect(self.out / "state/catalog.db")
        database.execute("UPDATE source SET mtime_ns = ?, ctime_ns = ?, bytes = ? WHERE path = ?",
                         (status.st_mtime_ns, status.st_ctime_ns, status.st_size, b"in/notes.md"))
        database.commit()
        database.close()
        time.sleep(0.05)
        self.again(0)
        self.assertEqual(self.made_again(before), [])
        self.again(0, "--rehash")
        self.assertEqual(e2e.summary(self.out)["done"], 1)
        self.assertEqual(e2e.summary(self.out)["unchanged"], 5)

    def test_an_output_folder_of_an_older_weft(self):
        shutil.copytree(OLD, self.out)
        old = {path.name for path in e2e.record_files(self.out)}
        # With the decoders that made it, all is adopted: the same results, under new ids, and what
        # had failed fails again. With others all is done anew, and the old records stay.
        there = e2e.weft("doctor").stdout
        made_by = re.findall("decoders: (.*)", (OLD.parent / "ORIGIN").read_text())
        same = len(made_by) == 4 and all(decoder in there for decoder in made_by)
        done = self.again(0 if same else 1)
        self.assertIn("catalogue of version 1", done.stderr)
        summary = e2e.summary(self.out)
        self.assertEqual((summary["done"], summary["skipped"], summary["unchanged"]),
                         (0, 0, 5) if same else (3, 1, 0))
        found = {path.name for path in e2e.record_files(self.out)}
        self.assertEqual(len(found), 5 if same else 10)
        self.assertEqual(old & found, set() if same else old)
        self.run_weft("-t", "inventory", "-o", "fresh", "in", code=1, cwd=self.folder)
        for name, fresh in e2e.records(self.folder / "fresh").items():
            self.assertEqual(e2e.without_run((self.out / f"records/{name[:2]}/{name}").read_text()),
                             fresh)
        before = self.files()
        self.again(0)
        self.assertEqual(e2e.summary(self.out)["unchanged"], 6)
        self.assertEqual(self.made_again(before), [])
        shutil.rmtree(self.out / "state")
        self.again(0)
        self.assertEqual(e2e.summary(self.out)["done"], 0)
        self.assertEqual(self.made_again(before), [])


if __name__ == "__main__":
    e2e.main()
