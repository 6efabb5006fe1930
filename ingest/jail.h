/* jail.h - private: the walls around a worker, which stand before it touches a byte.
 *
 * A worker is a process that a hostile document may own. What it may still do then is decided here,
 * and nowhere else, by walls of which none is trusted alone:
 *
 *   seccomp       system calls by name and argument; all others kill the process. No family may
 *                 make processes or sockets, signal, trace, change files or map memory to be run;
 *                 a call that a library makes on the side and can do without is refused by an error.
 *   Landlock      nothing of the file system but the folders that the family names, to be read; no
 *                 TCP, no signals or sockets to others, as far as the kernel's version goes. Needed
 *                 where the family may open files (seccomp can't see names), else a second wall.
 *   limits        memory, processor time, no files written, no core, no processes; no descriptors
 *                 but those that the worker was given
 *   privileges    none to be gained, and root's capabilities are dropped
 *
 * The zygote makes the jail once: the filter is compiled, the folders are opened. Each worker then
 * enters it with four system calls or so, and asks each wall whether it stands: what is reported is
 * what was seen in that process, not what was hoped for. In a jail for developers
 * (WEFT_JAIL_TRAP) a call that would kill writes its name to stderr first.
 *
 * Builds with a sanitizer lower walls; jail.c has which, and why.
 */
#ifndef WEFT_INGEST_JAIL_H
#define WEFT_INGEST_JAIL_H

#include <glib.h>

typedef enum {
	WEFT_WALL_LIMITS = 1,
	WEFT_WALL_PRIVILEGES = 2,
	WEFT_WALL_LANDLOCK = 4,
	WEFT_WALL_SECCOMP = 8,
} WeftWall;

typedef struct WeftWalls {
	guint32 standing;     /* of WeftWall, each asked after it was put up */
	guint32 lowered;      /* of WeftWall: not wanted in this build */
	guint32 landlock_abi; /* of the kernel; 0: it has none */
} WeftWalls;

typedef enum {
	WEFT_JAIL_KILL,
	WEFT_JAIL_TRAP,
} WeftJailMode;

typedef struct WeftJail WeftJail;

/* `folders`: what a worker may read, NULL-terminated; NULL: it may open nothing. One that does not
 * exist is left out. Fails when the filter can't be made. */
WeftJail *weft_jail_new(const char *const *folders, WeftJailMode mode, GError **error);
void weft_jail_free(WeftJail *jail);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftJail, weft_jail_free)

/* In the worker, once: there is no way back, also when it fails. Descriptors from `fd_end` on are
 * closed. `jail` NULL: limits and privileges only. *ret_walls is set in any case. FALSE: a wall that
 * must stand does not; the message says which, and the system's reason. */
gboolean weft_jail_enter(const WeftJail *jail, int fd_end, WeftWalls *ret_walls, GError **error);

/* "seccomp, Landlock 7, limits, privileges": what stands, for people; owned. */
char *weft_walls_text(const WeftWalls *walls);

/* --- jail_landlock.c --- */

/* Version of Landlock in this kernel, 0 when there is none. */
guint32 weft_landlock_abi(void);

/* A ruleset that lets `folders` (or NULL) be read and nothing else be touched; -1 with errno. */
int weft_landlock_ruleset(guint32 abi, const char *const *folders);

/* Puts this process under the ruleset, and asks whether it is. Needs no_new_privs. */
gboolean weft_landlock_enter(int ruleset);

#endif
