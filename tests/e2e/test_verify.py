"""Verify tells one thing that is wrong for each thing that was made wrong, and nothing otherwise."""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import sqlite3
import time

import e2e


class Verify(e2e.Case):
    def setUp(self):
        super().setUp()
        self.pile = self.folder / "pile"
        self.pile.mkdir()
        for name in "abcdefgh":
            (self.pile / f"{name}.md").write_text(f"The text of {name}.\n")
        (self.pile / "of-pages.pdf").write_bytes(e2e.pdf([["One"], ["Two"]]))
        (self.pile / os.fsdecode(b"no\xffutf8.md")).write_text("Bytes.\n")
        self.run()

    def run(self, result=None):
        if result is not None:
            return super().run(result)
        self.run_weft("-q", "-t", "inventory", "-o", self.out, self.pile, code=0)
        return None

    def verify(self, *arguments, code=0):
        done = e2e.weft("verify", "-q", "-o", self.out, *arguments)
        self.assert_code(done, code)
        self.assertEqual(done.stderr, "")
        return done.stdout.splitlines()

    def one(self, *words, **more):
        """The only line, which has all words."""
        found = self.verify(code=1, **more)
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def record(self, name):
        for file in e2e.record_files(self.out):
            if any(pathlib.Path(path).name == name
                   for path in json.loads(file.read_text())["source"]["paths"]):
                return file
        return self.fail(name)

    def change(self, name, change, keeps_times=True):
        """The record of a document, changed by somebody else."""
        file = self.record(name)
        status = file.stat()
        record = json.loads(file.read_text())
        change(record)
        file.write_text(json.dumps(record) + "\n")
        if keeps_times:
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        return file

    def relist(self):
        """As if what lies there had been written by weft."""
        lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(self.out)}\n"
                 for file in e2e.record_files(self.out)]
        (self.out / "manifest.sha256").write_text("".join(lines))
        self.assertEqual(e2e.weft("rebuild-index", "-q", "-o", self.out).stderr, "")

    def catalogue(self, statement, value):
        with contextlib.closing(sqlite3.connect(self.out / "state/catalog.db")) as database:
            self.assertEqual(database.execute(statement, (value,)).rowcount, 1)
            database.commit()

    def unlist(self):
        """As after a first run that was killed."""
        (self.out / "manifest.sha256").unlink()
        (self.out / "summary.json").unlink()

    # ---- good ----

    def test_nothing_is_wrong(self):
        self.assertEqual(self.verify(), [])
        done = e2e.weft("verify", "-o", self.out)
        self.assertIn("10 records, 10 documents as they were; nothing is wrong", done.stderr)
        self.run()
        self.assertEqual(self.verify(), [])

    def test_copies(self):
        shutil.copy(self.pile / "a.md", self.pile / "copy.md")
        self.run()
        self.assertEqual(self.verify(), [])

    def test_a_shipped_task_with_answers(self):
        self.out = self.folder / "answers"
        done = e2e.weft("run", "-q", "-m", e2e.BUNDLE, "-t", "index", "-o", self.out, self.pile)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertEqual(self.verify(), [])

    def test_a_copy_of_the_folder_without_its_times(self):
        elsewhere = self.folder / "elsewhere"
        shutil.copytree(self.out, elsewhere, copy_function=shutil.copy)
        self.out = elsewhere
        self.assertEqual(self.verify(), [])
        file = self.record("c.md")
        file.write_text(file.read_text().replace("The text", "The test"))
        self.assertEqual(len(self.verify(code=1)), 1)

    def test_an_unfinished_run(self):
        self.unlist()
        self.assertEqual(self.verify(), [])

    # ---- documents ----

    def test_a_damaged_document(self):
        file = self.pile / "d.md"
        status = file.stat()
        file.write_text("The text of D.\n")
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.one("d.md: ", "damaged", "restore")
        self.assertEqual(self.verify("--records-only"), [])

    def test_a_changed_document(self):
        (self.pile / "d.md").write_text("Something else.\n")
        self.one("d.md: changed since", "run")
        self.run()
        self.assertEqual(self.verify(), [])

    def test_a_missing_document(self):
        (self.pile / "e.md").unlink()
        self.one("e.md: not there")
        self.catalogue("UPDATE source SET gone = 1 WHERE path = ?", bytes(self.pile / "e.md"))
        self.assertEqual(self.verify(), [])
        self.assertIn(" 1 gone", e2e.weft("verify", "-o", self.out).stderr)

    def test_what_is_no_file(self):
        (self.pile / "e.md").unlink()
        os.mkfifo(self.pile / "e.md")
        self.one("e.md: not a regular file")

    def test_a_name_that_is_not_utf8(self):
        (self.pile / os.fsdecode(b"no\xffutf8.md")).write_text("Other.\n")
        self.one("no\N{REPLACEMENT CHARACTER}utf8.md: changed")

    # ---- records ----

    def test_a_damaged_record(self):
        file = self.change("a.md", lambda record: record["content"][0].update(text="The text of A."))
        self.one(file.name, "manifest.sha256", "damaged")

    def test_a_record_changed_by_hand(self):
        file = self.change("a.md", lambda record: record["content"][0].update(text="x"), keeps_times=False)
        self.one(file.name, "manifest.sha256")
        self.unlist()
        self.one(file.name, "not the bytes that weft wrote")

    def test_a_torn_record(self):
        file = self.record("a.md")
        file.write_bytes(file.read_bytes()[:-20])
        self.one(file.name, "delete it")

    def test_a_missing_record(self):
        file = self.record("a.md")
        file.unlink()
        self.one(file.name, "manifest.sha256", "not there")
        self.unlist()
        self.one(file.name, "catalogue", "not there")

    def test_a_record_under_another_name(self):
        file = self.record("a.md")
        other = file.with_name(file.name[:2] + "0" * 62 + ".json")
        shutil.copy2(file, other)
        self.one(other.name)

    def test_contradictions(self):
        def evidence(record):
            record["answer"] = {"a": "One"}
            record["provenance"] = {"/a": [{"kind": "matched", "content": "c1", "chars": [0, 3],
                                            "quote": "Two"}]}

        contradictions = [
            (lambda r: r["errors"].append({"stage": "x", "code": "io", "message": "m", "at": None}), "status ok"),
            (lambda r: r.update(status="failed"), "without an error"),
            (lambda r: r["ledger"]["pages"].update(done=1), "ledger of pages"),
            (lambda r: r["ledger"]["seconds"].update({"in": 7}), "ledger of seconds"),
            (lambda r: r["ledger"]["pages"].update({"in": 1, "done": 1}), "are described"),
            (lambda r: r["content"].append(r["content"][0]), "same id"),
            (evidence, "does not quote"),
            (lambda r: r["absent"].update({"/a": "absent"}), "not null"),
            (lambda r: r["provenance"].update({"/a": [{"kind": "none"}]}), "the answer has not"),
        ]
        before = self.record("of-pages.pdf").read_text()
        for change, words in contradictions:
            with self.subTest(words):
                file = self.change("of-pages.pdf", change)
                self.relist()
                self.one(file.name, "contradicts itself", words)
                file.write_text(before)
        self.relist()
        self.assertEqual(self.verify(), [])

    def test_the_schema(self):
        unfit = [
            (lambda r: r.pop("hidden"), '"hidden" is missing'),
            (lambda r: r.update(status="fine"), "/status: none of the values"),
            (lambda r: r["source"].update(bytes=-1), "/source/bytes: -1"),
            (lambda r: r["source"].update(sha256="A" * 64), "/source/sha256: does not match"),
            (lambda r: r["source"].update(media_type=3), "/source/media_type"),
            (lambda r: r["document"]["pages"][1].update(n=1.5), "/document/pages/1/n: not of type integer"),
            (lambda r: r["content"][0]["at"][0].update(bbox=[1, 2, 3]), "/content/0/at/0/bbox: 3, minItems"),
            (lambda r: r["document"]["metadata"].update(x=["a"]), "/document/metadata/x"),
            (lambda r: r.update(weft=2), "/weft: not the value"),
        ]
        before = self.record("of-pages.pdf").read_text()
        for change, words in unfit:
            with self.subTest(words):
                file = self.change("of-pages.pdf", change)
                self.relist()
                self.one(file.name, "not a record", words)
                file.write_text(before)

    # ---- again ----

    def test_a_sample_is_done_again(self):
        job = self.folder / "archive.job"
        job.write_text("[job]\ntask=inventory\ninputs=pile\noutput=out\nsample=1\nexclude=*.md\n"
                       "trace=trace.json\n")
        shutil.copy(self.pile / "a.md", self.pile / "copy.md")
        self.run()
        done = e2e.weft("verify", "-o", self.out, "--sample", "100", "-c", job)
        self.assert_code(done, 0)
        self.assertIn("10 documents done again gave the same record, 0 another", done.stderr)
        done = e2e.weft("verify", "-o", self.out, "--sample", "3", "-c", job)
        self.assertIn("3 documents done again gave the same", done.stderr)
        self.assertFalse((self.folder / "trace.json").exists())

        # One that says something else, as far as checksums can tell.
        self.change("of-pages.pdf", lambda record: record["content"][0].update(text="Another"))
        self.relist()
        self.assertEqual(self.verify(), [])
        (line,) = self.verify("--sample", "100", "-c", job, code=1)
        self.assertIn("of-pages.pdf: done again", line)

        # Another job's records have other ids.
        job.write_text("[job]\ntask=inventory\npage-dpi=77\n")
        self.assertEqual(len(self.verify("--sample", "2", "-c", job, code=1)), 2)
        self.assert_code(e2e.weft("verify", "-o", self.out, "-c", job), 2)
        self.assert_code(e2e.weft("verify", "-o", self.out, "--sample", "-2"), 2)
        self.assert_code(e2e.weft("verify", "-o", self.out, "--sample", "2", "-c", self.folder / "none"), 3)

    def again(self, same, other=0, not_done=0):
        """Of all documents, by the kept jobs. Lines."""
        done = e2e.weft("verify", "-o", self.out, "--sample", "100")
        self.assert_code(done, 1 if other + not_done else 0)
        counts = f"{same} documents done again gave the same record, {other} another"
        if not_done:
            counts += f"; {not_done} could not be done again"
        self.assertEqual(done.stderr.splitlines()[-1], counts, done.stdout + done.stderr)
        return done.stdout.splitlines()

    def test_each_of_several_jobs_does_its_own_again(self):
        task = self.folder / "my own.task"
        task.write_text("[task]\nprompt=@my.md\nschema=@my.json\nquestion=true\nanswer_tokens=20\n")
        (self.folder / "my.md").write_text("@all: \tsay it.\n\\ {document} Back\\slash; and this: \u00e4.\n")
        (self.folder / "my.json").write_text('{"type": "object", "properties": {"n": {"type": "integer",'
                                             ' "minimum": 1, "maximum": 9}}}')
        bundle = self.folder / "bundle"
        bundle.symlink_to(e2e.BUNDLE)
        asked = self.folder / "asked"
        asked.mkdir()
        shutil.copy(self.pile / "a.md", asked / "a.md")
        done = e2e.weft("run", "-q", "-t", "my own.task", "-m", "bundle", "-o", self.out, "--question",
                        " how many?; x", "--seed", "7", "--temperature", "0.3", "--limit", "pages=77",
                        "--page-dpi", "72.5", "--pages", "1-3", "--exclude", "z", "asked", cwd=self.folder)
        self.assert_code(done, 0)
        self.run_weft("-q", "-t", "inventory", "--time", "0:00.25-1:00", "-o", self.out, asked, code=0)
        self.assertEqual(len(list((self.out / "jobs").iterdir())), 3)

        # All that the jobs were made of is gone, but the model. Relative paths are those of a run.
        for path in (task, self.folder / "my.md", self.folder / "my.json"):
            path.unlink()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, "/")
        self.assertEqual(self.again(same=12), [])
        self.assert_code(e2e.weft("gc", "-q", "-o", self.out), 0)
        shutil.rmtree(self.out / "state")
        self.assert_code(e2e.weft("rebuild-index", "-q", "-o", self.out), 0)
        self.assertEqual(self.again(same=12), [])

        # A kept job is a job like any other.
        (job,) = [path for path in self.out.glob("jobs/*/job") if "question" in path.read_text()]
        self.run_weft("-q", "-c", job, "-o", self.out, "asked", code=0)
        self.assertEqual(e2e.summary(self.out)["unchanged"], 1)

        bundle.unlink()
        (line,) = self.again(same=11, not_done=1)
        for word in ("asked/a.md: can't be done again", str(bundle), job.parent.name, "-c"):
            self.assertIn(word, line)
        shutil.rmtree(job.parent)
        (line,) = self.again(same=11, not_done=1)
        self.assertIn("asked/a.md: can't be done again: its job is not kept", line)

    def test_a_sample_finds_what_moved(self):
        shutil.copy(self.pile / "a.md", self.pile / "copy.md")
        self.run()
        (self.pile / "a.md").unlink()
        os.rename(self.pile / "b.md", self.pile / "elsewhere.md")
        found = self.again(same=9, not_done=1)
        self.assertEqual([line for line in found if "done again" in line],
                         [line for line in found if "b.md: can't be done again: at none" in line])

    def test_jobs_that_no_record_needs(self):
        jobs = self.out / "jobs"
        (needed,) = jobs.iterdir()
        for i in range(30):
            (jobs / f"{i:064}").mkdir()
            (jobs / f"{i:064}/job").write_text("[job]\n")
        (needed / ".job.tmp-12345678").write_text("[jo")
        (jobs / "mine").mkdir()
        self.run()
        self.assertEqual(sorted(jobs.iterdir()), sorted([needed, jobs / "mine"]))
        self.assertEqual(sorted(os.listdir(needed)), ["inventory.task", "job"])
        (jobs / ("1" * 64)).mkdir()
        self.assert_code(e2e.weft("gc", "-q", "-o", self.out), 0)
        self.assertEqual(sorted(jobs.iterdir()), sorted([needed, jobs / "mine"]))
        self.assertEqual(self.again(same=10), [])

    def test_no_password_is_kept(self):
        (self.folder / "words").write_text("swordfish\n")
        self.run_weft("-q", "-t", "inventory", "--password-file", self.folder / "words", "-o", self.out,
                      self.pile, code=0)
        kept = "".join(path.read_text() for path in self.out.glob("jobs/*/*"))
        self.assertIn(str(self.folder / "words"), kept)
        self.assertNotIn("swordfish", kept)

    # ---- answers ----

    def test_an_answer_fits_the_schema_of_its_task(self):
        schema = self.folder / "s.json"
        schema.write_text(json.dumps({"type": "object", "required": ["who", "sums"],
                                      "additionalProperties": False, "properties": {
            "who": {"type": "string", "maxLength": 12},
            "sums": {"type": "array", "maxItems": 2, "items": {"type": "integer", "minimum": 0,
                                                              "exclusiveMaximum": 100}}}}))
        self.out = self.folder / "answers"
        done = e2e.weft("run", "-q", "-m", e2e.BUNDLE, "-t", "extract", "-s", schema, "-o", self.out,
                        self.pile / "a.md")
        self.assert_code(done, 0)
        schema.unlink()
        self.assertEqual(self.verify(), [])
        unfit = [({"who": 3, "sums": []}, "/answer/who: not of type string"),
                 ({"who": "", "sums": [1, 2, 3]}, "/answer/sums: 3, maxItems is 2"),
                 ({"who": "", "sums": [1, -2]}, "/answer/sums/1: -2, minimum is 0"),
                 ({"who": "", "sums": [100]}, "/answer/sums/0: 100, exclusiveMaximum is 100"),
                 ({"who": "x" * 13, "sums": []}, "/answer/who: 13, maxLength"),
                 ({"who": ""}, '/answer: "sums" is missing'),
                 ({"who": "", "sums": [], "more": 1}, '/answer: "more" is not allowed'),
                 ([], "/answer: not of type object")]
        before = self.record("a.md").read_text()
        for answer, words in unfit:
            with self.subTest(words):
                file = self.change("a.md", lambda r: r.update(answer=answer, provenance={}, absent={}))
                self.relist()
                self.one(file.name, words)
                file.write_text(before)
        self.relist()
        (kept,) = self.out.glob("jobs/*/schema.json")
        kept.write_text("{")
        self.one("schema.json", "answers are not compared")

    # ---- the rest ----

    def test_no_manifest(self):
        (self.out / "manifest.sha256").unlink()
        self.one("manifest.sha256", "next run writes it")
        self.run()
        self.assertEqual(self.verify(), [])

    def test_a_bad_manifest(self):
        manifest = self.out / "manifest.sha256"
        lines = manifest.read_text().splitlines(keepends=True)
        for bad in [lines[1] + lines[0], lines[0] + "nonsense\n", lines[0][:-4], "x" * 5000,
                    lines[0].replace("records/", "../../x/")]:
            manifest.write_text(bad)
            self.assertIn("manifest.sha256: line ", "\n".join(self.verify(code=1)))

    def test_a_bad_summary(self):
        (self.out / "summary.json").write_text("{")
        self.one("summary.json")
        self.run()
        summary = json.loads((self.out / "summary.json").read_text())
        summary["ledger"]["pages"]["done"] += 1
        (self.out / "summary.json").write_text(json.dumps(summary))
        self.one("summary.json", "ledger of pages")

    def test_a_bad_catalogue(self):
        catalogue = self.out / "state/catalog.db"
        catalogue.write_bytes(b"no database" * 1000)
        self.one("catalog.db", "rebuild-index")
        self.assert_code(e2e.weft("rebuild-index", "-o", self.out), 0)
        self.assertEqual(self.verify(), [])

    def test_a_record_that_the_catalogue_has_not(self):
        file = self.record("a.md")
        self.catalogue("DELETE FROM record WHERE id = ?", "sha256:" + file.stem)
        self.one(file.name, "rebuild-index")

    def test_beside_a_run(self):
        """What a run has put in its place, and not yet into the catalogue, is newer, not unknown."""
        file = self.record("a.md")
        gone = self.record("b.md")
        self.change("c.md", lambda record: record["run"].update(seconds=9), keeps_times=False)
        os.utime(file)
        self.catalogue("DELETE FROM record WHERE id = ?", "sha256:" + file.stem)
        self.catalogue("UPDATE record SET sha256 = NULL WHERE id = ?", "sha256:" + gone.stem)
        gone.unlink()
        run = max((self.out / "state/runs").iterdir(), key=lambda path: int(path.name))
        with open(run, "rb") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
            self.assertEqual(self.verify(), [])
            manifest = self.out / "manifest.sha256"
            manifest.rename(self.out / "kept")
            self.assertEqual(self.verify(), [])
            (self.out / "kept").rename(manifest)
        found = "\n".join(self.verify(code=1))
        self.assertIn(file.name + ": not in the catalogue", found)
        self.assertIn(gone.name + ": in manifest.sha256, but not there", found)
        self.assertIn("damaged", found)

    # ---- what others left ----

    def test_files_of_others(self):
        file = self.record("a.md")
        records = self.out / "records"
        strays = [records / "mine.txt", file.parent / "notes.txt", file.parent / "copy.json",
                  records / ("0" * 64 + ".json"), records / "xyz/deep.txt"]
        for stray in strays:
            stray.parent.mkdir(exist_ok=True)
            stray.write_text("x")
        # A record in another record's folder.
        other = next(path for path in records.iterdir() if path.is_dir() and path != file.parent)
        misplaced = shutil.copy2(file, other / file.name)
        # What systems leave everywhere, and killed runs until the next one ends.
        for name in (".DS_Store", "Thumbs.db", "@eaDir", f".{file.name}.tmp-0123abcd"):
            (file.parent / name).write_text("x")
        due = sorted(str((stray.parent if stray.name == "deep.txt" else pathlib.Path(stray))
                         .relative_to(self.out)) for stray in [*strays, misplaced])
        found = self.verify(code=1)
        self.assertEqual(sorted(line.split(": ")[0] for line in found), due)
        self.assertTrue(all("move it away" in line for line in found), found)
        self.run()  # touches none of them
        self.assertEqual(len(self.verify(code=1)), len(due))

    # ---- how it is mended ----

    def test_a_record_changed_by_hand_is_made_again(self):
        """A run looks at documents, not at records: what verify says is what mends it."""
        before = e2e.records(self.out)
        shutil.copy(self.pile / "a.md", self.pile / "copy.md")
        self.run()
        whole = e2e.records(self.out)
        for mend in ("delete", "restore"):
            with self.subTest(mend):
                kept = self.record("a.md").read_bytes()
                file = self.change("a.md", lambda record: record["content"][0].update(text="x"),
                                   keeps_times=False)
                self.run()  # which leaves it, and lists it as it is
                self.one(file.name, "not the bytes that weft wrote", "restore it", "delete it and run weft")
                if mend == "delete":
                    file.unlink()
                    self.run()
                else:
                    file.write_bytes(kept)
                    self.run()
                self.assertEqual(self.verify(), [])
                self.assertEqual(e2e.records(self.out), whole)
        self.assertEqual(before.keys(), whole.keys())

    def test_nothing_to_look_at(self):
        self.assert_code(e2e.weft("verify", "-o", self.folder / "none"), 3)
        self.assertFalse((self.folder / "none").exists())
        self.assert_code(e2e.weft("verify", "--nonsense"), 2)

    def test_nothing_is_written(self):
        def state():
            return sorted((str(path), path.stat().st_mtime_ns) for path in self.folder.rglob("*")
                          if not path.name.startswith("catalog.db-") and path.name != "state")
        before = state()
        time.sleep(0.01)
        self.verify()
        self.assertEqual(state(), before)


