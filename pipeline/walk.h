/* walk.h - private: the inputs of a job, one file after the other, without ever holding all of them.
 *
 * Inputs come in the order in which they were given; a folder is walked depth first in the bytewise
 * order of paths, each file once, whatever inputs overlap. Of a folder the names are held, of those
 * above it too, and nothing of what was walked: memory does not grow with the number of files.
 *
 * Nothing outside the inputs is reached. An input itself may be a link; from there on every name is
 * opened in its open folder, by itself, links not followed, so that a folder that is moved or
 * swapped for a link meanwhile leads nowhere. Paths may be longer than the system takes in one call.
 *
 * With each file comes what lies beside it and belongs to it by its name (beside.h): captions that are
 * not left out, and, for captions, recordings that are inputs themselves. Beside an input that is a
 * file its folder is looked through for these, and for nothing else.
 *
 * What is no input is counted: links, sockets and other special files, what --exclude names and
 * what vanishes meanwhile (left out), and what ignore.h leaves aside (ignored). A folder counts as
 * one. A folder that can't be read is found with its failure, and so is an input that is not there.
 */
#ifndef WEFT_PIPELINE_WALK_H
#define WEFT_PIPELINE_WALK_H

#include <glib.h>
#include <sys/stat.h>

/* An open folder, shared by the walk and the documents that were found in it. Any thread. */
typedef struct WeftFolder WeftFolder;
WeftFolder *weft_folder_ref(WeftFolder *folder);
void weft_folder_unref(WeftFolder *folder);
/* Opens a file to read, without waiting and without following a link, by the last name of its path;
 * folder NULL: by its path, following links. -1 with errno. */
int weft_folder_open_file(const WeftFolder *folder, const char *path);
/* The same for another name in the folder of that path; no link is followed to it either way. */
int weft_folder_open_beside(const WeftFolder *folder, const char *path, const char *name);

typedef struct WeftFound {
	const char *path;   /* until the next call; all these */
	WeftFolder *folder; /* where it was found; NULL: an input itself */
	gboolean has_status;
	struct stat status;
	const GError *failure; /* why it can't be read, or NULL */
	const char *captions;  /* the name of those beside it, if it is a recording; or NULL */
	GPtrArray *recordings; /* char *: names of those that it holds the captions of; or NULL */
	guint64 mark;          /* of what lies beside it; 0: nothing does */
} WeftFound;

typedef struct WeftWalk WeftWalk;

/* `inputs` (char *, by weft_path_tidy) and `excludes` (char *, globs matched against name and path)
 * must outlive the walk. */
WeftWalk *weft_walk_new(const GPtrArray *inputs, const GPtrArray *excludes);
void weft_walk_free(WeftWalk *walk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftWalk, weft_walk_free)
/* Files that are no inputs, and yet recordings whose captions are theirs (char *). */
void weft_walk_count_in(WeftWalk *walk, const GPtrArray *paths);
/* A folder that is not walked into. */
void weft_walk_leave_out(WeftWalk *walk, const struct stat *folder);

/* FALSE: that was all. */
gboolean weft_walk_next(WeftWalk *walk, WeftFound *ret_found);
/* What the catalogue knows the file by, with what lies beside it. */
struct stat weft_found_status(const WeftFound *found);
guint64 weft_walk_n_left_out(const WeftWalk *walk);
guint64 weft_walk_n_ignored(const WeftWalk *walk);

/* Without "./" in front, "/./", doubled or trailing slashes; links and ".." stay as they are. */
char *weft_path_tidy(const char *path);

#endif
