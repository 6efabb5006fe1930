/* test_containers.c - the formats that people have, whole and damaged, against FFmpeg's own program. Files
 * are made when the test runs. */
#include "tests/ingest/av_media.h"

typedef struct Format {
	const char *name;    /* of the file */
	const char *output;  /* how ffmpeg writes it */
	const char *format;  /* what the track of sound is called */
	const char *encoder; /* that not every build of ffmpeg has, or NULL */
} Format;

#define PICTURES "-f lavfi -i smptebars=s=160x96:r=25:d=3 "
#define BOTH PICTURES TWO_TONES "-map 0:v -map 1:a -shortest "

static const Format SOUNDS[] = {
    {"u8.wav", "-c:a pcm_u8 -ar 8000 -ac 1", "pcm_u8, 8000 Hz, channels: 1", NULL},
    {"s16.wav", "-c:a pcm_s16le", "pcm_s16le, 44100 Hz, channels: 2", NULL},
    {"s24.wav", "-c:a pcm_s24le -ar 48000", "pcm_s24le, 48000 Hz, channels: 2", NULL},
    {"s32.wav", "-c:a pcm_s32le -ar 96000", "pcm_s32le, 96000 Hz, channels: 2", NULL},
    {"f32.wav", "-c:a pcm_f32le -ar 48000 -ac 6", "pcm_f32le, 48000 Hz, channels: 6", NULL},
    {"f64.wav", "-c:a pcm_f64le -ar 16000 -ac 1", "pcm_f64le, 16000 Hz, channels: 1", NULL},
    {"mulaw.wav", "-c:a pcm_mulaw -ar 8000 -ac 1", "pcm_mulaw, 8000 Hz, channels: 1", NULL},
    {"alaw.wav", "-c:a pcm_alaw -ar 8000", "pcm_alaw, 8000 Hz, channels: 2", NULL},
    {"adpcm.wav", "-c:a adpcm_ms -ar 22050", "adpcm_ms, 22050 Hz, channels: 2", NULL},
    {"rf64.wav", "-c:a pcm_s16le -rf64 always", "pcm_s16le, 44100 Hz, channels: 2", NULL},
    {"s.w64", "-c:a pcm_s16le", "pcm_s16le, 44100 Hz, channels: 2", NULL},
    {"s.aiff", "-ar 16000 -ac 1", "pcm_s16be, 16000 Hz, channels: 1", NULL},
    {"s24.aiff", "-c:a pcm_s24be", "pcm_s24be, 44100 Hz, channels: 2", NULL},
    {"s.au", "-c:a pcm_mulaw -ar 8000 -ac 1", "pcm_mulaw, 8000 Hz, channels: 1", NULL},
    {"s.caf", "-c:a alac", "alac, 44100 Hz, channels: 2", NULL},
    {"s.mp3", "", "mp3, 44100 Hz, channels: 2", "libmp3lame"},
    {"bare.mp3", "-ar 22050 -ac 1 -write_xing 0 -id3v2_version 0", "mp3, 22050 Hz, channels: 1",
     "libmp3lame"},
    {"s.m4a", "-c:a aac -b:a 96k", "aac, 44100 Hz, channels: 2", NULL},
    {"alac.m4a", "-c:a alac", "alac, 44100 Hz, channels: 2", NULL},
    {"s.aac", "-c:a aac", "aac, 44100 Hz, channels: 2", NULL},
    {"s.flac", "-ar 11025 -ac 1", "flac, 11025 Hz, channels: 1", NULL},
    {"s24.flac", "-sample_fmt s32 -ar 96000", "flac, 96000 Hz, channels: 2", NULL},
    {"s.ogg", "-c:a libvorbis", "vorbis, 44100 Hz, channels: 2", "libvorbis"},
    {"flac.ogg", "-c:a flac", "flac, 44100 Hz, channels: 2", NULL},
    {"speex.ogg", "-c:a libspeex -ar 16000 -ac 1", "speex, 16000 Hz, channels: 1", "libspeex"},
    {"s.opus", "-c:a libopus", "opus, 48000 Hz, channels: 2", "libopus"},
    {"s.wma", "-c:a wmav2", "wmav2, 44100 Hz, channels: 2", NULL},
    {"s.wv", "-c:a wavpack", "wavpack, 44100 Hz, channels: 2", NULL},
    {"s.tta", "-c:a tta", "tta, 44100 Hz, channels: 2", NULL},
    {"s.ac3", "-ar 48000 -ac 6", "ac3, 48000 Hz, channels: 6", NULL},
    {"s.mka", "-c:a libopus", "opus, 48000 Hz, channels: 2", "libopus"},
    {"s.gsm", "-c:a libgsm -ar 8000 -ac 1", "gsm, 8000 Hz, channels: 1", "libgsm"},
};