class Rebuilt(e2e.Case):
    def test_everything_works_after_it(self):
        pile = self.folder / "pile"
        pile.mkdir()
        (pile / "a.md").write_text("The giraffe.\n")
        shutil.copy(pile / "a.md", pile / "b.md")
        (pile / "c.pdf").write_bytes(e2e.pdf([["Okapi"]]))
        run = ["-t", "inventory", "-o", self.out, pile]
        self.run_weft(*run, code=0)
        before = e2e.records(self.out)
        shutil.rmtree(self.out / "state")
        self.assert_code(e2e.weft("rebuild-index", "-o", self.out), 0)
        self.assertIn("giraffe", e2e.weft("show", "-o", self.out, pile / "b.md").stdout)
        self.assertIn("c.pdf", e2e.weft("search", "-o", self.out, "okapi").stdout)
        times = {file: file.stat().st_mtime_ns for file in e2e.record_files(self.out)}
        done = self.run_weft(*run, code=0)
        self.assertNotIn("done", done.stderr)  # hashed again, not decoded again
        self.assertEqual(e2e.records(self.out), before)
        self.assertEqual({file: file.stat().st_mtime_ns for file in e2e.record_files(self.out)}, times)

    def test_beside_what_a_killed_run_left(self):
        """A log that nobody has closed is of the catalogue before, not of the new one."""
        (self.folder / "a.md").write_text("The giraffe.\n")
        self.run_weft("-q", "-t", "inventory", "-o", self.out, self.folder / "a.md", code=0)
        state, kept = self.out / "state", self.folder / "kept"
        kept.mkdir()
        with contextlib.closing(sqlite3.connect(state / "catalog.db")) as database:
            database.execute("DELETE FROM source")
            database.commit()
            for name in ("catalog.db", "catalog.db-wal", "catalog.db-shm"):
                shutil.copy(state / name, kept / name)
        for file in kept.iterdir():  # as after kill -9
            shutil.copy(file, state / file.name)
        self.assertGreater((state / "catalog.db-wal").stat().st_size, 0)
        self.assert_code(e2e.weft("rebuild-index", "-o", self.out), 0)
        self.assertIn("giraffe", e2e.weft("show", "-o", self.out, self.folder / "a.md").stdout)
        with contextlib.closing(sqlite3.connect(state / "catalog.db")) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            self.assertEqual(database.execute("SELECT COUNT(*) FROM source").fetchall(), [(1,)])
        self.assertEqual(e2e.weft("verify", "-o", self.out).stdout, "")

    def test_refusals(self):
        done = e2e.weft("rebuild-index", "-o", self.out)
        self.assert_code(done, 3)
        self.assertFalse(self.out.exists())
        (self.folder / "a.md").write_text("x\n")
        self.run_weft("-q", "-t", "inventory", "-o", self.out, self.folder / "a.md", code=0)
        with open(self.out / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            self.assert_code(e2e.weft("rebuild-index", "-o", self.out), 75)
        (file,) = e2e.record_files(self.out)
        file.write_text("{}")
        self.assert_code(e2e.weft("rebuild-index", "-o", self.out), 1)


if __name__ == "__main__":
    e2e.main()
