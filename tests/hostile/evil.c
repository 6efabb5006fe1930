/* evil.c - a helper program whose workers do what a taken-over decoder would. The document's text
 * says which crime; what it gives back is judged by test_hostile.c. */
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ingest/decoder.h"
#include "ingest/wire.h"

static void send_raw(const void *bytes, gsize size)
{
	struct iovec iov = {(void *)(guintptr)bytes, size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	(void)!sendmsg(WEFT_WIRE_FD_WORK, &msg, MSG_NOSIGNAL);
}

static void send_out(WeftWireOut *out)
{
	(void)weft_wire_send(WEFT_WIRE_FD_WORK, out, NULL, 0, NULL);
	weft_wire_done(out);
}

static void crime_exit(void)
{
	_exit(3);
}

static void crime_crash(void)
{
	*(volatile int *)NULL = 1;
}

static void crime_stall(void)
{
	for (;;)
		(void)poll(NULL, 0, -1);
}

static void crime_spin(void)
{
	for (volatile int i = 0;; i++)
		continue;
}

static void crime_garbage(void)
{
	char bytes[100];
	memset(bytes, 0xa5, sizeof bytes);
	send_raw(bytes, sizeof bytes);
}

static void crime_short(void)
{
	send_raw("abc", 3);
}

static void crime_empty(void)
{
	send_raw("", 0);
}

static void crime_length(void)
{
	static const guint32 HEADER[3] = {WEFT_WIRE_PART, G_MAXUINT32, 0};
	send_raw(HEADER, sizeof HEADER);
}

static void send_raster(guint32 slot, guint32 width, guint32 height)
{
	WeftWireOut out;
	WeftAnchor at = {0};
	weft_wire_begin(&out, WEFT_WIRE_PART);
	weft_wire_put_u8(&out, WEFT_PART_RASTER);
	weft_wire_put_anchor(&out, &at);
	weft_wire_put_u32(&out, slot);
	weft_wire_put_u32(&out, width);
	weft_wire_put_u32(&out, height);
	weft_wire_put_f64(&out, 0);
	weft_wire_put_f64(&out, 0.5);
	send_out(&out);
}

static void crime_wide(void)
{
	send_raster(0, 60000, 60000);
}

static void crime_overflow(void)
{
	send_raster(0, 0x80000000u, 2);
}

static void crime_nothing(void)
{
	send_raster(0, 0, 10);
}

static void crime_slot(void)
{
	send_raster(7, 10, 10);
}

/* What another document left in the memory. */
static void crime_peek(void)
{
	send_raster(0, 100, 100);
	send_raster(1, 100, 100);
}

static void crime_leave(void)
{
	for (int i = 0; i < 2; i++) {
		guint8 *slot =
		    mmap(NULL, 30000, PROT_READ | PROT_WRITE, MAP_SHARED, WEFT_WIRE_FD_SLOT + i, 0);
		memset(slot, 0x77, 30000);
	}
	send_raster(0, 100, 100);
}

/* Makes the memory smaller, so that weft would fault: tells whether it could. */
static void crime_shrink(void)
{
	WeftWireOut out;
	gboolean could = ftruncate(WEFT_WIRE_FD_SLOT, 0) == 0;
	g_autoptr(WeftPart) part = weft_part_new_meta("could", could ? "yes" : "no");
	weft_wire_begin(&out, WEFT_WIRE_PART);
	weft_wire_put_part(&out, part, 0);
	send_out(&out);
}

static void crime_nan(void)
{
	WeftWireOut out;
	WeftAnchor at = {.page = 1, .has_bbox = TRUE, .bbox = {0, NAN, 1, 1}};
	g_autoptr(WeftPart) part = weft_part_new(WEFT_PART_PAGE, at);
	weft_wire_begin(&out, WEFT_WIRE_PART);
	weft_wire_put_part(&out, part, 0);
	send_out(&out);
}

static void crime_words(void)
{
	WeftWireOut out;
	WeftAnchor at = {0};
	WeftContent *content =
	    weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_FILE, g_strdup("four"), at);
	WeftWord word = {2, 900, at, 1};
	weft_content_add_word(content, word);
	g_autoptr(WeftPart) part = weft_part_new_content(content);
	weft_wire_begin(&out, WEFT_WIRE_PART);
	weft_wire_put_part(&out, part, 0);
	send_out(&out);
}

static void crime_bytes(void)
{
	WeftWireOut out;
	WeftAnchor at = {0};
	weft_wire_begin(&out, WEFT_WIRE_PART);
	weft_wire_put_u8(&out, WEFT_PART_META);
	weft_wire_put_anchor(&out, &at);
	weft_wire_put_string(&out, "key");
	weft_wire_put_string(&out, "\xff\xfe bytes");
	weft_wire_put_u32(&out, 0);
	weft_wire_put_u64(&out, 0);
	send_out(&out);
}

static void crime_flood(void)
{
	for (;;)
		send_raster(0, 1000, 1000);
}

static void crime_descriptors(void)
{
	int fds[3] = {0, 1, 2};
	for (int i = 0; i < 100; i++) {
		WeftWireOut out;
		g_autoptr(WeftPart) part = weft_part_new_meta("key", "value");
		weft_wire_begin(&out, WEFT_WIRE_PART);
		weft_wire_put_part(&out, part, 0);
		(void)weft_wire_send(WEFT_WIRE_FD_WORK, &out, fds, 3, NULL);
		weft_wire_done(&out);
	}
}

static void crime_parent(void)
{
	kill(getppid(), SIGKILL);
	crime_stall();
}

static void no_crime(void)
{
}

static const struct {
	const char *name;
	void (*commit)(void);
} CRIMES[] = {
    {"exit", crime_exit},       {"crash", crime_crash},
    {"stall", crime_stall},     {"spin", crime_spin},
    {"garbage", crime_garbage}, {"short", crime_short},
    {"empty", crime_empty},     {"length", crime_length},
    {"wide", crime_wide},       {"overflow", crime_overflow},
    {"nothing", crime_nothing}, {"slot", crime_slot},
    {"peek", crime_peek},       {"leave", crime_leave},
    {"shrink", crime_shrink},   {"nan", crime_nan},
    {"words", crime_words},     {"bytes", crime_bytes},
    {"flood", crime_flood},     {"descriptors", crime_descriptors},
    {"parent", crime_parent},   {"none", no_crime},
};

static gboolean evil_open(const WeftDecodeJob *job, void **ret_state, GError **error)
{
	char name[32] = "";
	gssize n = read(job->fd, name, sizeof name - 1);
	for (guint i = 0; n > 0 && i < G_N_ELEMENTS(CRIMES); i++)
		if (strcmp(name, CRIMES[i].name) == 0)
			CRIMES[i].commit();
	*ret_state = NULL;
	return TRUE;
}

static gboolean evil_next(void *state, WeftPart **ret_part, GError **error)
{
	*ret_part = NULL;
	return TRUE;
}

static void evil_close(void *state)
{
}

static char *version(void)
{
	return g_strdup("evil 1");
}

static const WeftDecoder EVIL = {
    "evil", WEFT_FAMILY_TEXT, NULL, evil_open, evil_next, evil_close,
};

static const WeftDecoder *const DECODERS[] = {&EVIL, NULL};

const WeftHelperProgram weft_helper_program = {
    .name = "weft-decode-image",
    .version = version,
    .decoders = DECODERS,
};