static const Format VIDEOS[] = {
    {"v.mp4", "-c:v libx264 -preset ultrafast -c:a aac", "aac, 44100 Hz, channels: 2", "libx264"},
    {"frag.mp4", "-c:v mpeg4 -c:a aac -movflags frag_keyframe+empty_moov",
     "aac, 44100 Hz, channels: 2", NULL},
    {"hevc.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none -c:a aac",
     "aac, 44100 Hz, channels: 2", "libx265"},
    {"v.mov", "-c:v mjpeg -c:a pcm_s16le", "pcm_s16le, 44100 Hz, channels: 2", NULL},
    {"v.mkv", "-c:v libx264 -preset ultrafast -c:a flac", "flac, 44100 Hz, channels: 2",
     "libx264"},
    {"v.webm", "-c:v libvpx -deadline realtime -c:a libvorbis", "vorbis, 44100 Hz, channels: 2",
     "libvpx"},
    {"vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus",
     "opus, 48000 Hz, channels: 2", "libvpx-vp9"},
    {"v.avi", "-c:v mpeg4 -c:a libmp3lame", "mp3, 44100 Hz, channels: 2", "libmp3lame"},
    {"pcm.avi", "-c:v mjpeg -c:a pcm_s16le", "pcm_s16le, 44100 Hz, channels: 2", NULL},
    {"v.3gp", "-c:v mpeg4 -c:a aac -ar 16000 -ac 1", "aac, 16000 Hz, channels: 1", NULL},
    {"v.ts", "-c:v mpeg2video -c:a mp2", "mp2, 44100 Hz, channels: 2", NULL},
    {"v.mpg", "-c:v mpeg1video -c:a mp2", "mp2, 44100 Hz, channels: 2", NULL},
    {"v.ogv", "-c:v libtheora -c:a libvorbis", "vorbis, 44100 Hz, channels: 2", "libtheora"},
    {"v.wmv", "-c:v wmv2 -c:a wmav2", "wmav2, 44100 Hz, channels: 2", NULL},
    {"v.flv", "-c:v flv -c:a libmp3lame", "mp3, 44100 Hz, channels: 2", "libmp3lame"},
};

static gboolean has_encoder(const char *name)
{
	g_autofree char *out = shell("ffmpeg -hide_banner -loglevel quiet -h encoder=%s || true", name);
	return g_str_has_prefix(out, "Encoder ");
}

static const char *format_of(const Decoded *d, guint32 track)
{
	g_autofree char *key = g_strdup_printf("track %u format", track);
	const WeftPart *part;
	for (guint n = 0; (part = nth(d, WEFT_PART_META, 0, n)); n++)
		if (strcmp(part->key, key) == 0)
			return part->value;
	return NULL;
}

/* Streams of MPEG are numbered as they come. */
static guint32 track_of(const Decoded *d, const char *kind)
{
	const WeftPart *part;
	for (guint n = 0; (part = nth(d, WEFT_PART_TRACK, 0, n)); n++)
		if (strcmp(part->track.kind, kind) == 0)
			return part->track.n;
	return 0;
}

/* The track is named, its seconds are right, and its samples are FFmpeg's. */
static void assert_sound(const Format *format)
{
	Decoded d = decode(format->name);
	g_assert_no_error(d.error);
	guint32 track = track_of(&d, "audio");
	const WeftPart *facts = nth(&d, WEFT_PART_TRACK, track, 0);
	g_assert_nonnull(facts);
	g_assert_cmpstr(format_of(&d, track), ==, format->format);
	if (facts->track.seconds >= 0 && !(fabs(facts->track.seconds - 3) < 0.15))
		g_error("%s: states %f s", format->name, facts->track.seconds);
	double begin = INFINITY, end = 0;
	const WeftPart *part;
	for (guint n = 0; (part = nth(&d, WEFT_PART_PCM, track, n)); n++) {
		begin = MIN(begin, part->anchor.time[0]);
		end = MAX(end, part->anchor.time[1]);
	}
	if (!(fabs(begin) < 0.1 && fabs(end - 3) < 0.15))
		g_error("%s: sound from %f to %f s", format->name, begin, end);
	decoded_free(&d);
	assert_as_ffmpeg(format->name, track);
}

