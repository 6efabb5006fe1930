/* A job file, a byte 0, and the file of its task: what a user wrote, or what was kept beside the records. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "pipeline/names.h"
#include "pipeline/task.h"

static int file_of(const uint8_t *data, size_t size_bytes, char ret_path[64])
{
	int fd = memfd_create("task", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size_bytes) != (ssize_t)size_bytes)
		abort();
	g_snprintf(ret_path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const uint8_t *end = size_bytes > 0 ? memchr(data, 0, size_bytes) : NULL;
	size_t n = end ? (size_t)(end - data) : size_bytes;
	char job_path[64], task_path[64];
	int job_fd = file_of(data, n, job_path);
	int task_fd = end ? file_of(end + 1, size_bytes - n - 1, task_path) : -1;
	g_autoptr(WeftJob) job = weft_job_new();
	g_autoptr(GError) error = NULL;

	if (!weft_job_read(job, job_path, &error) && !error)
		abort();
	g_clear_error(&error);
	g_autoptr(WeftNames) names = weft_names_new(job->names, &error);
	if (!names)
		abort(); /* the job took them */
	g_autofree char *name = weft_names_of(names, "S1?");
	if (name && !g_utf8_validate(name, -1, NULL))
		abort();
	close(job_fd);
	if (task_fd < 0)
		return 0;
	(void)weft_job_set(job, "task", task_path, NULL); /* takes any name */
	g_autoptr(WeftTask) task = weft_task_open(job, &error);
	if (!task && !error)
		abort();
	if (task && task->schema && !task->schema_text)
		abort();
	close(task_fd);
	return 0;
}
