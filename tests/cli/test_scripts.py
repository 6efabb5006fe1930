"""Shell scripts of the tree: what sh reads, and what shellcheck says when it is installed."""

import subprocess

import e2e

SCRIPTS = sorted({p for pattern in ("examples/*.sh", "tests/*.sh", "tools/*.sh", ".ci/run")
                  for p in e2e.SOURCE.glob(pattern)})


class Scripts(e2e.Case):
    def test_there_are_some(self):
        names = {p.name for p in SCRIPTS}
        self.assertLessEqual({"quickstart.sh", "run.sh", "prepare.sh"}, names)

    def test_sh_reads_them(self):
        for path in SCRIPTS:
            with self.subTest(path.name):
                subprocess.run(["sh", "-n", path], check=True)

    @e2e.needs("shellcheck")
    def test_shellcheck(self):
        result = subprocess.run(["shellcheck", "-x", "-P", e2e.SOURCE, *SCRIPTS], cwd=e2e.SOURCE,
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.stdout, "")
        self.assert_code(result, 0)


if __name__ == "__main__":
    e2e.main()