static void each_format_of_sound(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(SOUNDS); i++) {
		if (SOUNDS[i].encoder && !has_encoder(SOUNDS[i].encoder)) {
			g_test_message("%s: this ffmpeg has no %s", SOUNDS[i].name, SOUNDS[i].encoder);
			continue;
		}
		g_free(shell(FFMPEG TWO_TONES "%s %s", SOUNDS[i].output, SOUNDS[i].name));
		assert_sound(&SOUNDS[i]);
	}
}

static void each_format_of_video(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(VIDEOS); i++) {
		if (VIDEOS[i].encoder && !has_encoder(VIDEOS[i].encoder)) {
			g_test_message("%s: this ffmpeg has no %s", VIDEOS[i].name, VIDEOS[i].encoder);
			continue;
		}
		g_free(shell(FFMPEG BOTH "%s %s", VIDEOS[i].output, VIDEOS[i].name));
		assert_sound(&VIDEOS[i]);
		Decoded d = decode(VIDEOS[i].name);
		const WeftPart *frame = nth(&d, WEFT_PART_FRAME, track_of(&d, "video"), 0);
		g_assert_cmpuint(count(&d, WEFT_PART_FRAME, 0), ==, 1);
		assert_time(frame, 0, 3, 0.15);
		g_assert_cmpuint(frame->raster.width, ==, 160);
		decoded_free(&d);
	}
}

/* No encoder is needed: a decoder of speech makes a voice of any bits. */
static void amr_is_read(void)
{
	static const struct {
		const char *name, *magic, *format;
		guint8 head;
		guint n_bytes;
	} KINDS[] = {{"s.amr", "#!AMR\n", "amr_nb, 8000 Hz, channels: 1", 0x3c, 31},
	             {"wide.amr", "#!AMR-WB\n", "amr_wb, 16000 Hz, channels: 1", 0x44, 60}};
	for (guint i = 0; i < G_N_ELEMENTS(KINDS); i++) {
		g_autoptr(GString) bytes = g_string_new(KINDS[i].magic);
		g_autoptr(GRand) rand = g_rand_new_with_seed(5);
		g_autofree char *path = in_folder(KINDS[i].name);
		for (guint n = 0; n < 150; n++) { /* of 20 ms */
			g_string_append_c(bytes, (char)KINDS[i].head);
			for (guint k = 0; k < KINDS[i].n_bytes; k++)
				g_string_append_c(bytes, (char)g_rand_int_range(rand, 0, 256));
		}
		g_assert_true(g_file_set_contents(path, bytes->str, (gssize)bytes->len, NULL));
		const Format format = {KINDS[i].name, NULL, KINDS[i].format, NULL};
		assert_sound(&format);
	}
	make("-i s.amr -c copy s.3gp");
	const Format phone = {"s.3gp", NULL, "amr_nb, 8000 Hz, channels: 1", NULL};
	assert_sound(&phone);
}

static void ten_tracks_have_their_languages(void)
{
	static const char *const LANGUAGES[] = {"eng", "deu", "fra", "spa", "ita",
	                                        "nld", "pol", "swe", "jpn", "por"};
	g_autoptr(GString) line = g_string_new(PICTURES TWO_TONES "-map 0:v ");
	for (guint i = 0; i < 10; i++)
		g_string_append_printf(line, "-map 1:a -metadata:s:a:%u language=%s "
		                       "-metadata:s:a:%u title='Voice %u' ",
		                       i, LANGUAGES[i], i, i + 1);
	g_free(shell(FFMPEG "%s -c:v mpeg4 -c:a pcm_s16le -ar 16000 -ac 1 ten.mkv", line->str));
	g_free(shell(FFMPEG "%s -c:v mpeg4 -c:a aac ten.mp4", line->str));
	const char *names[] = {"ten.mkv", "ten.mp4"};
	for (guint k = 0; k < 2; k++) {
		Decoded d = decode(names[k]);
		g_assert_no_error(d.error);
		g_assert_cmpuint(count(&d, WEFT_PART_FAULT, 0), ==, 0);
		for (guint i = 0; i < 10; i++) {
			const WeftPart *facts = nth(&d, WEFT_PART_TRACK, i + 2, 0);
			g_assert_cmpstr(facts->track.language, ==, LANGUAGES[i]);
			g_assert_cmpuint(count(&d, WEFT_PART_PCM, i + 2), ==, 1);
		}
		decoded_free(&d);
	}
}

