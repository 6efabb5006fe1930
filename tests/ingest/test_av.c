/* test_av.c - sound and video against FFmpeg's own programs. Media are made when the test runs. */
#include "tests/ingest/av_media.h"

static void long_sound_comes_in_windows(void)
{
	make("-f lavfi -i "
	     "aevalsrc='0.3*sin(2*PI*300*t)*(1-0.9*between(t\\,26.5\\,26.8))':s=8000:d=65 "
	     "long.wav");
	Decoded d = decode("long.wav");
	g_assert_no_error(d.error);
	g_assert_cmpuint(count(&d, WEFT_PART_PCM, 1), ==, 3);
	/* the first cut is at the quietest 0.1 s of 20..30 s */
	const WeftPart *first = nth(&d, WEFT_PART_PCM, 1, 0);
	g_assert_cmpfloat(first->anchor.time[1], >, 26.5);
	g_assert_cmpfloat(first->anchor.time[1], <, 26.8);
	double at = 0;
	for (guint n = 0; n < 3; n++) {
		const WeftPart *part = nth(&d, WEFT_PART_PCM, 1, n);
		g_assert_cmpfloat(fabs(part->anchor.time[0] - at), <, 1e-9);
		at = part->anchor.time[1];
	}
	g_assert_cmpfloat(fabs(at - 65), <, 1e-3);
	g_assert_cmpfloat(fabs(nth(&d, WEFT_PART_PCM, 1, 1)->pcm.rms - 0.3 / sqrt(2)), <, 0.01);
	decoded_free(&d);
}

static void limits_cut(void)
{
	make("-f lavfi -i aevalsrc='0.3*sin(2*PI*300*t)':s=8000:d=65 long.wav");
	WeftDecodeOptions options = all_wanted();
	options.limits.recording_s = 20;
	Decoded d = decode_with("long.wav", options);
	g_assert_no_error(d.error);
	const WeftPart *fault = nth(&d, WEFT_PART_FAULT, 0, 0);
	g_assert_cmpstr(fault->fault->message, ==,
	                "seconds 20.000 to 65.000 not read: limit seconds=20");
	assert_time(fault, 20, 65, 1e-9);
	assert_time(nth(&d, WEFT_PART_PCM, 1, 0), 0, 20, 1e-3);
	g_assert_cmpuint(count(&d, WEFT_PART_PCM, 1), ==, 1);
	decoded_free(&d);
	options.limits.recording_s = 65; /* as long as it is: nothing is missing */
	d = decode_with("long.wav", options);
	g_assert_cmpuint(count(&d, WEFT_PART_FAULT, 0), ==, 0);
	decoded_free(&d);
	make("-i long.wav -i long.wav -i long.wav -map 0 -map 1 -map 2 -c:a pcm_s16le three.mkv");
	options.limits.streams = 2;
	d = decode_with("three.mkv", options);
	g_assert_cmpuint(count(&d, WEFT_PART_PCM, 2), ==, 3);
	g_assert_cmpuint(count(&d, WEFT_PART_PCM, 3), ==, 0);
	fault = nth(&d, WEFT_PART_FAULT, 3, 0);
	g_assert_true(g_error_matches(fault->fault, WEFT_ERROR, WEFT_ERROR_LIMIT));
	g_assert_cmpstr(fault->fault->message, ==,
	                "tracks behind the first 2 not read: limit streams=2");
	decoded_free(&d);
}

#define TONE_SILENCE_TONE                                                                          \
	"-f lavfi -i aevalsrc='0.3*sin(2*PI*300*t)*(lt(t\\,2)+gt(t\\,5))':s=16000:d=6 "

