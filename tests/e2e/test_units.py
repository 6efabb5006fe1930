"""What cron and systemd start: the shipped units, the job, the script, the line of a crontab."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import as_unit
import e2e

SYSTEMD = e2e.SOURCE / "dist/systemd"
# What systemd would make of mounts, networks and users; $1: the folder that may be written, $2: the unit.
CONFINE = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -o remount,bind,ro /
cd "$1"
state=$1 unit=$2
shift 2
umask 0077
! touch ../outside 2>/dev/null
exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
    /usr/bin/python3 -B "$SOURCE/tests/e2e/as_unit.py" "$unit" "$@"
"""


def can_confine():
    try:
        return os.getuid() == 0 and subprocess.run(
            ["unshare", "-m", "-n", "-i", "mount", "--make-rprivate", "/"], capture_output=True,
            check=False).returncode == 0
    except OSError:
        return False


@e2e.needs("systemd-analyze")
class Units(e2e.Case):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        text = (SYSTEMD / "weft@.service.in").read_text()
        self.assertIn("@bindir@/weft run -c /etc/weft/%i.job", text)
        # The program as it is built: verify wants it to be there.
        self.service = self.folder / "weft@.service"
        self.service.write_text(text.replace("@bindir@/weft", e2e.WEFT))
        shutil.copy(SYSTEMD / "weft@.timer", self.folder)

    def analyze(self, *arguments):
        return subprocess.run(["systemd-analyze", *arguments], cwd=self.folder, capture_output=True,
                              text=True, check=False)

    def test_verify(self):
        done = self.analyze("verify", "--man=no", "./weft@.service", "./weft@.timer")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_exposure(self):
        """Of 10; what is hardened in the unit is a promise: below 1.5 is what systemd calls safe."""
        done = self.analyze("security", "--offline=true", "--threshold=15", "./weft@.service")
        self.assertEqual(done.returncode, 0, done.stdout[-200:] + done.stderr)

    def test_what_the_exit_codes_mean(self):
        said = as_unit.settings(self.service)
        self.assertEqual(said["SuccessExitStatus"], ["4 75"])
        self.assertEqual(said["KillMode"], ["mixed"])
        self.assertEqual(said["OOMPolicy"], ["continue"])
        # Longer than weft takes to stop, or systemd would kill what is being finished.
        watch = (e2e.SOURCE / "cli/watch.c").read_text()
        seconds = sum(int(re.search(rf"#define {name} (\d+)", watch)[1]) for name in ("GRACE_S", "CANCEL_S"))
        self.assertLess(seconds, int(said["TimeoutStopSec"][0].rstrip("s")))

    def test_calls_that_the_jail_needs(self):
        """Not in @system-service of systemd 252: without them the decoders would not be locked down."""
        allowed = as_unit.allowed_calls(self.service)
        for call in ("seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
                     "prlimit64", "capset"):
            self.assertIn(call, allowed)
        for call in ("mount", "ptrace", "bpf", "kexec_load", "init_module", "reboot", "settimeofday"):
            self.assertNotIn(call, allowed)

    @e2e.unittest.skipUnless(can_confine(), "needs root and namespaces")
    def test_a_night_as_the_unit_has_it(self):
        """Nobody's rights, read-only mounts, no network, the filters: the same records as without."""
        state = self.folder / "state"
        state.mkdir()
        os.chown(state, 65534, 65534)
        inbox = self.folder / "inbox"
        inbox.mkdir()
        for name in ("annual-report.pdf", "chart.png", "voice-memo.flac", "slides-talk.mp4", "notes.md",
                     "scanned-letter.pdf"):
            shutil.copy(e2e.INBOX / name, inbox)
        job = self.folder / "night.job"
        job.write_text(f"[job]\ninputs={inbox}\nmodel={e2e.BUNDLE}\noutput={state}/weft-out\n")
        subprocess.run(["chmod", "-R", "a+rX", self.folder], check=True)
        state.chmod(0o700)
        done = subprocess.run(["unshare", "-m", "-n", "-i", "sh", "-c", CONFINE, "sh", state, self.service,
                               e2e.WEFT, "run", "-c", job], capture_output=True, text=True, check=False,
                              timeout=500)
        self.assertEqual(done.returncode, 1, done.stderr)  # the small bundle's answers are partial
        self.assertFalse((self.folder / "outside").exists())
        self.run_weft("-c", job, "-o", self.out, code=1)
        self.assertEqual(e2e.records(state / "weft-out"), e2e.records(self.out))
        self.assertGreaterEqual(len(e2e.record_files(self.out)), 6)


class Crontab(e2e.Case):
    def setUp(self):
        super().setUp()
        self.inbox = self.folder / "inbox"
        self.inbox.mkdir()
        (self.inbox / "a.txt").write_text("The pier was mended in May.\n")
        text = (e2e.SOURCE / "dist/archive.job").read_text()
        self.assertIn("until=06:00\n", text)
        self.job = self.folder / "archive.job"
        self.job.write_text(text.replace("/srv/archive", "inbox").replace("/var/lib/weft/archive", "out")
                            .replace("task=index", "task=inventory"))
        self.environment = {**os.environ, "PATH": f"{pathlib.Path(e2e.WEFT).parent}:{os.environ['PATH']}"}

    def sh(self, line):
        return subprocess.run(["sh", "-c", line], cwd=self.folder, capture_output=True, text=True,
                              check=False, env=self.environment)

    def crontab_line(self):
        """As the manual has it; README has the same."""
        page = (e2e.SOURCE / "docs/man/weft-run.1").read_text().replace("\\", "")
        line = re.search(r"^ *0 22 \* \* \*  (.*)$", page, re.M)[1]
        self.assertIn(line, (e2e.SOURCE / "README.md").read_text())
        return line

    def test_line(self):
        line = self.crontab_line()
        for _ in range(2):
            done = self.sh(line)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        # Stopped with work left: nothing to mail, and no failure.
        for i in range(300):
            (self.inbox / f"{i}.txt").write_text(f"number {i}\n")
        (self.folder / "zero.job").write_text(self.job.read_text())
        stopped = self.sh(line.replace("--until 06:00", "--max-time 1s"))
        self.assertEqual((stopped.returncode, stopped.stderr), (0, ""))
        # Something newly failed: one line, once.
        (self.inbox / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing\n")
        done = self.sh(line)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("broken.pdf", done.stderr)
        self.assertNotEqual(done.returncode, 0)
        done = self.sh(line)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_script(self):
        script = e2e.SOURCE / "examples/nightly.sh"
        done = self.sh(f"sh {script} {self.job}")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        (self.inbox / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing\n")
        done = self.sh(f"sh {script} {self.job}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("broken.pdf", done.stderr)
        done = self.sh(f"sh {script} {self.folder}/none.job")
        self.assertEqual(done.returncode, 3)
        self.assertIn("none.job", done.stderr)


if __name__ == "__main__":
    sys.exit(e2e.main())
