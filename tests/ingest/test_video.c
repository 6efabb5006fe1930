/* test_video.c - which frames of a video are given, and from when to when, against the known times of
 * videos that are made when the test runs. */
#include "tests/ingest/av_media.h"

static void assert_in_order(const Decoded *d)
{
	double at = -INFINITY;
	for (guint i = 0; i < d->parts->len; i++) {
		const WeftPart *part = d->parts->pdata[i];
		if (!part->anchor.has_time || part->kind == WEFT_PART_OUTLINE)
			continue;
		g_assert_cmpfloat(part->anchor.time[0], >=, at);
		at = part->anchor.time[0];
	}
}

static void frames_are_chosen_at_changes(void)
{
	make(SLIDES "-c:v libx264 -preset ultrafast -crf 20 slides.mp4");
	Decoded d = decode("slides.mp4");
	g_assert_no_error(d.error);
	g_assert_cmpuint(count(&d, WEFT_PART_FRAME, 1), ==, 3);
	assert_time(nth(&d, WEFT_PART_FRAME, 1, 0), 0, 3, 0.001);
	assert_time(nth(&d, WEFT_PART_FRAME, 1, 1), 3, 5, 0.001);
	assert_time(nth(&d, WEFT_PART_FRAME, 1, 2), 5, 7, 0.001);
	const WeftPart *blank = nth(&d, WEFT_PART_CONTENT, 1, 0);
	assert_time(blank, 7, 8.2, 0.001);
	g_assert_cmpint(blank->content->kind, ==, WEFT_CONTENT_BLANK);
	/* the second frame holds the third line, the first does not */
	for (guint n = 0; n < 2; n++) {
		const WeftRaster *raster = &nth(&d, WEFT_PART_FRAME, 1, n)->raster;
		g_assert_cmpuint(raster->width, ==, 640);
		guint8 level = raster->pixels[(168 * 640 + 100) * 3];
		g_assert_true(n ? level < 40 : level > 215);
	}
	decoded_free(&d);
}

static void frame_rate_may_vary(void)
{
	make(
	    SLIDES_THROUGH(",select=not(mod(n\\,7))+not(mod(n\\,11))") "-vsync vfr -c:v libx264 "
	                                                               "-preset ultrafast vfr.mkv");
	g_autofree char *out = shell("ffprobe -v error -select_streams v -show_entries "
	                             "frame=best_effort_timestamp_time -of csv=p=0 vfr.mkv");
	g_auto(GStrv) lines = g_strsplit(out, "\n", -1);
	const double cuts[] = {3, 5, 7};
	Decoded d = decode("vfr.mkv");
	guint i = 0;
	for (guint n = 0; n < 3; n++) {
		while (lines[i] && g_ascii_strtod(lines[i], NULL) < cuts[n])
			i++;
		double at = g_ascii_strtod(lines[i], NULL);
		WeftPart *part =
		    nth(&d, n < 2 ? WEFT_PART_FRAME : WEFT_PART_CONTENT, 1, n < 2 ? n + 1 : 0);
		assert_time(part, at, part->anchor.time[1], 0.001);
	}
	decoded_free(&d);
}

static void few_frames_stand_long(void)
{
	make("-f lavfi -i smptebars=r=1:d=1 -f lavfi -i rgbtestsrc=s=320x240:r=1:d=1 -f lavfi -i "
	     "testsrc2=s=320x240:r=1:d=1 -filter_complex '[0][1][2]concat=n=3:v=1:a=0,"
	     "setpts=if(eq(N\\,0)\\,0\\,if(eq(N\\,1)\\,5\\,11))/TB' -vsync vfr -c:v ffv1 "
	     "sparse.mkv");
	Decoded d = decode("sparse.mkv");
	g_assert_cmpuint(count(&d, WEFT_PART_FRAME, 1), ==, 3);
	assert_time(nth(&d, WEFT_PART_FRAME, 1, 0), 0, 5, 0.001);
	assert_time(nth(&d, WEFT_PART_FRAME, 1, 1), 5, 11, 0.001);
	decoded_free(&d);
}