static void silence_is_content(void)
{
	make(TONE_SILENCE_TONE "pause.wav");
	Decoded d = decode("pause.wav");
	assert_time(nth(&d, WEFT_PART_PCM, 1, 0), 0, 2.1, 0.021);
	assert_time(nth(&d, WEFT_PART_CONTENT, 1, 0), 2.1, 4.9, 0.021);
	assert_time(nth(&d, WEFT_PART_PCM, 1, 1), 4.9, 6, 0.021);
	const WeftContent *content = nth(&d, WEFT_PART_CONTENT, 1, 0)->content;
	g_assert_cmpint(content->kind, ==, WEFT_CONTENT_SILENCE);
	g_assert_null(content->text);
	g_assert_cmpuint(count(&d, WEFT_PART_CONTENT, 0), ==, 1);
	decoded_free(&d);
}

static void unheard_sound_keeps_its_times(void)
{
	WeftDecodeOptions options = all_wanted();
	options.want_pcm = FALSE;
	make(TONE_SILENCE_TONE "pause.wav");
	Decoded d = decode_with("pause.wav", options);
	g_assert_cmpuint(count(&d, WEFT_PART_PCM, 0), ==, 0);
	const WeftContentKind kinds[] = {WEFT_CONTENT_SPEECH, WEFT_CONTENT_SILENCE,
	                                 WEFT_CONTENT_SPEECH};
	const double times[] = {0, 2.1, 4.9, 6};
	g_assert_cmpuint(count(&d, WEFT_PART_CONTENT, 0), ==, 3);
	for (guint n = 0; n < 3; n++) {
		const WeftPart *part = nth(&d, WEFT_PART_CONTENT, 1, n);
		g_assert_cmpint(part->content->kind, ==, kinds[n]);
		g_assert_null(part->content->text);
		assert_time(part, times[n], times[n + 1], 0.021);
		g_assert_true(weft_anchor_equal(
		    &part->anchor, &g_array_index(part->content->anchors, WeftAnchor, 0)));
	}
	decoded_free(&d);
}

static void samples_of_silence_on_request(void)
{
	WeftDecodeOptions options = all_wanted();
	options.want_silence = TRUE;
	make("-f lavfi -i aevalsrc='0.3*sin(2*PI*300*t)*(lt(t\\,2)+gt(t\\,45))':s=16000:d=46 "
	     "pause46.wav");
	Decoded d = decode_with("pause46.wav", options);
	g_autoptr(GArray) all = samples_of(&d, 1);
	g_assert_cmpuint(all->len, ==, 46 * 16000);
	g_assert_cmpuint(count(&d, WEFT_PART_CONTENT, 0), ==, 0);
	decoded_free(&d);
}

/* Each side is what ffmpeg makes of that channel alone; both have the same times. */
static void two_channels_may_come_apart(void)
{
	WeftDecodeOptions options = all_wanted();
	options.apart = options.want_silence = TRUE;
	make("-f lavfi -i aevalsrc='0.4*sin(2*PI*440*t)*lt(t\\,2)|0.3*sin(2*PI*970*t)*between(t\\,5\\,"
	     "40)':s=44100:d=44 -c:a pcm_s16le sides.wav");
	g_free(shell(FFMPEG "-i sides.wav -filter_complex "
	                    "'channelsplit=channel_layout=stereo[l][r]' -map '[l]' -ar 16000 -c:a "
	                    "pcm_f32le -f f32le judge1.raw -map '[r]' -ar 16000 -c:a pcm_f32le -f "
	                    "f32le judge2.raw"));
	Decoded d = decode_with("sides.wav", options);
	g_assert_no_error(d.error);
	guint n_windows = count(&d, WEFT_PART_PCM, 1);
	g_assert_cmpuint(n_windows, >=, 8);
	for (guint32 channel = 1; channel <= 2; channel++) {
		g_autofree char *name = g_strdup_printf("judge%u.raw", channel);
		g_autofree char *path = in_folder(name), *raw = NULL;
		gsize raw_bytes = 0, at = 0;
		g_assert_true(g_file_get_contents(path, &raw, &raw_bytes, NULL));
		const float *judge = (const float *)(gpointer)raw;
		for (guint n = channel - 1; n < n_windows; n += 2) {
			const WeftPart *part = nth(&d, WEFT_PART_PCM, 1, n);
			const WeftPart *left = nth(&d, WEFT_PART_PCM, 1, n - (channel - 1));
			g_assert_cmpuint(part->pcm.channel, ==, channel);
			g_assert_true(weft_anchor_equal(&part->anchor, &left->anchor));
			g_assert_cmpuint(at + part->pcm.n_samples, <=, raw_bytes / 4);
			for (gsize i = 0; i < part->pcm.n_samples; i++, at++)
				if (!(fabsf(part->pcm.samples[i] - judge[at]) <= 2.0f / 32768))
					g_error("channel %u, sample %zu: %f, not %f", channel, at,
					        (double)part->pcm.samples[i], (double)judge[at]);
		}
		g_assert_cmpuint(at, ==, raw_bytes / 4);
	}
	g_assert_cmpuint(count(&d, WEFT_PART_CONTENT, 0), ==, 0);
	decoded_free(&d);
}