static void cut_file(const char *from, const char *to, double share)
{
	g_autofree char *in = in_folder(from), *out = in_folder(to), *bytes = NULL;
	gsize size = 0;
	g_assert_true(g_file_get_contents(in, &bytes, &size, NULL));
	g_assert_true(g_file_set_contents(out, bytes, (gssize)((double)size * share), NULL));
}

#define TEN_S "-f lavfi -i sine=f=300:d=10:r=16000 "
#define TEN_S_BOTH "-f lavfi -i testsrc2=s=160x96:r=25:d=10 " TEN_S "-map 0 -map 1 "

static double end_of_sound(const Decoded *d)
{
	double end = 0;
	const WeftPart *part;
	for (guint n = 0; (part = nth(d, WEFT_PART_PCM, 0, n)); n++)
		end = MAX(end, part->anchor.time[1]);
	return end;
}

/* Of each the first 60 %: about six seconds, and a word about where it ends. */
static void truncated_keeps_what_was_read(void)
{
	static const char *const FILES[][2] = {
	    {"t.wav", TEN_S},
	    {"t.flac", TEN_S},
	    {"t.mp3", TEN_S},
	    {"t.aiff", TEN_S},
	    {"t.au", TEN_S},
	    {"t.caf", TEN_S},
	    {"t.wma", TEN_S},
	    {"t.wv", TEN_S},
	    {"t.aac", TEN_S},
	    {"t.ogg", TEN_S "-c:a libvorbis -page_duration 500000"},
	    {"t.opus", TEN_S "-c:a libopus"},
	    {"t.m4a", TEN_S "-c:a aac -movflags +faststart"},
	    {"t.mp4", TEN_S_BOTH "-c:v mpeg4 -c:a aac -movflags +faststart"},
	    {"frag.mp4", TEN_S_BOTH "-c:v mpeg4 -c:a aac -g 25 -movflags frag_keyframe+empty_moov"},
	    {"t.mkv", TEN_S_BOTH "-c:v mpeg4 -c:a flac"},
	    {"t.webm", TEN_S_BOTH "-c:v libvpx -deadline realtime -c:a libopus"},
	    {"t.avi", TEN_S_BOTH "-c:v mpeg4 -c:a pcm_s16le"},
	    {"t.flv", TEN_S_BOTH "-c:v flv -c:a libmp3lame -ar 44100"},
	    {"t.wmv", TEN_S_BOTH "-c:v wmv2 -c:a wmav2"},
	};
	for (guint i = 0; i < G_N_ELEMENTS(FILES); i++) {
		g_free(shell(FFMPEG "%s %s", FILES[i][1], FILES[i][0]));
		cut_file(FILES[i][0], "cut.av", 0.6);
		Decoded d = decode("cut.av");
		g_assert_no_error(d.error);
		double end = end_of_sound(&d);
		if (!(end > 3.9 && end < 7))
			g_error("%s: sound to %f s", FILES[i][0], end);
		const WeftPart *fault = nth(&d, WEFT_PART_FAULT, 0, 0);
		if (fault && fault->anchor.time[0] == 0) /* WavPack's index, at its end */
			fault = nth(&d, WEFT_PART_FAULT, 0, 1);
		if (!fault || !fault->anchor.has_time)
			g_error("%s: nothing said about its end", FILES[i][0]);
		g_assert_cmpfloat(fault->anchor.time[0], >, 3.9);
		g_assert_cmpfloat(fault->anchor.time[0], <, 7);
		decoded_free(&d);
		d = decode(FILES[i][0]); /* nothing is said about what is whole */
		if (nth(&d, WEFT_PART_FAULT, 0, 0))
			g_error("%s: %s", FILES[i][0], nth(&d, WEFT_PART_FAULT, 0, 0)->fault->message);
		decoded_free(&d);
	}
}

