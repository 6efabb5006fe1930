#!/bin/sh
# make_old_output.sh - an output folder as an older weft left it, for tests/e2e/test_upgrade.py.
#
# usage: tools/make_old_output.sh WEFT FOLDER
#
# WEFT is a program built from the commit that tests/e2e/data/ORIGIN names; FOLDER is made. Inputs are those
# of examples/inbox that the test copies under the same names.
set -eu
weft=$(realpath "$1")
inbox=$(realpath "$(dirname "$0")/../examples/inbox")
mkdir -p "$2/in/sub"
cd "$2"
for name in notes.md chart.png broken.pdf minutes.docx photo-receipt.jpg; do
	cp "$inbox/$name" in/
done
cp in/notes.md in/sub/notes-copy.md
"$weft" run -q -t inventory -o out in || [ $? -eq 1 ]
rm -r in