static void one_channel_or_six_are_mixed(void)
{
	WeftDecodeOptions options = all_wanted();
	options.apart = TRUE;
	for (guint n = 1; n <= 6; n += 5) {
		g_free(shell(FFMPEG TWO_TONES "-ac %u mixed.wav", n));
		Decoded d = decode_with("mixed.wav", options);
		g_assert_cmpuint(count(&d, WEFT_PART_PCM, 1), ==, 1);
		g_assert_cmpuint(nth(&d, WEFT_PART_PCM, 1, 0)->pcm.channel, ==, 0);
		decoded_free(&d);
	}
}

static double ffprobe_start(const char *name, const char *stream)
{
	g_autofree char *out = shell("ffprobe -v error -select_streams %s -show_entries "
	                             "packet=pts_time -read_intervals %%+#1 -of csv=p=0 %s",
	                             stream, name);
	return g_ascii_strtod(out, NULL);
}

static void late_track_starts_late(void)
{
	const char *names[] = {"late.mkv", "late.mp4", NULL};
	for (guint i = 0; names[i]; i++) {
		g_free(shell(
		    FFMPEG
		    "-f lavfi -i smptebars=d=4:r=10 -itsoffset 2.5 -f lavfi -i "
		    "sine=f=300:d=1.5:r=16000 -map 0:v -map 1:a -c:v mpeg4 -c:a flac -strict -2 %s",
		    names[i]));
		double start = ffprobe_start(names[i], "a:0");
		g_assert_cmpfloat(fabs(start - 2.5), <, 0.01);
		Decoded d = decode(names[i]);
		g_assert_no_error(d.error);
		assert_time(nth(&d, WEFT_PART_PCM, 2, 0), start, start + 1.5, 0.002);
		assert_time(nth(&d, WEFT_PART_FRAME, 1, 0), 0, 4, 0.002);
		decoded_free(&d);
	}
}

static void clock_of_a_stream_begins_with_it(void)
{
	make("-f lavfi -i sine=f=300:d=2:r=48000 -c:a mp2 -muxdelay 0 -output_ts_offset 3600 "
	     "offset.ts");
	g_assert_cmpfloat(ffprobe_start("offset.ts", "a:0"), >, 3599);
	Decoded d = decode("offset.ts");
	g_assert_no_error(d.error);
	const WeftPart *part = nth(&d, WEFT_PART_PCM, 1, 0);
	g_assert_nonnull(part);
	g_assert_cmpfloat(fabs(part->anchor.time[0]), <, 0.001);
	decoded_free(&d);
}

