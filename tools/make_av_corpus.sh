#!/bin/sh
# Makes tests/fuzz/corpus/av: the smallest files of several containers, and playlists that must
# open nothing. Needs ffmpeg. Run from the top of the tree.
set -e
to=tests/fuzz/corpus/av
mkdir -p $to
tone='aevalsrc=0.3*sin(2*PI*300*t)*lt(mod(t\,1.2)\,0.2):s=8000:d=1.4'
film=testsrc2=s=32x24:r=5:d=1
# bitexact stands before -c, so that it belongs to the output.
exact='-fflags +bitexact -flags +bitexact'
# shellcheck disable=SC2086 # options
sound() { ffmpeg -nostdin -loglevel error -y -f lavfi -i "$tone" $exact "$@"; }
# shellcheck disable=SC2086 # options
both() { ffmpeg -nostdin -loglevel error -y -f lavfi -i "$film" -f lavfi -i "$tone" $exact "$@"; }
sound -c:a pcm_u8 -t 0.1 $to/tone.wav
sound -c:a libopus -b:a 8k -ar 8000 $to/tone.ogg
sound -b:a 8k -ar 8000 $to/tone.mp3
both -c:v mpeg4 -b:v 8k -c:a aac -b:a 8k -ar 8000 -metadata title=x $to/film.mp4
both -c:v libx264 -crf 40 -c:a aac -b:a 8k -ar 8000 $to/film.mkv
printf '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\ntone.wav\n#EXT-X-ENDLIST\n' > $to/list.m3u8
printf 'ffconcat version 1.0\nfile tone.wav\n' > $to/list.ffconcat
printf 'made by tools/make_av_corpus.sh with ffmpeg 5.1.9; no seed\n' > $to/ORIGIN
