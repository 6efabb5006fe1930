/* What a taken-over worker tries, and that it did not happen: not by its word, but by what it would
 * have changed. Most crimes are committed once more without a jail, where they must happen, so that
 * a witness which sees nothing is found out. Builds with a sanitizer have no such walls. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/hostile/crime.h"

#define SECRET "the canary sings"

typedef enum {
	NOTHING,
	CANARY,   /* a file with the secret */
	NEW,      /* a name that does not exist */
	FOLDER,   /* where both are */
	TCP_PORT, /* somebody listens there */
	UDP_PORT,
	UNIX_PATH,
	VICTIM, /* a process of the same user */
} Target;

typedef struct Escape {
	const char *crime;
	Target target;
	gboolean is_possible; /* without a jail, for everyone */
} Escape;

static const Escape ESCAPES[] = {
    {"read", CANARY, TRUE},       {"list", FOLDER, TRUE},
    {"create", NEW, TRUE},        {"old-open", NEW, TRUE},
    {"creat", NEW, TRUE},         {"truncate", CANARY, TRUE},
    {"truncate-path", CANARY, TRUE}, {"openat2", CANARY, TRUE},
    {"unlink", CANARY, TRUE},     {"rename", CANARY, TRUE},
    {"chmod", CANARY, TRUE},      {"mkdir", NEW, TRUE},
    {"symlink", NEW, TRUE},       {"document", NOTHING, FALSE},
    {"tcp", TCP_PORT, TRUE},      {"udp", UDP_PORT, TRUE},
    {"reconnect", TCP_PORT, FALSE}, {"unix", UNIX_PATH, TRUE},
    {"exec", NEW, TRUE},          {"fork", NOTHING, FALSE},
    {"clone", NOTHING, FALSE},    {"clone3", NOTHING, FALSE},
    {"kill", VICTIM, TRUE},       {"tgkill", VICTIM, TRUE},
    {"pidfd", VICTIM, TRUE},      {"sigio", VICTIM, FALSE},
    {"ptrace", VICTIM, FALSE},    {"memory", VICTIM, FALSE},
    {"code", NOTHING, TRUE},      {"code-later", NOTHING, TRUE},
    {"limits", NOTHING, FALSE},   {"limits-of", VICTIM, TRUE},
    {"namespace", NOTHING, FALSE}, {"uring", NOTHING, FALSE},
    {"bpf", NOTHING, FALSE},      {"perf", NOTHING, FALSE},
    {"userfault", NOTHING, FALSE}, {"keys", NOTHING, FALSE},
    {"old-calls", NOTHING, FALSE},
};

/* A place where each crime would leave traces. */
typedef struct Scene {
	char *folder, *canary, *fresh, *unix_path;
	int tcp, udp, local;
	guint16 tcp_port, udp_port;
	pid_t victim;
	int document;
} Scene;

static int bind_to(int type, guint16 *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&at, sizeof at), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&at, &size), ==, 0);
	if (type == SOCK_STREAM)
		g_assert_cmpint(listen(fd, 4), ==, 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static int listen_at(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	g_strlcpy(at.sun_path, path, sizeof at.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&at, sizeof at), ==, 0);
	g_assert_cmpint(listen(fd, 4), ==, 0);
	return fd;
}

/* In `folder` when it is given (it is emptied), else in a new one. */
static void set_scene(Scene *scene, const char *folder)
{
	memset(scene, 0, sizeof *scene);
	if (folder) {
		g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
		scene->folder = g_strdup(folder);
	} else {
		scene->folder = g_dir_make_tmp("weft-escape-XXXXXX", NULL);
	}
	scene->canary = g_build_filename(scene->folder, "canary", NULL);
	scene->fresh = g_build_filename(scene->folder, "fresh", NULL);
	scene->unix_path = g_build_filename(scene->folder, "socket", NULL);
	(void)unlink(scene->unix_path);
	g_assert_true(g_file_set_contents(scene->canary, SECRET, -1, NULL));
	g_assert_cmpint(chmod(scene->canary, 0644), ==, 0);
	scene->tcp = bind_to(SOCK_STREAM, &scene->tcp_port);
	scene->udp = bind_to(SOCK_DGRAM, &scene->udp_port);
	scene->local = listen_at(scene->unix_path);
	scene->victim = fork();
	if (scene->victim == 0) {
		for (;;)
			(void)pause();
	}
	g_assert_cmpint(scene->victim, >, 0);
}