static void gap_stays_a_gap(void)
{
	make("-f lavfi -i sine=f=300:d=5:r=16000 -af \"aselect='lt(t,1)+gte(t,3)'\" -c:a pcm_s16le "
	     "gap.mkv");
	Decoded d = decode("gap.mkv");
	g_assert_no_error(d.error);
	g_assert_cmpuint(count(&d, WEFT_PART_PCM, 1), ==, 2);
	g_assert_cmpuint(count(&d, WEFT_PART_CONTENT, 1), ==, 0);
	/* aselect works on whole frames of 1024 samples */
	assert_time(nth(&d, WEFT_PART_PCM, 1, 0), 0, 1, 0.065);
	assert_time(nth(&d, WEFT_PART_PCM, 1, 1), 3, 5, 0.065);
	decoded_free(&d);
}

static void tracks_state_their_languages(void)
{
	make("-f lavfi -i smptebars=d=2:r=10 -f lavfi -i sine=f=300:d=2 -f lavfi -i sine=f=500:d=2 "
	     "-map 0 -map 1 -map 2 -c:v mpeg4 -c:a aac -metadata title='Zwei Töne' "
	     "-metadata:s:a:0 language=eng -metadata:s:a:1 language=deu two.mp4");
	Decoded d = decode("two.mp4");
	g_assert_no_error(d.error);
	const char *kinds[] = {"video", "audio", "audio"}, *languages[] = {"", "eng", "deu"};
	g_assert_cmpuint(count(&d, WEFT_PART_TRACK, 0), ==, 3);
	for (guint n = 0; n < 3; n++) {
		const WeftTrackFacts *track = &nth(&d, WEFT_PART_TRACK, 0, n)->track;
		g_assert_cmpuint(track->n, ==, n + 1);
		g_assert_cmpstr(track->kind, ==, kinds[n]);
		g_assert_cmpstr(track->language, ==, languages[n]);
		g_assert_cmpfloat(fabs(track->seconds - 2), <, 0.05);
	}
	g_assert_cmpuint(count(&d, WEFT_PART_PCM, 2), ==, 1);
	g_assert_cmpuint(count(&d, WEFT_PART_PCM, 3), ==, 1);
	const WeftPart *meta = nth(&d, WEFT_PART_META, 0, 0);
	g_assert_cmpstr(meta->key, ==, "title");
	g_assert_cmpstr(meta->value, ==, "Zwei Töne");
	decoded_free(&d);
}

static void chapters_are_outline(void)
{
	g_autofree char *path = in_folder("chapters.txt");
	const char *text = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=12\ntitle=Eins\n"
	                   "[CHAPTER]\nTIMEBASE=1/10\nSTART=12\nEND=30\ntitle=Zwei\n";
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	make("-f lavfi -i sine=f=300:d=3 -i chapters.txt -map_chapters 1 chapters.mka");
	Decoded d = decode("chapters.mka");
	g_assert_cmpuint(count(&d, WEFT_PART_OUTLINE, 0), ==, 2);
	g_assert_cmpstr(nth(&d, WEFT_PART_OUTLINE, 0, 1)->value, ==, "Zwei");
	assert_time(nth(&d, WEFT_PART_OUTLINE, 0, 1), 1.2, 3, 1e-6);
	decoded_free(&d);
}

static void cover_is_a_picture(void)
{
	make("-f lavfi -i testsrc2=s=120x80:d=1:r=1 -frames:v 1 cover.png");
	make("-f lavfi -i sine=f=300:d=1 -i cover.png -map 0 -map 1 -c:v copy "
	     "-disposition:v attached_pic covered.flac");
	Decoded d = decode("covered.flac");
	g_assert_no_error(d.error);
	const WeftPart *cover = nth(&d, WEFT_PART_RASTER, 0, 0);
	g_assert_nonnull(cover);
	g_assert_cmpuint(cover->raster.width, ==, 120);
	g_assert_false(cover->anchor.has_time);
	g_assert_cmpuint(count(&d, WEFT_PART_EMBEDDED, 0), ==, 1);
	g_assert_cmpuint(count(&d, WEFT_PART_TRACK, 0), ==, 1);
	g_assert_cmpuint(count(&d, WEFT_PART_PCM, 0), ==, 1);
	decoded_free(&d);
}

