"""`meson install` with DESTDIR: the installed weft finds its helpers, its tasks and its bundle."""

import os
import shutil
import subprocess

import e2e


class Install(e2e.Case):
    @e2e.needs("meson")
    def test_install(self):
        root = self.folder / "root"
        done = subprocess.run(["meson", "install", "-C", os.environ["BUILD"], "--no-rebuild",
                               "--quiet", "--destdir", root], capture_output=True, text=True,
                              check=False)
        self.assert_code(done, 0)
        found = list(root.rglob("bin/weft"))
        self.assertEqual(len(found), 1)
        # Elsewhere than built, away from the sources: only what is installed may be found.
        prefix = self.folder / "elsewhere"
        shutil.move(found[0].parent.parent, prefix)
        program = prefix / "bin" / "weft"
        names = sorted(str(p.relative_to(prefix)) for p in prefix.rglob("*") if p.is_file())
        self.assertTrue(any(n.startswith("share/weft/tasks/index") for n in names), names)
        for helper in ("pdf", "image", "av"):
            self.assertIn(f"libexec/weft/weft-decode-{helper}", names)
            self.assertTrue(os.access(prefix / "libexec/weft" / f"weft-decode-{helper}", os.X_OK))
        for unit in prefix.rglob("weft@.service"):  # where systemd is
            self.assertRegex(unit.read_text(), r"(?m)^ExecStart=/.*/bin/weft run -c /etc/weft/%i\.job$")
            self.assertIn("lib/systemd/system/weft@.timer", names)
            self.assertIn("lib/sysusers.d/weft.conf", names)
        self.check_runs(program)
        self.check_manual(prefix)

    def check_runs(self, program):
        files = [e2e.INBOX / n for n in ("annual-report.pdf", "chart.png", "voice-memo.flac")]
        result = self.installed(program, "run", "-t", "inventory", "-o", "-", *files)
        self.assert_code(result, 0)
        self.assertEqual({r["status"] for r in e2e.lines(result)}, {"ok"})
        result = self.installed(program, "plan", "--device", "h100", e2e.BUNDLE)
        self.assert_code(result, 0)
        self.assertIn("H100", result.stdout)
        model = [] if e2e.SHIPPED else ["-m", e2e.BUNDLE]
        result = self.installed(program, "run", *model, "--reader", "none", "-o", "-",
                                e2e.INBOX / "notes.md")
        record = e2e.named(e2e.lines(result))["notes.md"]
        self.assertIsNotNone(record["model"], result)
        self.assertIn("title", record["answer"])

    def installed(self, program, *arguments):
        return subprocess.run([program, *arguments], cwd=self.folder, capture_output=True,
                              text=True, check=False, timeout=500)

    def check_manual(self, prefix):
        sources = list((e2e.SOURCE / "docs" / "man").glob("*.1"))
        for page in sources:
            self.assertTrue((prefix / "share/man/man1" / page.name).exists(), page.name)
        self.assertTrue((prefix / "share/man/man1/weft.1").exists())


if __name__ == "__main__":
    e2e.main()
