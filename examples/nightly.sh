#!/bin/sh
# nightly.sh JOB - what cron starts every night, where one line is not enough:
#
#   0 22 * * *  sh /usr/local/share/weft/examples/nightly.sh /etc/weft/archive.job
#
# It prints nothing when nothing newly went wrong, so cron mails nothing. Failures of the machine (a full disk, a
# helper program that was killed) are tried once more; the deadline is the job's (until=06:00).
set -u
job=${1:?"nightly.sh JOB"}

# What is newly wrong is on stderr, a line for each document.
weft run -c "$job" -q
code=$?
if [ $code = 74 ]; then
	sleep 60 # somebody may make room
	weft run -c "$job" -q
	code=$?
fi

case $code in
0) ;;      # all is done
4) code=0 ;;  # the time was over: the next night goes on
75) code=0 ;; # the run of last night still works
1) echo "weft: the documents above are newly failed or partial; weft show FILE has the record of each" >&2 ;;
130) echo "weft: stopped by a signal; the next night goes on" >&2 ;;
*) echo "weft: nothing was done, exit code $code (man weft has the list)" >&2 ;;
esac
exit $code