static void no_index_no_document(void)
{
	make("-f lavfi -i sine=f=300:d=4 noindex.mp4");
	cut_file("noindex.mp4", "cut.av", 0.5);
	Decoded d = decode("cut.av");
	g_assert_error(d.error, WEFT_ERROR, WEFT_ERROR_TRUNCATED);
	g_assert_nonnull(strstr(d.error->message, "moov"));
	g_assert_cmpuint(d.parts->len, ==, 0);
	decoded_free(&d);
}

/* Written into a pipe, so that nothing could be filled in at the end; and an index that is gone. */
static void what_states_no_length_is_read_whole(void)
{
	static const char *const FORMATS[][2] = {
	    {"matroska", TEN_S_BOTH "-c:v mpeg4 -c:a flac"},
	    {"webm", TEN_S_BOTH "-c:v libvpx -deadline realtime -c:a libopus"},
	    {"flv", TEN_S_BOTH "-c:v flv -c:a libmp3lame -ar 44100"},
	    {"wav", TEN_S "-c:a pcm_s16le"},
	    {"flac", TEN_S},
	    {"mp3", TEN_S},
	};
	for (guint i = 0; i < G_N_ELEMENTS(FORMATS); i++) {
		g_free(shell(FFMPEG "%s -f %s - | cat > piped.av", FORMATS[i][1], FORMATS[i][0]));
		Decoded d = decode("piped.av");
		g_assert_no_error(d.error);
		if (!(fabs(end_of_sound(&d) - 10) < 0.15))
			g_error("%s: sound to %f s", FORMATS[i][0], end_of_sound(&d));
		if (nth(&d, WEFT_PART_FAULT, 0, 0))
			g_error("%s: %s", FORMATS[i][0], nth(&d, WEFT_PART_FAULT, 0, 0)->fault->message);
		decoded_free(&d);
	}
	g_autofree char *path = in_folder("noidx.avi"), *bytes = NULL;
	gsize size = 0;
	make(TEN_S_BOTH "-c:v mpeg4 -c:a pcm_s16le noidx.avi");
	g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
	char *index = memmem(bytes, size, "idx1", 4);
	g_assert_nonnull(index);
	memcpy(index, "JUNK", 4);
	g_assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
	Decoded d = decode("noidx.avi");
	g_assert_cmpfloat(fabs(end_of_sound(&d) - 10), <, 0.15);
	g_assert_cmpuint(count(&d, WEFT_PART_FAULT, 0), ==, 0);
	decoded_free(&d);
}

/* FLAC's count of samples, its low 32 bits. */
static void wrong_length_is_said(void)
{
	g_autofree char *path = in_folder("length.flac"), *bytes = NULL;
	gsize size = 0;
	make(TEN_S "length.flac");
	g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
	for (guint k = 0; k < 2; k++) {
		guint32 n = GUINT32_TO_BE(k ? 80000 : 320000);
		memcpy(bytes + 22, &n, sizeof n);
		g_assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
		Decoded d = decode("length.flac");
		g_assert_no_error(d.error);
		g_assert_cmpfloat(fabs(end_of_sound(&d) - 10), <, 0.01);
		g_assert_cmpuint(count(&d, WEFT_PART_FAULT, 0), ==, 1 - k);
		if (k == 0) /* says 20 s */
			assert_time(nth(&d, WEFT_PART_FAULT, 0, 0), 10, 20, 0.01);
		decoded_free(&d);
	}
}