static void clear_scene(Scene *scene)
{
	g_autofree char *moved = g_strconcat(scene->canary, ".moved", NULL);
	kill(scene->victim, SIGKILL);
	(void)waitpid(scene->victim, NULL, 0); /* a murdered one has been waited for */
	close(scene->tcp);
	close(scene->udp);
	close(scene->local);
	(void)remove(scene->fresh);
	(void)remove(scene->canary);
	(void)remove(moved);
	(void)remove(scene->unix_path);
	(void)remove(scene->folder);
	g_free(scene->folder);
	g_free(scene->canary);
	g_free(scene->fresh);
	g_free(scene->unix_path);
}

static gboolean somebody_came(const Scene *scene)
{
	char byte;
	int fd = accept(scene->tcp, NULL, NULL);
	int local = accept(scene->local, NULL, NULL);
	gboolean came = fd >= 0 || local >= 0 || recv(scene->udp, &byte, 1, 0) >= 0;
	if (fd >= 0)
		close(fd);
	if (local >= 0)
		close(local);
	return came;
}

static gboolean folder_is_as_it_was(const Scene *scene)
{
	g_autofree char *text = NULL;
	struct stat facts;
	guint n = 0;
	g_autoptr(GDir) dir = g_dir_open(scene->folder, 0, NULL);
	while (dir && g_dir_read_name(dir))
		n++;
	return n == 2 && g_file_get_contents(scene->canary, &text, NULL, NULL) &&
	       strcmp(text, SECRET) == 0 && stat(scene->canary, &facts) == 0 &&
	       (facts.st_mode & 0777) == 0644;
}

static gboolean victim_is_well(const Scene *scene)
{
	struct rlimit files;
	g_autofree char *status = NULL;
	g_autofree char *path = g_strdup_printf("/proc/%d/status", scene->victim);
	int ended;
	return waitpid(scene->victim, &ended, WNOHANG | WUNTRACED) == 0 &&
	       g_file_get_contents(path, &status, NULL, NULL) &&
	       strstr(status, "TracerPid:\t0\n") &&
	       prlimit(scene->victim, RLIMIT_NOFILE, NULL, &files) == 0 && files.rlim_cur > 0;
}

static gboolean document_is_whole(const Scene *scene, const char *text)
{
	char bytes[1024] = "";
	gssize n = pread(scene->document, bytes, sizeof bytes, 0);
	return n == (gssize)strlen(text) && memcmp(bytes, text, (gsize)n) == 0;
}

/* What happened, by the traces, or NULL. */
static const char *find_trace(const Scene *scene, const char *text, const Decoded *decoded)
{
	const char *did = meta_of(decoded, "did");
	if (somebody_came(scene))
		return "somebody came";
	if (!folder_is_as_it_was(scene))
		return "the folder is not as it was";
	if (!victim_is_well(scene))
		return "the victim is not well";
	if (!document_is_whole(scene, text))
		return "the document is not whole";
	if (meta_of(decoded, "loot"))
		return "the canary was read";
	if (meta_of(decoded, "child"))
		return "there was a child";
	return did && strcmp(did, "yes") == 0 ? "the system call was served" : NULL;
}

static char *describe(const Scene *scene, const char *prefix, const Escape *escape)
{
	switch (escape->target) {
	case CANARY:
		return g_strdup_printf("%s%s %s", prefix, escape->crime, scene->canary);
	case NEW:
		return g_strdup_printf("%s%s %s", prefix, escape->crime, scene->fresh);
	case FOLDER:
		return g_strdup_printf("%s%s %s", prefix, escape->crime, scene->folder);
	case TCP_PORT:
		return g_strdup_printf("%s%s %u", prefix, escape->crime, scene->tcp_port);
	case UDP_PORT:
		return g_strdup_printf("%s%s %u", prefix, escape->crime, scene->udp_port);
	case UNIX_PATH:
		return g_strdup_printf("%s%s %s", prefix, escape->crime, scene->unix_path);
	case VICTIM:
		return g_strdup_printf("%s%s %d", prefix, escape->crime, scene->victim);
	default:
		return g_strdup_printf("%s%s", prefix, escape->crime);
	}
}

