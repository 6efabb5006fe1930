#!/bin/sh
# run.sh - builds weft and runs the whole test suite; ends with "N passed, N failed, N skipped".
#   sh tests/run.sh         the suite, as users build it (gcc, release)
#   sh tests/run.sh --all   also built by clang, under ASan+UBSan, and channels and kernels under
#                           TSan; compiler warnings are errors. What a merge needs.
#   sh tests/run.sh --long  the suite, then the long forms of the tests of faults and crashes
set -u
cd "$(dirname "$0")/.." || exit 1
. tools/prepare.sh

all=no long=no
case "${1-}" in
'') ;;
--all) all=yes ;;
--long) long=yes ;;
*)
	sed -n '2,6s/^# \{0,1\}//p' "$0"
	exit 2
	;;
esac

passed=0 failed=0 skipped=0

# total LOG NAMES: the sum of these lines of meson's summary.
total() {
	awk -F: -v names="^($2)$" '$1 ~ names { n += $2 } END { print n + 0 }' "$1"
}

# count LOG: adds meson's own totals.
count() {
	passed=$((passed + $(total "$1" Ok)))
	failed=$((failed + $(total "$1" 'Fail|Timeout|Unexpected Pass')))
	skipped=$((skipped + $(total "$1" Skipped)))
}

# suite NAME FOLDER TESTS [MESON OPTION...]: builds and tests one configuration.
suite() {
	name=$1 folder=$2 tests=$3
	shift 3
	echo "== $name"
	if ! build_weft "$folder" "$@"; then
		echo "$name does not build"
		failed=$((failed + 1))
		return
	fi
	log=$folder/meson-logs/run.txt
	# shellcheck disable=SC2086 # a list of suites
	meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 4 $tests >"$log" 2>&1
	grep -E '(FAIL|TIMEOUT|ERROR)|^(Ok|Fail|Timeout|Skipped):' "$log"
	[ -n "$(sed -n 's/^Ok: *//p' "$log")" ] || failed=$((failed + 1))
	count "$log"
	grep -qE '^(Fail|Timeout): *[1-9]' "$log" && tail -n 60 "$log"
}

# shellcheck disable=SC2086 # lists of names
install_packages $BUILD_PACKAGES $TEST_PACKAGES || exit 1

if [ $all = no ]; then
	[ -d build/tests ] || echo "Building (about two minutes on two cores) ..."
	if [ -f build/build.ninja ] && [ ! -d build/tests ]; then
		meson configure build -Dtests=enabled # the quickstart had made it without
	fi
	suite "gcc, release" build "" -Dtests=enabled
	[ $long = no ] || suite "gcc, release: long forms" build "--suite long"
else
	export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
	suite "gcc, release" build-ci "" -Dtests=enabled -Dwerror=true
	# faults start weft some thousand times, which sanitizers make slow and learn nothing from;
	# what layout looks at is the sources
	CC=clang suite "clang, ASan and UBSan" build-asan "--no-suite faults --no-suite slow --no-suite layout" -Dtests=enabled -Dwerror=true \
		-Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
	# GLib's slices pass memory from thread to thread by locks that TSan does not see
	CC=clang G_SLICE=always-malloc suite "clang, TSan: pipeline and kernels" build-tsan "--suite pipeline --suite kernels" \
		-Dtests=enabled -Dwerror=true -Dbuildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
