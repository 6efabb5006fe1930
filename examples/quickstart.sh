#!/bin/sh
# quickstart.sh - from a fresh Debian 12 to the first records: installs what is missing, builds,
# reads examples/inbox with the shipped bundle and shows what came out. Safe to run again.
set -u
cd "$(dirname "$0")/.." || exit 1
. tools/prepare.sh

# shellcheck disable=SC2086 # a list of names
install_packages $BUILD_PACKAGES || exit 1
[ -f build/build.ninja ] || echo "Building weft (about a minute on two cores) ..."
build_weft build || exit 1

out=weft-out
command="weft run examples/inbox -o $out"
run() {
	build/cli/weft run examples/inbox -o $out
	code=$?
}

echo "\$ $command"
run
if [ $code -gt 1 ]; then
	echo "weft ended with exit code $code" >&2
	exit 1
fi
echo
build/cli/weft show -o $out
echo
echo "Two inputs do not succeed on purpose: broken.pdf is damaged, minutes.docx is a type that weft does not"
echo "read (reasons above); so weft's exit code $code was expected. Speech is partial: found and timed, but the"
echo "shipped bundle hears no words. To read one record: build/cli/weft show -o $out examples/inbox/chart.png"
echo
echo "\$ $command          # again: what has not changed is not opened"
run
if [ $code -gt 1 ]; then
	echo "weft ended with exit code $code" >&2
	exit 1
fi
