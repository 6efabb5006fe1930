#!/usr/bin/env python3
"""check_speech.py SOURCE PRINT_SOUNDING: makes the small corpus of voices, music and noise, and measures what
is found in it against the promises of tools/measure_speakers.py. Skipped (77) without espeak-ng."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

source, program = pathlib.Path(sys.argv[1]), sys.argv[2]
if not shutil.which("espeak-ng"):
    sys.exit(77)
with tempfile.TemporaryDirectory() as corpus:
    subprocess.run([sys.executable, source / "tools/make_speech_corpus.py", corpus, "--small"], check=True)
    sys.exit(subprocess.run([sys.executable, source / "tools/measure_speakers.py", program, corpus, "--check"]).returncode)