static void only_the_wanted_time(void)
{
	WeftDecodeOptions options = all_wanted();
	options.time_first = 4;
	options.time_end = 6.5;
	make(SLIDES "-f lavfi -i sine=f=300:d=8 -map 3 -c:v mpeg4 -c:a aac talk.mp4");
	Decoded d = decode_with("talk.mp4", options);
	g_assert_no_error(d.error);
	g_assert_cmpuint(count(&d, WEFT_PART_FAULT, 0), ==, 0);
	assert_time(nth(&d, WEFT_PART_FRAME, 1, 0), 4, 5, 0.001);
	assert_time(nth(&d, WEFT_PART_FRAME, 1, 1), 5, 6.5, 0.001);
	g_assert_cmpuint(count(&d, WEFT_PART_FRAME, 1), ==, 2);
	assert_time(nth(&d, WEFT_PART_PCM, 2, 0), 4, 6.5, 0.001);
	g_assert_cmpuint(count(&d, WEFT_PART_PCM, 2), ==, 1);
	decoded_free(&d);
}

static void seeking_keeps_the_clock(void)
{
	WeftDecodeOptions options = all_wanted();
	options.time_first = 31;
	options.time_end = 33;
	make("-f lavfi -i aevalsrc='0.0001+0.3*sin(2*PI*300*t)*gte(t\\,32)':s=16000:d=40 -c:a aac "
	     "seek.m4a");
	Decoded d = decode_with("seek.m4a", options);
	assert_time(nth(&d, WEFT_PART_CONTENT, 1, 0), 31, 31.9, 0.05);
	assert_time(nth(&d, WEFT_PART_PCM, 1, 0), 31.9, 33, 0.05);
	decoded_free(&d);
}

static void parts_come_in_order_of_time(void)
{
	make(SLIDES
	     "-f lavfi -i aevalsrc='0.3*sin(2*PI*300*t)*lt(mod(t\\,2)\\,1)':d=8:s=16000 -map 3 "
	     "-c:v mpeg4 -c:a aac order.mp4");
	Decoded d = decode("order.mp4");
	double at = -1;
	guint n = 0;
	for (guint i = 0; i < d.parts->len; i++) {
		const WeftPart *part = d.parts->pdata[i];
		if (!part->anchor.has_time)
			continue;
		g_assert_cmpfloat(part->anchor.time[0], >=, at);
		at = part->anchor.time[0];
		n++;
	}
	g_assert_cmpuint(n, >=, 10);
	decoded_free(&d);
}

static void nothing_else_is_opened(void)
{
	make("-f lavfi -i sine=f=300:d=4 -c:a mp2 secret.ts");
	g_autofree char *target = in_folder("secret.ts");
	g_autofree char *hls =
	    g_strdup_printf("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n"
	                    "#EXTINF:4.0,\nsecret.ts\n#EXTINF:4.0,\nfile://%s\n"
	                    "#EXT-X-ENDLIST\n",
	                    target);
	g_autofree char *concat =
	    g_strdup_printf("ffconcat version 1.0\nfile secret.ts\nfile '%s'\n", target);
	const char *sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
	                  "m=audio 5004 RTP/AVP 0\n";
	g_autofree char *dash = g_strdup_printf(
	    "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" "
	    "mediaPresentationDuration=\"PT4S\" profiles=\"urn:mpeg:dash:profile:isoff-on-demand:"
	    "2011\"><Period><AdaptationSet><Representation id=\"1\" bandwidth=\"1\"><BaseURL>%s"
	    "</BaseURL></Representation></AdaptationSet></Period></MPD>",
	    target);
	const char *texts[] = {hls, concat, sdp, dash};
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *path = in_folder("list.av");
		g_assert_true(g_file_set_contents(path, texts[i], -1, NULL));
		Decoded d = decode("list.av");
		g_assert_nonnull(d.error);
		g_assert_true(d.error->code == WEFT_ERROR_UNSUPPORTED ||
		              d.error->code == WEFT_ERROR_CORRUPT);
		g_assert_cmpuint(d.parts->len, ==, 0);
		decoded_free(&d);
	}
}

