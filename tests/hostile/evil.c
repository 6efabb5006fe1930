/* evil.c - a helper program whose workers do what a taken-over decoder would. The document's text
 * says which crime, after a first line "%PDF-" where it stands for weft-decode-pdf, which may read
 * EVIL_FOLDER; what it gives back is judged by test_hostile.c and test_escape.c. */
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ingest/decoder.h"
#include "ingest/transport.h"
#include "tests/hostile/evil.h"

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

void evil_tell(const char *key, const char *value)
{
	WeftWireOut out;
	g_autoptr(WeftPart) part = weft_part_new_meta(key, value);
	weft_wire_begin(&out, WEFT_WIRE_PART);
	weft_wire_put_part(&out, part, 0);
	send_out(&out);
}

static void crime_exit(const char *argument)
{
	_exit(3);
}

static void crime_crash(const char *argument)
{
	*(volatile int *)NULL = 1;
}

static void crime_stall(const char *argument)
{
	for (;;)
		(void)poll(NULL, 0, -1);
}

static void crime_spin(const char *argument)
{
	for (volatile int i = 0;; i++)
		continue;
}

static void crime_garbage(const char *argument)
{
	char bytes[100];
	memset(bytes, 0xa5, sizeof bytes);
	send_raw(bytes, sizeof bytes);
}

static void crime_short(const char *argument)
{
	send_raw("abc", 3);
}

static void crime_empty(const char *argument)
{
	send_raw("", 0);
}

static void crime_length(const char *argument)
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

static void crime_wide(const char *argument)
{
	send_raster(0, 60000, 60000);
}

static void crime_overflow(const char *argument)
{
	send_raster(0, 0x80000000u, 2);
}

static void crime_nothing(const char *argument)
{
	send_raster(0, 0, 10);
}

static void crime_slot(const char *argument)
{
	send_raster(7, 10, 10);
}

/* What another document left in the memory. */
static void crime_peek(const char *argument)
{
	send_raster(0, 100, 100);
	send_raster(1, 100, 100);
}

static void crime_leave(const char *argument)
{
	for (int i = 0; i < 2; i++) {
		guint8 *slot =
		    mmap(NULL, 30000, PROT_READ | PROT_WRITE, MAP_SHARED, WEFT_WIRE_FD_SLOT + i, 0);
		memset(slot, 0x77, 30000);
	}
	send_raster(0, 100, 100);
}

/* Makes the memory smaller, so that weft would fault: tells whether it could. */
static void crime_shrink(const char *argument)
{
	evil_tell("could", ftruncate(WEFT_WIRE_FD_SLOT, 0) == 0 ? "yes" : "no");
}

static void crime_nan(const char *argument)
{
	WeftWireOut out;
	WeftAnchor at = {.page = 1, .has_bbox = TRUE, .bbox = {0, NAN, 1, 1}};
	g_autoptr(WeftPart) part = weft_part_new(WEFT_PART_PAGE, at);
	weft_wire_begin(&out, WEFT_WIRE_PART);
	weft_wire_put_part(&out, part, 0);
	send_out(&out);
}

static void crime_words(const char *argument)
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

/* Sound of a third side. */
static void crime_side(const char *argument)
{
	WeftWireOut out;
	WeftAnchor at = {.track = 1};
	g_autoptr(WeftPart) part = weft_part_new(WEFT_PART_PCM, at);
	part->pcm.n_samples = 16;
	part->pcm.channel = 3;
	weft_wire_begin(&out, WEFT_WIRE_PART);
	weft_wire_put_part(&out, part, 0);
	send_out(&out);
}

static void crime_bytes(const char *argument)
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

static void crime_flood(const char *argument)
{
	for (;;)
		send_raster(0, 100, 100);
}

/* More than it has asked for. */
static void crime_unasked(const char *argument)
{
	send_raster(0, 4000, 4000);
}

static void crime_greedy(const char *argument)
{
	WeftWireOut out;
	weft_wire_begin(&out, WEFT_WIRE_ASK);
	weft_wire_put_u64(&out, G_MAXUINT64);
	send_out(&out);
}

