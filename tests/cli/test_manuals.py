"""Manual, --help and completion of a command have the same options; docs/man has a page for each command."""

import re
import subprocess
import unittest

import e2e

PAGES = e2e.SOURCE / "docs/man"
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z0-9](?![\w.-]))")
EVERYWHERE = {"--help", "-h"}


def commands():
    """As weft --help lists them."""
    return re.findall(r"^  weft (\S+) +\S", e2e.weft("--help").stdout, re.MULTILINE)


def of_help(command):
    """Of the table that GLib prints, or, where there is none, of the usage."""
    text = e2e.weft(command, "--help").stdout
    table = [line for line in text.splitlines() if re.match(r"  -", line)]
    if table:
        return {option for line in table for option in OPTION.findall(line.split("  ")[1])}
    return set(OPTION.findall(text))


def of_manual(command):
    """Of the tags of its OPTIONS, or, where there is none, of the synopsis."""
    text = (PAGES / f"weft-{command}.1").read_text()
    text = re.sub(r"\\f[BIR]", "", text).replace("\\-", "-").replace('"', "")
    options = re.search(r"^\.SH OPTIONS\n(.*?)(?=^\.SH |\Z)", text, re.MULTILINE | re.DOTALL)
    if options:
        tags = re.findall(r"^\.TP\n(.*)$", options[1], re.MULTILINE)
        return {option for tag in tags for option in OPTION.findall(tag.replace(" , ", ", "))}
    return set(OPTION.findall(re.search(r"^\.SH SYNOPSIS\n(.*?)(?=^\.SH )", text,
                                        re.MULTILINE | re.DOTALL)[1]))


def of_completion(command):
    script = f"""
        source "{e2e.SOURCE}/dist/weft.bash-completion"
        COMP_WORDS=("{e2e.WEFT}" "{command}" --) COMP_CWORD=2
        _weft
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


class Manuals(e2e.Case):
    def test_pages(self):
        said = commands()
        self.assertGreater(len(said), 10)
        self.assertEqual(sorted(said), sorted(path.name[5:-2] for path in PAGES.glob("weft-*.1")))
        listed = (PAGES / "weft.1").read_text().split(".SH COMMANDS")[1].split(".SH ")[0]
        listed = re.findall(r"^\.BR weft-(\S+) \(1\)$", listed, re.MULTILINE)
        self.assertEqual(said, listed)

    def test_options(self):
        for command in commands():
            with self.subTest(command):
                self.assertEqual(of_help(command) - EVERYWHERE, of_manual(command) - EVERYWHERE)

    def test_keys_of_tasks(self):
        """Those that the program knows, and no others."""
        page = (PAGES / "weft-task.5").read_text()
        for source, section in (("task.c", "KEYS"), ("task_types.c", "TYPES")):
            known = re.search(r"known\[\] = \{(.*?)NULL\}", (e2e.SOURCE / "pipeline" / source).read_text(),
                              re.DOTALL)[1]
            listed = page.split(f".SH {section}\n")[1].split(".SH ")[0]
            self.assertEqual(set(re.findall(r'"([a-z_]+)"', known)),
                             set(re.findall(r"^\.TP\n\.B ([a-z_]+)$", listed, re.MULTILINE)), section)

    def test_exit_codes(self):
        """Those that a command names stand in its manual (of run: in weft's)."""
        for command in commands():
            codes = re.search(r"^Exit codes: (.*)", e2e.weft(command, "--help").stdout,
                              re.MULTILINE | re.DOTALL)
            if codes is None:
                continue
            with self.subTest(command):
                page = (PAGES / ("weft.1" if command == "run" else f"weft-{command}.1")).read_text()
                manual = page.split(".SH EXIT STATUS")[1].split(".SH ")[0]
                for code in re.findall(r"(?:^|; )\s*(\d+) ", codes[1], re.MULTILINE):
                    self.assertRegex(manual, rf"(?m)(^|, )(\.B )?{code}\b")

    @unittest.skipUnless(e2e.shutil.which("bash"), "bash is not installed")
    def test_completion(self):
        for command in ["run", "plan", "verify", "gc", "search", "status", "rebuild-index", "doctor"]:
            with self.subTest(command):
                options = {option for option in of_help(command) if option.startswith("--")}
                self.assertEqual(of_completion(command) - EVERYWHERE, options - EVERYWHERE)
        said = subprocess.run(["bash", "-c", f'source "{e2e.SOURCE}/dist/weft.bash-completion"; '
                               'COMP_WORDS=(weft "") COMP_CWORD=1; _weft; echo "${COMPREPLY[@]}"'],
                              capture_output=True, text=True, timeout=60, check=True).stdout.split()
        self.assertEqual(sorted(said), sorted([*commands(), "--help", "--version"]))


if __name__ == "__main__":
    e2e.main()
