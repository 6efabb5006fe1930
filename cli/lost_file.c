#include "cli/lost_file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"

#define LINE_BYTES_MAX 4608 /* a path of 4096 and what stands before it */

/* Everything below runs in a signal handler: no allocation, no stdio, no locks. */

typedef struct Message {
	char text[2 * LINE_BYTES_MAX];
	size_t n_bytes;
} Message;

static void add(Message *message, const char *text)
{
	size_t room = sizeof message->text - message->n_bytes, n_bytes = strlen(text);
	if (n_bytes > room)
		n_bytes = room;
	memcpy(message->text + message->n_bytes, text, n_bytes);
	message->n_bytes += n_bytes;
}

/* Reads hexadecimal digits and moves *text behind them. */
static uintptr_t read_address(const char **text)
{
	uintptr_t address = 0;
	for (; (**text >= '0' && **text <= '9') || (**text >= 'a' && **text <= 'f'); (*text)++)
		address = address * 16 + (uintptr_t)(**text <= '9' ? **text - '0' : **text - 'a' + 10);
	return address;
}

/* A line of /proc/self/maps, "begin-end rights ... PATH"; NULL when the address is not in it. */
static const char *path_of_line(const char *line, uintptr_t address)
{
	const char *path = strchr(line, '/');
	uintptr_t begin = read_address(&line), end;
	if (*line++ != '-')
		return NULL;
	end = read_address(&line);
	return path && address >= begin && address < end ? path : NULL;
}

static void add_whose(Message *message, uintptr_t address)
{
	char line[LINE_BYTES_MAX];
	size_t n_bytes = 0;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	char byte;

	/* Byte by byte: it is read once in the life of a process. */
	while (fd >= 0 && read(fd, &byte, 1) == 1) {
		if (byte != '\n') {
			if (n_bytes + 1 < sizeof line)
				line[n_bytes++] = byte;
			continue;
		}
		line[n_bytes] = '\0';
		n_bytes = 0;
		const char *path = path_of_line(line, address);
		if (path) {
			add(message, path);
			return;
		}
	}
	add(message, "a file in use");
}

static void on_lost_file(int signal_number, siginfo_t *info, void *context)
{
	Message message = {.n_bytes = 0};
	(void)signal_number;
	(void)context;
	add(&message, "\nweft: ");
	add_whose(&message, (uintptr_t)info->si_addr);
	add(&message, ": can't be read any more: it was cut or replaced in place while in use, or its disk "
	    "failed. Records that are written are whole; get the file again and run the same command to "
	    "go on\n");
	/* At once: other threads may be here, too. */
	ssize_t n = write(STDERR_FILENO, message.text, message.n_bytes);
	(void)n;
	_exit(WEFT_EXIT_NOT_STARTED);
}

void weft_lost_file_watch(void)
{
	struct sigaction action = {.sa_sigaction = on_lost_file, .sa_flags = SA_SIGINFO};
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGBUS, &action, NULL);
}