/* What it allocates is weighed, whoever does it. */
static void crime_hoard(const char *argument)
{
	for (guint i = 0; i < 100000; i++)
		memset(g_malloc(100000), 1, 100000);
}

static void crime_descriptors(const char *argument)
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

static void crime_parent(const char *argument)
{
	kill(getppid(), SIGKILL);
	crime_stall(argument);
}

/* Writes on after it has told what it wrote, while weft reads, and after it was read. */
static void crime_late(const char *argument)
{
	guint8 *slot =
	    mmap(NULL, 30000, PROT_READ | PROT_WRITE, MAP_SHARED, WEFT_WIRE_FD_SLOT, 0);
	gint64 end = g_get_monotonic_time() + 300000;
	send_raster(0, 100, 100);
	for (guint8 value = 1; g_get_monotonic_time() < end; value++)
		memset(slot, value, 30000);
}

/* Killed as the system kills when memory is short, after two parts; with a path only where nothing
 * has that name yet. */
static void crime_killed(const char *path)
{
	evil_tell("part", "1");
	evil_tell("part", "2");
	if (!*path || open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0)
		kill(getpid(), SIGKILL);
	evil_tell("part", "3");
}

/* The program, where nothing has that name yet. */
static void crime_program(const char *path)
{
	evil_tell("part", "1");
	if (open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0)
		crime_parent(path);
	evil_tell("part", "2");
}

static void no_crime(const char *argument)
{
}

static const EvilCrime CRIMES[] = {
    {"exit", crime_exit},       {"crash", crime_crash},
    {"stall", crime_stall},     {"spin", crime_spin},
    {"garbage", crime_garbage}, {"short", crime_short},
    {"empty", crime_empty},     {"length", crime_length},
    {"wide", crime_wide},       {"overflow", crime_overflow},
    {"nothing", crime_nothing}, {"slot", crime_slot},
    {"peek", crime_peek},       {"leave", crime_leave},
    {"shrink", crime_shrink},   {"nan", crime_nan},
    {"words", crime_words},     {"bytes", crime_bytes},
    {"side", crime_side},
    {"flood", crime_flood},     {"descriptors", crime_descriptors},
    {"unasked", crime_unasked}, {"greedy", crime_greedy},
    {"hoard", crime_hoard},
    {"parent", crime_parent},   {"late", crime_late},
    {"killed", crime_killed},   {"program", crime_program},
    {"none", no_crime},         {NULL, NULL},
};

static gboolean commit(const EvilCrime *crimes, const char *name, const char *argument)
{
	for (; crimes->name; crimes++) {
		if (strcmp(name, crimes->name) == 0) {
			crimes->commit(argument);
			return TRUE;
		}
	}
	return FALSE;
}

static gboolean evil_open(const WeftDecodeJob *job, void **ret_state, GError **error)
{
	char text[1024] = "";
	char *line = text, *argument;
	if (read(job->fd, text, sizeof text - 1) <= 0)
		return TRUE;
	if (g_str_has_prefix(line, "%PDF-"))
		line += strcspn(line, "\n") + 1;
	argument = line + strcspn(line, " ");
	if (*argument)
		*argument++ = '\0';
	if (!commit(CRIMES, line, argument) && !commit(evil_escapes, line, argument))
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "no crime is called %s", line);
	*ret_state = NULL;
	return *error == NULL;
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

#ifdef EVIL_FOLDER
#define FAMILY WEFT_FAMILY_PDF
#define NAME "weft-decode-pdf"
static const char *const FOLDERS[] = {EVIL_FOLDER, NULL};
#else
#define FAMILY WEFT_FAMILY_TEXT
#define NAME "weft-decode-image"
#define FOLDERS NULL
#endif

static const WeftDecoder EVIL = {
    "evil", FAMILY, NULL, evil_open, evil_next, evil_close,
};

static const WeftDecoder *const DECODERS[] = {&EVIL, NULL};

const WeftHelperProgram weft_helper_program = {
    .name = NAME,
    .version = version,
    .decoders = DECODERS,
    .folders = FOLDERS,
};