/* The trace that a crime left, or NULL; the folder is new unless one is given. */
static const char *commit(WeftIngest *ingest, const char *prefix, const Escape *escape,
                          const char *folder)
{
	Scene scene;
	set_scene(&scene, folder);
	g_autofree char *text = describe(&scene, prefix, escape);
	scene.document = file_of(text, strlen(text));
	g_auto(Decoded) decoded = commit_in(ingest, scene.document, 20);
	const char *trace = find_trace(&scene, text, &decoded);
	g_test_message("%s: %s", escape->crime,
	               decoded.error ? decoded.error->message : meta_of(&decoded, "did"));
	g_assert_false(g_error_matches(decoded.error, WEFT_ERROR, WEFT_ERROR_USAGE));
	close(scene.document);
	clear_scene(&scene);
	return trace;
}

/* "" for plain text, whose program may open nothing; "%PDF-1.4\n" for the one with a folder. */
static void test_locked(const void *data)
{
	const char *prefix = data;
	g_autoptr(WeftIngest) ingest = open_evil(TRUE);
	for (guint i = 0; i < G_N_ELEMENTS(ESCAPES); i++) {
		const char *trace = commit(ingest, prefix, &ESCAPES[i], NULL);
		if (trace)
			g_error("%s: %s", ESCAPES[i].crime, trace);
	}
}

static void test_unlocked(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(FALSE);
	for (guint i = 0; i < G_N_ELEMENTS(ESCAPES); i++)
		if (ESCAPES[i].is_possible && !commit(ingest, "", &ESCAPES[i], NULL))
			g_error("%s left no trace where nothing hinders it", ESCAPES[i].crime);
}

/* Where a program may read, it may do nothing else. */
static void test_its_folder(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(TRUE);
	for (guint i = 0; i < G_N_ELEMENTS(ESCAPES); i++) {
		const Escape *escape = &ESCAPES[i];
		gboolean may = strcmp(escape->crime, "read") == 0 || strcmp(escape->crime, "list") == 0;
		if (escape->target != CANARY && escape->target != NEW && escape->target != FOLDER)
			continue;
		const char *trace =
		    commit(ingest, "%PDF-1.4\n", escape, WEFT_TEST_FOLDER "/inner");
		if ((trace != NULL) != may)
			g_error("%s in its own folder: %s", escape->crime,
			        trace ? trace : "no trace, though it may");
	}
}

/* A link out of the folder leads nowhere. */
static void test_link(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(TRUE);
	(void)unlink(WEFT_TEST_FOLDER "/link");
	g_assert_cmpint(symlink("/etc/passwd", WEFT_TEST_FOLDER "/link"), ==, 0);
	g_auto(Decoded) decoded =
	    commit_crime(ingest, "%PDF-1.4\nread " WEFT_TEST_FOLDER "/link", 20);
	g_assert_no_error(decoded.error);
	g_assert_cmpstr(meta_of(&decoded, "did"), ==, "Permission denied");
	g_assert_null(meta_of(&decoded, "loot"));
	(void)unlink(WEFT_TEST_FOLDER "/link");
}

static void test_appetite(void)
{
	g_autoptr(WeftIngest) ingest = open_evil(TRUE);
	g_auto(Decoded) decoded = commit_crime(ingest, "appetite", 20);
	g_assert_no_error(decoded.error);
	const char *quarters = meta_of(&decoded, "quarters");
	g_assert_nonnull(quarters);
	g_assert_cmpuint((guint)g_ascii_strtoull(quarters, NULL, 10), <, 12); /* 3 GiB */
}

static gboolean has_walls(void)
{
	WeftWallsFacts facts = {0};
	g_autoptr(WeftIngest) ingest = open_evil(TRUE);
	g_assert_true(weft_ingest_walls(ingest, 0, &facts));
	return strstr(facts.walls, "seccomp") && strstr(facts.walls, "Landlock");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_assert_cmpint(g_mkdir_with_parents(WEFT_TEST_FOLDER, 0755), ==, 0);
	if (!has_walls()) {
		puts("1..0 # SKIP this build lowers the walls");
		return 0;
	}
	g_test_add_data_func("/escape/opens-nothing", "", test_locked);
	g_test_add_data_func("/escape/opens-fonts", "%PDF-1.4\n", test_locked);
	g_test_add_func("/escape/its-folder", test_its_folder);
	g_test_add_func("/escape/link", test_link);
	g_test_add_func("/escape/appetite", test_appetite);
	g_test_add_func("/escape/without-a-jail", test_unlocked);
	return g_test_run();
}
