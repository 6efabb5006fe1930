/* A whole hostile worker: the input is what it does, at the other end of real sockets and real shared
 * memory, while weft decodes a document or has a picture read. A thread plays the helper program, which
 * is not hostile: it gives each worker that is asked for the next piece of the script, and reports
 * its end. What weft takes from it is walked to its last byte. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "ingest/host.h"
#include "ingest/transport.h"

#define CLEARED_BYTES 65536
#define PARTS_MAX 4096

typedef enum {
	STEP_RAW,    /* length u16, bytes: a message */
	STEP_FRAMED, /* type u8, length u16, bytes: with its header */
	STEP_FDS,    /* the same, and descriptors with it */
	STEP_FILL,   /* slot u8, value u8 */
	STEP_RASTER, /* slot u8, width u8, height u8 */
	STEP_STARTED,
	STEP_DONE, /* END */
	STEP_DIE,  /* wait status u32, or nothing when its first byte is 0xff: the program is gone, too */
	N_STEPS,
} Step;

typedef struct Player {
	const uint8_t *at, *end;
	int socket;
} Player;

static guint32 number(Player *player, gsize size)
{
	guint32 value = 0;
	for (gsize i = 0; i < size && player->at < player->end; i++)
		value |= (guint32)*player->at++ << (8 * i);
	return value;
}

static void send_bytes(int work, const void *bytes, gsize size, gboolean with_fds)
{
	struct iovec iov = {(void *)(guintptr)bytes, size};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[2] = {0, 1};
	if (with_fds) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof fds);
		memcpy(CMSG_DATA(&control.header), fds, sizeof fds);
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof control.space;
	}
	(void)!sendmsg(work, &msg, MSG_NOSIGNAL | MSG_DONTWAIT); /* weft may have had enough */
}

static void send_piece(Player *player, int work, gboolean framed, gboolean with_fds)
{
	guint8 type = framed ? (guint8)number(player, 1) : 0;
	gsize size = number(player, 2);
	size = MIN(size, (gsize)(player->end - player->at));
	g_autofree guint8 *message = g_malloc(WEFT_WIRE_HEADER_BYTES + size);
	guint32 header[2] = {GUINT32_TO_LE(type), GUINT32_TO_LE((guint32)size)};
	gsize at = framed ? WEFT_WIRE_HEADER_BYTES : 0;
	memcpy(message, header, at);
	memcpy(message + at, player->at, size);
	player->at += size;
	send_bytes(work, message, at + size, with_fds);
}

static void send_simple(int work, WeftWireOut *out)
{
	(void)weft_wire_send_now(work, out, NULL, 0, NULL); /* weft may have had enough */
	weft_wire_done(out);
}

static void send_raster(Player *player, int work)
{
	WeftWireOut out;
	WeftAnchor at = {0};
	weft_wire_begin(&out, WEFT_WIRE_PART);
	weft_wire_put_u8(&out, WEFT_PART_RASTER);
	weft_wire_put_anchor(&out, &at);
	weft_wire_put_u32(&out, number(player, 1));
	weft_wire_put_u32(&out, number(player, 1));
	weft_wire_put_u32(&out, number(player, 1));
	weft_wire_put_f64(&out, 0);
	weft_wire_put_f64(&out, 0.5);
	send_simple(work, &out);
}

static void fill(Player *player, const int *slots)
{
	static const gsize SIZE = 200000; /* 255 x 255 pixels */
	int slot = slots[number(player, 1) % WEFT_WIRE_SLOTS];
	guint8 *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, slot, 0);
	guint8 value = (guint8)number(player, 1);
	if (memory == MAP_FAILED)
		abort();
	memset(memory, value, SIZE);
	munmap(memory, SIZE);
}

/* Until it dies; FALSE: its program dies, too. */
static gboolean play_worker(Player *player, int work, const int *slots, guint32 *ret_status)
{
	WeftWireOut out;
	while (player->at < player->end) {
		switch (number(player, 1) % N_STEPS) {
		case STEP_RAW:
			send_piece(player, work, FALSE, FALSE);
			break;
		case STEP_FRAMED:
			send_piece(player, work, TRUE, FALSE);
			break;
		case STEP_FDS:
			send_piece(player, work, TRUE, TRUE);
			break;
		case STEP_FILL:
			fill(player, slots);
			break;
		case STEP_RASTER:
			send_raster(player, work);
			break;
		case STEP_STARTED:
			weft_wire_begin(&out, WEFT_WIRE_STARTED);
			weft_wire_put_string(&out, NULL);
			send_simple(work, &out);
			break;
		case STEP_DONE:
			weft_wire_begin(&out, WEFT_WIRE_END);
			send_simple(work, &out);
			break;
		default:
			*ret_status = number(player, 4);
			return (*ret_status & 0xff) != 0xff;
		}
	}
	*ret_status = 0;
	return TRUE;
}

