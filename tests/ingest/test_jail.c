/* Where the system does not offer a wall, decoding is refused, and can be had without. The system is
 * made so by a filter of system calls around this program. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/ingest/decoded.h"

/* From here on `call` answers `number`; its first argument must be `first`, or anything for -1. */
static void take_away(guint32 call, gint64 first, guint32 number)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	    BPF_JUMP(first < 0 ? BPF_JMP | BPF_JGE | BPF_K : BPF_JMP | BPF_JEQ | BPF_K,
	             first < 0 ? 0 : (guint32)first, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | number),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {G_N_ELEMENTS(code), code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(77);
}

static const char *refusal_of(WeftIngest *ingest, const char *program, const char **ret_walls)
{
	WeftWallsFacts facts = {0};
	for (guint i = 0; weft_ingest_walls(ingest, i, &facts); i++) {
		if (g_str_has_prefix(facts.program, program)) {
			*ret_walls = facts.walls;
			return facts.refusal;
		}
	}
	g_error("%s is not there", program);
}

static void assert_decodes(WeftIngest *ingest, const char *name)
{
	static const WeftDecodeOptions OPTIONS = {.want_rasters = TRUE};
	g_auto(Decoded) decoded = decode_file(ingest, name, &OPTIONS);
	g_assert_no_error(decoded.error);
}

static void assert_refuses(WeftIngest *ingest, const char *name)
{
	static const WeftDecodeOptions OPTIONS = {.want_rasters = TRUE};
	g_auto(Decoded) decoded = decode_file(ingest, name, &OPTIONS);
	g_assert_error(decoded.error, WEFT_ERROR, WEFT_ERROR_GONE);
	g_assert_nonnull(strstr(decoded.error->message, "--no-sandbox"));
	g_assert_cmpuint(decoded.parts->len, ==, 0);
}

/* Fonts are files, so the program that reads them needs Landlock; the others do not. */
static void without_landlock(void)
{
	const char *walls = NULL;
	take_away(SYS_landlock_create_ruleset, -1, ENOSYS);
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_autoptr(GError) error = NULL;
	g_assert_nonnull(strstr(refusal_of(ingest, "weft-decode-pdf", &walls), "Landlock"));
	g_assert_null(refusal_of(ingest, "weft-decode-image", &walls));
	g_assert_nonnull(strstr(walls, "seccomp"));
	g_assert_null(strstr(walls, "Landlock"));
	g_assert_false(weft_ingest_lock(ingest, TRUE, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_GONE);
	assert_refuses(ingest, "text.pdf");
	assert_decodes(ingest, "rgb.png");
	g_assert_true(weft_ingest_lock(ingest, FALSE, NULL));
	assert_decodes(ingest, "text.pdf");
	weft_ingest_close(ingest);
}

/* A kernel that has Landlock and refuses it is no kernel without. */
static void without_landlock_though_it_is_there(void)
{
	const char *walls = NULL;
	take_away(SYS_landlock_restrict_self, -1, EPERM);
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_assert_nonnull(strstr(refusal_of(ingest, "weft-decode-image", &walls), "Landlock"));
	weft_ingest_close(ingest);
}

static void without_seccomp(void)
{
	const char *walls = NULL;
	take_away(SYS_prctl, PR_SET_SECCOMP, EINVAL);
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_assert_nonnull(strstr(refusal_of(ingest, "weft-decode-image", &walls), "seccomp"));
	assert_refuses(ingest, "rgb.png");
	g_assert_true(weft_ingest_lock(ingest, FALSE, NULL));
	assert_decodes(ingest, "rgb.png");
	weft_ingest_close(ingest);
}

/* What libraries load on the side is loaded before: tables of characters, for titles in UTF-16 and in
 * Latin-1. */
static void test_characters(void)
{
	static const char PDF[] =
	    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
	    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
	    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
	    "4 0 obj<</Title<FEFF03C003C1>/Author(Gr\\366\\337e)>>endobj\n"
	    "trailer<</Root 1 0 R/Info 4 0 R/Size 5>>\n%%EOF\n";
	static const WeftDecodeOptions OPTIONS = {.want_rasters = FALSE};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	int fd = file_of(PDF, sizeof PDF - 1);
	g_auto(Decoded) decoded = decode_fd(ingest, fd, &OPTIONS);
	g_assert_no_error(decoded.error);
	g_assert_cmpstr(meta_of(&decoded, "title"), ==, "πρ");
	g_assert_cmpstr(meta_of(&decoded, "author"), ==, "Größe");
	close(fd);
	weft_ingest_close(ingest);
}

/* The system is taken from a process of its own. */
static void test_apart(const void *data)
{
	void (*body)(void);
	memcpy(&body, data, sizeof body);
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		body();
		_exit(0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_cmpint(status, ==, 0);
}

static void test_all_stand(void)
{
	const char *walls = NULL;
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_assert_true(weft_ingest_lock(ingest, TRUE, NULL));
	g_assert_null(refusal_of(ingest, "weft-decode-pdf", &walls));
	g_assert_nonnull(strstr(walls, "privileges"));
	weft_ingest_close(ingest);
}

static gboolean has_walls(void)
{
	const char *walls = NULL;
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	(void)refusal_of(ingest, "weft-decode-pdf", &walls);
	gboolean has = walls && strstr(walls, "seccomp") && strstr(walls, "Landlock");
	weft_ingest_close(ingest);
	return has;
}

int main(int argc, char **argv)
{
	static void (*const BODIES[])(void) = {
	    without_landlock, without_landlock_though_it_is_there, without_seccomp,
	};
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/jail/all-stand", test_all_stand);
	g_test_add_func("/jail/characters", test_characters);
	if (has_walls()) { /* else this build lowers them, or the kernel has none */
		g_test_add_data_func("/jail/no-landlock", &BODIES[0], test_apart);
		g_test_add_data_func("/jail/refused-landlock", &BODIES[1], test_apart);
		g_test_add_data_func("/jail/no-seccomp", &BODIES[2], test_apart);
	}
	return g_test_run();
}