static void assert_again(const WeftPart *part, double begin, double end, const WeftPart *first)
{
	assert_time(part, begin, end, 0.05);
	const WeftContent *content = part->content;
	g_assert_nonnull(content);
	g_assert_cmpint(content->kind, ==, WEFT_CONTENT_FRAME);
	g_assert_cmpint(content->by, ==, WEFT_BY_FILE);
	g_assert_null(content->text);
	g_assert_cmpuint(content->anchors->len, ==, 2);
	g_assert_true(weft_anchor_equal(&g_array_index(content->anchors, WeftAnchor, 0),
	                                &part->anchor));
	g_assert_true(weft_anchor_equal(&g_array_index(content->anchors, WeftAnchor, 1),
	                                &first->anchor));
}

static void what_stands_is_not_looked_at_again(void)
{
	WeftDecodeOptions options = all_wanted();
	options.frame_interval_s = 4;
	make("-f lavfi -i smptebars=s=160x90:d=10:r=5 -c:v mpeg4 still.mp4");
	Decoded d = decode_with("still.mp4", options);
	g_assert_cmpuint(count(&d, WEFT_PART_FRAME, 1), ==, 1);
	g_assert_cmpuint(count(&d, WEFT_PART_CONTENT, 1), ==, 0);
	assert_time(nth(&d, WEFT_PART_FRAME, 1, 0), 0, 10, 0.001);
	decoded_free(&d);
	options.want_rasters = FALSE;
	d = decode_with("still.mp4", options);
	g_assert_cmpuint(count(&d, WEFT_PART_FRAME, 0), ==, 0);
	g_assert_cmpuint(count(&d, WEFT_PART_TRACK, 0), ==, 1);
	decoded_free(&d);
}

static void what_moves_is_looked_at_at_the_interval(void)
{
	WeftDecodeOptions options = all_wanted();
	options.frame_interval_s = 4;
	make("-f lavfi -i smptebars=s=160x90:d=10:r=5 -vf scroll=h=0.03 -c:v mpeg4 moving.mp4");
	Decoded d = decode_with("moving.mp4", options);
	g_assert_cmpuint(count(&d, WEFT_PART_FRAME, 1), ==, 3);
	for (guint n = 0; n < 3; n++)
		assert_time(nth(&d, WEFT_PART_FRAME, 1, n), 4.0 * n, MIN(4.0 * (n + 1), 10), 0.001);
	decoded_free(&d);
	options.frame_interval_s = 0;
	d = decode_with("moving.mp4", options);
	g_assert_cmpuint(count(&d, WEFT_PART_FRAME, 1), ==, 1);
	decoded_free(&d);
}

/* A line of "text": strokes 3 wide, as far apart as `spaces` says. */
#define LINE(y, step) "drawgrid=x=0:y=-1:w=" step ":h=720:t=3:c=black:replace=0,"              \
	              "drawbox=0:0:iw:" y ":white:fill,drawbox=0:" y "+12:iw:ih:white:fill"

static void slide_that_comes_back_is_told_not_given(void)
{
	make("-f lavfi -i color=white:s=640x360:r=25:d=3," LINE("100", "9")
	     " -f lavfi -i color=white:s=640x360:r=25:d=4," LINE("200", "7")
	     " -filter_complex '[0]split=3[a][b][c];[1]split=2[d][e];[a][d][b][e][c]concat=n=5:v=1:a=0' "
	     "-c:v libx264 -preset ultrafast -crf 24 back.mp4");
	Decoded d = decode("back.mp4");
	g_assert_no_error(d.error);
	g_assert_cmpuint(count(&d, WEFT_PART_FRAME, 1), ==, 2);
	g_assert_cmpuint(count(&d, WEFT_PART_CONTENT, 1), ==, 3);
	const WeftPart *one = nth(&d, WEFT_PART_FRAME, 1, 0), *two = nth(&d, WEFT_PART_FRAME, 1, 1);
	assert_time(one, 0, 3, 0.05);
	assert_time(two, 3, 7, 0.05);
	assert_again(nth(&d, WEFT_PART_CONTENT, 1, 0), 7, 10, one);
	assert_again(nth(&d, WEFT_PART_CONTENT, 1, 1), 10, 14, two);
	assert_again(nth(&d, WEFT_PART_CONTENT, 1, 2), 14, 17, one);
	decoded_free(&d);
}