/* A stretch of nonsense in the middle costs that stretch. */
static void nonsense_costs_its_stretch(void)
{
	static const char *const NAMES[] = {"t.flac", "t.mp3", "t.m4a", "t.mkv", "t.opus", "t.mp4"};
	g_autoptr(GRand) rand = g_rand_new_with_seed(11);
	make(TEN_S "t.flac");
	make(TEN_S "t.mp3");
	make(TEN_S "-c:a libopus t.opus");
	make(TEN_S "-c:a aac t.m4a");
	make(TEN_S_BOTH "-c:v mpeg4 -c:a aac t.mp4");
	make(TEN_S_BOTH "-c:v mpeg4 -c:a flac t.mkv");
	for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		g_autofree char *in = in_folder(NAMES[i]), *out = in_folder("bad.av"), *bytes = NULL;
		gsize size = 0;
		g_assert_true(g_file_get_contents(in, &bytes, &size, NULL));
		for (gsize k = size / 2; k < size / 2 + size / 50; k++)
			bytes[k] = (char)g_rand_int_range(rand, 0, 256);
		g_assert_true(g_file_set_contents(out, bytes, (gssize)size, NULL));
		Decoded d = decode("bad.av");
		g_assert_no_error(d.error);
		double heard_s = 0;
		const WeftPart *part;
		for (guint n = 0; (part = nth(&d, WEFT_PART_PCM, 0, n)); n++)
			heard_s += part->anchor.time[1] - part->anchor.time[0];
		if (!(heard_s > 8 && end_of_sound(&d) > 9.5))
			g_error("%s: %f s heard, to %f s", NAMES[i], heard_s, end_of_sound(&d));
		decoded_free(&d);
	}
}

/* Blu-ray's subtitles (pictures), a clock in a track of data, a second camera: each is listed, and what
 * should have been read is said not to be. */
static void what_is_not_read_is_said(void)
{
	static const guint8 SEGMENT[] = {'P', 'G', 0, 1, 0x5f, 0x90, 0, 0, 0, 0, 0x80, 0, 0};
	g_autofree char *path = in_folder("pictures.sup");
	guint8 bytes[3 * sizeof SEGMENT];
	for (guint i = 0; i < 3; i++) {
		memcpy(bytes + i * sizeof SEGMENT, SEGMENT, sizeof SEGMENT);
		bytes[i * sizeof SEGMENT + 3] = (guint8)(i + 1);
	}
	g_assert_true(g_file_set_contents(path, (const char *)bytes, sizeof bytes, NULL));
	make("-f lavfi -i sine=d=3 -i pictures.sup -map 0 -map 1 -c:s copy pictures.mkv");
	Decoded d = decode("pictures.mkv");
	const WeftPart *fault = nth(&d, WEFT_PART_FAULT, 2, 0);
	g_assert_nonnull(fault);
	g_assert_error(fault->fault, WEFT_ERROR, WEFT_ERROR_NOT_EXAMINED);
	g_assert_cmpstr(nth(&d, WEFT_PART_TRACK, 2, 0)->track.kind, ==, "subtitle");
	decoded_free(&d);
	make(PICTURES PICTURES "-map 0 -map 1 -c:v mpeg4 -timecode 01:00:00:00 two.mov");
	d = decode("two.mov");
	fault = nth(&d, WEFT_PART_FAULT, 2, 0);
	g_assert_nonnull(fault);
	g_assert_error(fault->fault, WEFT_ERROR, WEFT_ERROR_NOT_EXAMINED);
	g_assert_cmpuint(track_of(&d, "data"), ==, 3);
	g_assert_nonnull(format_of(&d, 3));
	decoded_free(&d);
}

int main(int argc, char **argv)
{
	media_begin(&argc, &argv);
	g_test_add_func("/containers/each-format-of-sound", each_format_of_sound);
	g_test_add_func("/containers/each-format-of-video", each_format_of_video);
	g_test_add_func("/containers/amr-is-read", amr_is_read);
	g_test_add_func("/containers/ten-tracks-have-their-languages", ten_tracks_have_their_languages);
	g_test_add_func("/containers/truncated-keeps-what-was-read", truncated_keeps_what_was_read);
	g_test_add_func("/containers/no-index-no-document", no_index_no_document);
	g_test_add_func("/containers/what-states-no-length-is-read-whole",
	                what_states_no_length_is_read_whole);
	g_test_add_func("/containers/wrong-length-is-said", wrong_length_is_said);
	g_test_add_func("/containers/nonsense-costs-its-stretch", nonsense_costs_its_stretch);
	g_test_add_func("/containers/what-is-not-read-is-said", what_is_not_read_is_said);
	return media_run();
}