static void assert_cleared(int slot)
{
	static const guint8 ZEROS[4096];
	guint8 bytes[sizeof ZEROS];
	for (off_t at = 0; at < CLEARED_BYTES; at += (off_t)sizeof bytes)
		if (pread(slot, bytes, sizeof bytes, at) != (ssize_t)sizeof bytes ||
		    memcmp(bytes, ZEROS, sizeof bytes) != 0)
			abort();
}

static void *play(void *opaque)
{
	Player *player = opaque;
	guint8 *message = g_malloc(WEFT_WIRE_MESSAGE_MAX);
	int fds[WEFT_WIRE_FDS_MAX];
	guint n_fds = 0;
	gsize size = 0;
	while (weft_wire_receive(player->socket, message, &size, fds, &n_fds, -1, NULL) && size > 0) {
		guint32 status = 0;
		if (n_fds != WEFT_WIRE_FDS_MAX)
			abort();
		for (guint i = 0; i < WEFT_WIRE_SLOTS; i++)
			assert_cleared(fds[3 + i]);
		gboolean reports = play_worker(player, fds[1], &fds[3], &status);
		for (guint i = 1; i < WEFT_WIRE_FDS_MAX; i++)
			close(fds[i]);
		if (reports) {
			WeftWireOut out;
			weft_wire_begin(&out, WEFT_WIRE_ENDED);
			weft_wire_put_u32(&out, status);
			send_simple(fds[0], &out);
		}
		close(fds[0]);
	}
	g_free(message);
	return NULL;
}

static void walk(const WeftPart *part)
{
	volatile guint64 sum = weft_part_size_bytes(part);
	if (part->raster.pixels)
		for (gsize i = 0; i < (gsize)part->raster.width * part->raster.height * 3; i++)
			sum = sum + part->raster.pixels[i];
	(void)sum;
	for (gsize i = 0; i < part->pcm.n_samples; i++)
		if (!(part->pcm.samples[i] >= -1 && part->pcm.samples[i] <= 1))
			abort();
	if (part->content && part->content->text && !g_utf8_validate(part->content->text, -1, NULL))
		abort();
}

static void decode(WeftIngest *ingest)
{
	static const WeftSniff SNIFF = {WEFT_FAMILY_TEXT, "text/plain", "text", NULL};
	static const WeftDecodeOptions OPTIONS = {.want_rasters = TRUE, .limits.total_s = 5};
	int document = memfd_create("document", MFD_CLOEXEC);
	WeftDecoding *decoding = weft_ingest_decode(ingest, &SNIFF, document, NULL, &OPTIONS, NULL);
	close(document);
	for (guint i = 0; decoding && i < PARTS_MAX; i++) {
		g_autoptr(WeftPart) part = NULL;
		if (!weft_decoding_next(decoding, &part, NULL) || !part)
			break;
		walk(part);
	}
	weft_decoding_close(decoding);
}

static void read_picture(WeftIngest *ingest)
{
	static const WeftLimits LIMITS = {.reading_s = 5};
	guint8 pixels[8 * 8 * 3] = {0};
	WeftRaster raster = {.width = 8, .height = 8, .pixels = pixels};
	WeftAnchor at = {.page = 1};
	WeftReader *reader = weft_ingest_reader(ingest, "eng", &LIMITS, NULL);
	for (guint i = 0; reader && i < 2; i++) {
		g_autoptr(GPtrArray) contents = NULL;
		if (!weft_reader_read(reader, &raster, at, &contents, NULL))
			break;
	}
	weft_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	static WeftIngest *ingest; /* with its pool of memory, which goes from worker to worker */
	gboolean reads = size_bytes > 0 && data[0] & 1;
	Player player = {.at = data + MIN(size_bytes, 1), .end = data + size_bytes};
	pthread_t thread;
	int pair[2];
	if (!ingest)
		ingest = weft_ingest_open("/nonexistent", NULL);
	if (!ingest || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	player.socket = pair[1];
	weft_ingest_adopt(ingest, reads ? WEFT_PROGRAM_OCR : WEFT_PROGRAM_IMAGE, pair[0]);
	if (pthread_create(&thread, NULL, play, &player) != 0)
		abort();
	if (reads)
		read_picture(ingest);
	else
		decode(ingest);
	(void)shutdown(pair[0], SHUT_RDWR);
	pthread_join(thread, NULL);
	close(pair[1]);
	return 0;
}