/* The same line with other strokes in a third of it: as much ink, another text. A pointer is none. */
static void another_word_is_another_slide(void)
{
	make("-f lavfi -i color=white:s=640x360:r=25:d=3," LINE("100", "9")
	     ",drawbox=50:300:10:14:gray:fill -f lavfi -i color=white:s=640x360:r=25:d=3,"
	     LINE("100", "9") ",drawbox=450:250:10:14:gray:fill -f lavfi -i color=white:s=640x360:r=25:d=3,"
	     LINE("100", "9") ",drawbox=210:100:80:12:white:fill,drawbox=210:101:3:10:black:fill,"
	     "drawbox=215:101:3:10:black:fill,drawbox=231:101:14:10:black:fill,"
	     "drawbox=262:101:12:10:black:fill "
	     "-filter_complex '[0][1][2]concat=n=3:v=1:a=0' -c:v libx264 -preset ultrafast word.mp4");
	Decoded d = decode("word.mp4");
	g_assert_cmpuint(count(&d, WEFT_PART_FRAME, 1), ==, 2);
	assert_time(nth(&d, WEFT_PART_FRAME, 1, 0), 0, 6, 0.05);
	assert_time(nth(&d, WEFT_PART_FRAME, 1, 1), 6, 9, 0.05);
	g_assert_cmpuint(count(&d, WEFT_PART_CONTENT, 1), ==, 0);
	decoded_free(&d);
}

/* From its first line at 4 s to its last at 5 s one becomes the other; both move all the time. */
static void dissolve_is_one_change(void)
{
	make("-f lavfi -i mandelbrot=s=320x180:r=25 -f lavfi -i testsrc2=s=320x180:r=25:d=6 "
	     "-filter_complex '[0]trim=duration=5,setpts=PTS-STARTPTS,format=yuv420p[a];[1]format=yuv420p[b];"
	     "[a][b]xfade=duration=1:offset=4' -c:v libx264 -preset ultrafast dissolve.mp4");
	Decoded d = decode("dissolve.mp4");
	guint n_near = 0;
	for (guint n = 1; n < count(&d, WEFT_PART_FRAME, 1); n++) {
		double begin = nth(&d, WEFT_PART_FRAME, 1, n)->anchor.time[0];
		n_near += begin > 3.5 && begin < 5.2;
		if (begin > 3.5 && begin < 5.2)
			g_assert_cmpfloat(fabs(begin - 4.5), <, 0.2);
	}
	g_assert_cmpuint(n_near, ==, 1);
	decoded_free(&d);
}

static void fades_end_in_black(void)
{
	make("-f lavfi -i mandelbrot=s=320x180:r=25 -f lavfi -i smptebars=s=320x180:r=25:d=4 "
	     "-filter_complex '[0]trim=duration=4,fade=out:st=3:d=0.6,format=yuv420p[a];[1]fade=in:st=0.4:d=0.6,format=yuv420p[b];"
	     "[a][b]concat=n=2:v=1:a=0' -c:v libx264 -preset ultrafast fades.mp4");
	Decoded d = decode("fades.mp4");
	g_assert_cmpuint(count(&d, WEFT_PART_FRAME, 1), ==, 2);
	g_assert_cmpuint(count(&d, WEFT_PART_CONTENT, 1), ==, 1);
	assert_time(nth(&d, WEFT_PART_FRAME, 1, 0), 0, 3.6, 0.1);
	assert_time(nth(&d, WEFT_PART_CONTENT, 1, 0), 3.6, 4.4, 0.1);
	g_assert_cmpint(nth(&d, WEFT_PART_CONTENT, 1, 0)->content->kind, ==, WEFT_CONTENT_BLANK);
	assert_time(nth(&d, WEFT_PART_FRAME, 1, 1), 4.4, 8, 0.1);
	/* what is given is the picture behind the fade, not its first dark frame */
	const WeftRaster *raster = &nth(&d, WEFT_PART_FRAME, 1, 1)->raster;
	guint8 most = 0;
	for (gsize i = 0; i < (gsize)raster->width * raster->height * 3; i++)
		most = MAX(most, raster->pixels[i]);
	g_assert_cmpuint(most, >, 180);
	decoded_free(&d);
}

