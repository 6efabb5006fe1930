# shellcheck shell=sh disable=SC2034 # the lists are used by those who source this
# prepare.sh - sourced by examples/quickstart.sh and tests/run.sh: packages, then a build folder.
# Debian 12; other systems get the list of what is needed.

BUILD_PACKAGES="gcc meson ninja-build pkg-config libglib2.0-dev libsqlite3-dev zlib1g-dev libpng-dev
libjpeg62-turbo-dev libpoppler-glib-dev libavformat-dev libavcodec-dev libswresample-dev
libswscale-dev libavutil-dev libseccomp-dev libtesseract-dev tesseract-ocr"
TEST_PACKAGES="clang libclang-rt-14-dev libjansson-dev python3 python3-numpy poppler-utils ffmpeg strace cmark-gfm espeak-ng"

# install_packages NAME...: installs those that are missing, or says exactly what to install.
install_packages() {
	missing=
	for package in "$@"; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=absent
		[ "$state" = installed ] || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" = 0 ]; then
		as_root=
	elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
		as_root=sudo
	else
		echo "These packages are missing. Please run as root, then start this again:" >&2
		echo "  apt-get update && apt-get install --no-install-recommends$missing" >&2
		return 1
	fi
	echo "Installing:$missing"
	log=$(mktemp)
	$as_root apt-get update -qq >"$log" 2>&1
	# shellcheck disable=SC2086 # names without spaces
	if ! $as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $missing >>"$log" 2>&1; then
		tail -n 5 "$log" >&2
		echo "apt-get could not install them; its output is in $log" >&2
		return 1
	fi
	rm -f "$log"
}

# build_weft FOLDER [MESON OPTION...]: configures once, then builds what has changed.
build_weft() {
	folder=$1
	shift
	if [ ! -f "$folder/build.ninja" ]; then
		meson setup "$folder" "$@" >"$folder.log" 2>&1 || {
			tail -n 20 "$folder.log" >&2
			return 1
		}
	fi
	ninja -C "$folder" >"$folder.log" 2>&1 || {
		grep -E -A8 'FAILED|error:' "$folder.log" | head -n 40 >&2
		return 1
	}
	if grep -q 'warning:' "$folder.log"; then
		grep -A4 'warning:' "$folder.log" | head -n 20 >&2
	fi
	rm -f "$folder.log"
}