/* Damage may cost the document, nothing else; sanitizers watch. */
static void damage_is_survived(void)
{
	make(SLIDES "-f lavfi -i sine=f=300:d=8 -map 3 -c:v libx264 -preset ultrafast -c:a aac "
	            "-s 128x72 small.mp4");
	make("-i small.mp4 -c copy small.mkv");
	make("-i small.mp4 -c copy small.ts");
	const char *names[] = {"small.mp4", "small.mkv", "small.ts", "tones.ogg", "tones.mp3"};
	make(TWO_TONES "-c:a libopus -ar 48000 tones.ogg");
	make(TWO_TONES "-ar 44100 tones.mp3");
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	g_autofree char *out = in_folder("damaged.av");
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *in = in_folder(names[i]), *bytes = NULL;
		gsize size = 0;
		g_assert_true(g_file_get_contents(in, &bytes, &size, NULL));
		for (guint k = 0; k < 12; k++) {
			g_autofree char *bad = g_memdup2(bytes, size);
			for (guint n = 0; n < 1u << (k % 8); n++)
				bad[g_rand_int_range(rand, 0,
				                     (gint32)MIN(size, k & 1 ? 4096 : size))] =
				    (char)g_rand_int_range(rand, 0, 256);
			gsize kept = k % 3 ? size : size * k / 12;
			g_assert_true(g_file_set_contents(out, bad, (gssize)kept, NULL));
			Decoded d = decode("damaged.av");
			g_assert_true(d.error || d.parts->len > 0);
			decoded_free(&d);
		}
	}
	g_assert_true(g_file_set_contents(out, "", 0, NULL));
	Decoded d = decode("damaged.av");
	g_assert_nonnull(d.error);
	decoded_free(&d);
}

int main(int argc, char **argv)
{
	media_begin(&argc, &argv);
	g_test_add_func("/av/long-sound-comes-in-windows", long_sound_comes_in_windows);
	g_test_add_func("/av/silence-is-content", silence_is_content);
	g_test_add_func("/av/unheard-sound-keeps-its-times", unheard_sound_keeps_its_times);
	g_test_add_func("/av/samples-of-silence-on-request", samples_of_silence_on_request);
	g_test_add_func("/av/two-channels-may-come-apart", two_channels_may_come_apart);
	g_test_add_func("/av/one-channel-or-six-are-mixed", one_channel_or_six_are_mixed);
	g_test_add_func("/av/late-track-starts-late", late_track_starts_late);
	g_test_add_func("/av/clock-of-a-stream-begins-with-it", clock_of_a_stream_begins_with_it);
	g_test_add_func("/av/gap-stays-a-gap", gap_stays_a_gap);
	g_test_add_func("/av/tracks-state-their-languages", tracks_state_their_languages);
	g_test_add_func("/av/chapters-are-outline", chapters_are_outline);
	g_test_add_func("/av/cover-is-a-picture", cover_is_a_picture);
	g_test_add_func("/av/only-the-wanted-time", only_the_wanted_time);
	g_test_add_func("/av/seeking-keeps-the-clock", seeking_keeps_the_clock);
	g_test_add_func("/av/parts-come-in-order-of-time", parts_come_in_order_of_time);
	g_test_add_func("/av/limits-cut", limits_cut);
	g_test_add_func("/av/nothing-else-is-opened", nothing_else_is_opened);
	g_test_add_func("/av/damage-is-survived", damage_is_survived);
	return media_run();
}