static void long_stand_is_told_every_five_minutes(void)
{
	make("-f lavfi -i smptebars=s=64x36:d=700:r=1 -f lavfi -i sine=f=300:d=700:r=8000 -c:v mpeg4 "
	     "-c:a pcm_s16le hour.mkv");
	Decoded d = decode("hour.mkv");
	const WeftPart *frame = nth(&d, WEFT_PART_FRAME, 1, 0);
	g_assert_cmpuint(count(&d, WEFT_PART_FRAME, 1), ==, 1);
	g_assert_cmpuint(count(&d, WEFT_PART_CONTENT, 1), ==, 2);
	assert_time(frame, 0, 300, 0.05);
	assert_again(nth(&d, WEFT_PART_CONTENT, 1, 0), 300, 600, frame);
	assert_again(nth(&d, WEFT_PART_CONTENT, 1, 1), 600, 700, frame);
	assert_in_order(&d);
	decoded_free(&d);
}

/* Ten tracks fill what may wait in less than two minutes. */
static void many_tracks_do_not_wait_for_a_picture(void)
{
	make("-f lavfi -i smptebars=s=64x36:d=150:r=1 -f lavfi -i sine=f=300:d=150:r=8000 -map 0 -map 1 "
	     "-map 1 -map 1 -map 1 -map 1 -map 1 -map 1 -map 1 -map 1 -map 1 -c:v mpeg4 -c:a pcm_mulaw "
	     "ten.mkv");
	Decoded d = decode("ten.mkv");
	const WeftPart *frame = nth(&d, WEFT_PART_FRAME, 1, 0);
	g_assert_cmpfloat(frame->anchor.time[1], <, 150);
	const WeftPart *again = nth(&d, WEFT_PART_CONTENT, 1, 0);
	assert_again(again, frame->anchor.time[1], 150, frame);
	assert_in_order(&d);
	decoded_free(&d);
}

static void late_picture_starts_late(void)
{
	const char *names[] = {"latevideo.mkv", "latevideo.mp4", NULL};
	for (guint i = 0; names[i]; i++) {
		g_free(shell(FFMPEG "-itsoffset 2.5 -f lavfi -i smptebars=d=4:r=10 -f lavfi -i "
		                    "sine=f=300:d=8:r=16000 -map 0:v -map 1:a -c:v mpeg4 -c:a flac "
		                    "-strict -2 -vsync vfr %s",
		             names[i]));
		Decoded d = decode(names[i]);
		g_assert_no_error(d.error);
		assert_time(nth(&d, WEFT_PART_FRAME, 1, 0), 2.5, 6.5, 0.002);
		assert_time(nth(&d, WEFT_PART_PCM, 2, 0), 0, 8, 0.002); /* and is the longer one */
		g_assert_cmpuint(count(&d, WEFT_PART_FAULT, 0), ==, 0);
		decoded_free(&d);
	}
}

