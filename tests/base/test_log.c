#include "base/log.h"

#include <stdlib.h>
#include <string.h>

/* The writer can be set once per process, so each case is a process of its own. */
static void say(void)
{
	g_log("weft/ingest", G_LOG_LEVEL_WARNING, "page \"3\"\nX\x1b[31m");
	g_log("weft/ingest", G_LOG_LEVEL_MESSAGE, "done");
	g_log("weft/ingest", G_LOG_LEVEL_DEBUG, "mine");
	g_log("weft/model", G_LOG_LEVEL_DEBUG, "other");
}

static void assert_says(WeftLogOptions options, const char *path, const char *expected)
{
	if (g_test_subprocess()) {
		g_log_set_always_fatal(G_LOG_FATAL_MASK);
		weft_log_init(&options);
		say();
		exit(0);
	}
	g_test_trap_subprocess(path, 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr(expected);
	g_test_trap_assert_stdout_unmatched("*done*");
}

static void test_plain(void)
{
	WeftLogOptions options = { .style = WEFT_LOG_AUTO, .debug_domains = "weft/ingest" };
	assert_says(options, NULL,
		    "weft: warning: page \"3\"\\x0AX\\x1B[31m\nweft: done\n"
		    "weft: debug: mine\n");
}

static void test_quiet(void)
{
	WeftLogOptions options = { .style = WEFT_LOG_PLAIN, .is_quiet = TRUE };
	assert_says(options, NULL, "weft: warning: page \"3\"\\x0AX\\x1B[31m\n");
}

static void test_terminal(void)
{
	WeftLogOptions options = { .style = WEFT_LOG_TERMINAL, .is_quiet = TRUE };
	assert_says(options, NULL,
		    "weft: \033[1;33mwarning:\033[0m page \"3\"\\x0AX\\x1B[31m\n");
}

static void test_json(void)
{
	WeftLogOptions options = { .style = WEFT_LOG_JSON, .is_quiet = TRUE };
	assert_says(options, NULL,
		    "{\"level\":\"warning\",\"room\":\"weft/ingest\","
		    "\"message\":\"page \\\"3\\\"\\nX\\u001B[31m\"}\n");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/log/plain", test_plain);
	g_test_add_func("/log/quiet", test_quiet);
	g_test_add_func("/log/terminal", test_terminal);
	g_test_add_func("/log/json", test_json);
	return g_test_run();
}