/* ffmpeg applies the rotation too; both then go from yuv to rgb by swscale. */
static void rotation_is_applied(void)
{
	const int turns[] = {90, 180, 270};
	make("-f lavfi -i testsrc2=s=640x384:d=1:r=5 -c:v libx264 -preset ultrafast up.mp4");
	for (guint i = 0; i < 3; i++) {
		g_free(
		    shell(FFMPEG "-i up.mp4 -c copy -metadata:s:v rotate=%d turned.mp4", turns[i]));
		g_free(shell(FFMPEG "-i turned.mp4 -frames:v 1 -pix_fmt rgb24 -f rawvideo "
		                    "-sws_flags bicubic+accurate_rnd+bitexact judge.raw"));
		g_autofree char *raw = NULL, *path = in_folder("judge.raw");
		gsize size = 0;
		g_assert_true(g_file_get_contents(path, &raw, &size, NULL));
		Decoded d = decode("turned.mp4");
		const WeftRaster *raster = &nth(&d, WEFT_PART_FRAME, 1, 0)->raster;
		g_assert_cmpuint(raster->width, ==, turns[i] == 180 ? 640 : 384);
		g_assert_cmpuint((gsize)raster->width * raster->height * 3, ==, size);
		double sum = 0;
		for (gsize k = 0; k < size; k++)
			sum += abs(raster->pixels[k] - (guint8)raw[k]);
		/* ffmpeg turns before it scales chroma: edges differ, a wrong turn by 60 and more
		 */
		g_assert_cmpfloat(sum / (double)size, <, 4);
		decoded_free(&d);
	}
}

static void shape_and_size_of_frames(void)
{
	WeftDecodeOptions options = all_wanted();
	make("-f lavfi -i testsrc2=s=160x96:d=1:r=5 -vf setsar=2/1 -c:v mpeg4 wide.mkv");
	Decoded d = decode_with("wide.mkv", options);
	const WeftRaster *raster = &nth(&d, WEFT_PART_FRAME, 1, 0)->raster;
	g_assert_cmpuint(raster->width, ==, 320);
	g_assert_cmpuint(raster->height, ==, 96);
	g_assert_cmpfloat(raster->points_per_pixel, ==, 0);
	decoded_free(&d);
	options.raster_side_max = 100;
	d = decode_with("wide.mkv", options);
	raster = &nth(&d, WEFT_PART_FRAME, 1, 0)->raster;
	g_assert_cmpuint(raster->width, ==, 100);
	g_assert_cmpuint(raster->height, ==, 30);
	g_assert_cmpfloat(raster->points_per_pixel, ==, 3.2);
	decoded_free(&d);
}

int main(int argc, char **argv)
{
	media_begin(&argc, &argv);
	g_test_add_func("/video/frames-are-chosen-at-changes", frames_are_chosen_at_changes);
	g_test_add_func("/video/frame-rate-may-vary", frame_rate_may_vary);
	g_test_add_func("/video/few-frames-stand-long", few_frames_stand_long);
	g_test_add_func("/video/what-stands-is-not-looked-at-again",
	                what_stands_is_not_looked_at_again);
	g_test_add_func("/video/what-moves-is-looked-at-at-the-interval",
	                what_moves_is_looked_at_at_the_interval);
	g_test_add_func("/video/slide-that-comes-back-is-told-not-given",
	                slide_that_comes_back_is_told_not_given);
	g_test_add_func("/video/another-word-is-another-slide",
	                another_word_is_another_slide);
	g_test_add_func("/video/dissolve-is-one-change",
	                dissolve_is_one_change);
	g_test_add_func("/video/fades-end-in-black",
	                fades_end_in_black);
	g_test_add_func("/video/long-stand-is-told-every-five-minutes",
	                long_stand_is_told_every_five_minutes);
	g_test_add_func("/video/many-tracks-do-not-wait-for-a-picture",
	                many_tracks_do_not_wait_for_a_picture);
	g_test_add_func("/video/late-picture-starts-late",
	                late_picture_starts_late);
	g_test_add_func("/video/rotation-is-applied", rotation_is_applied);
	g_test_add_func("/video/shape-and-size-of-frames", shape_and_size_of_frames);
	return media_run();
}
