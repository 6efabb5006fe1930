/* beside.h - private: which files of a folder belong together by their names: captions of recordings.
 *
 * The captions of talk.mp4 are the first of these that is there, in its own folder: talk.vtt, talk.srt,
 * talk.mp4.vtt, talk.mp4.srt; then those with a language, talk.de.vtt or talk.mp4.de.srt, in bytewise
 * order of languages, vtt before srt. They are regular files of at most 8 MiB that are not empty; what
 * is none of that stays a document of its own. Whether the one is a recording and the other holds
 * captions is for those to say who open them.
 *
 * Nothing is opened here. Whoever looks whether a file has changed asks for the mark of what lies beside
 * it as well: it changes whenever that comes, goes or changes.
 */
#ifndef WEFT_PIPELINE_BESIDE_H
#define WEFT_PIPELINE_BESIDE_H

#include <glib.h>
#include <sys/stat.h>

typedef struct WeftBeside WeftBeside;

/* By its name: "talk.vtt", "TALK.SRT". */
gboolean weft_beside_is_captions(const char *name);

/* `names` (char *, sorted by weft_names_sort; those of folders end with a slash) and the descriptor of
 * their folder outlive it. NULL: none of them are captions. */
WeftBeside *weft_beside_new(const GPtrArray *names, int folder_fd);
void weft_beside_free(WeftBeside *beside);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftBeside, weft_beside_free)

/* Of a file that may be a recording: the name of its captions, or NULL. Until `beside` ends. */
const char *weft_beside_captions(const WeftBeside *beside, const char *name, guint64 *ret_mark);
/* Of captions: files (char *) that they are of, if those are recordings, bytewise; or NULL. */
GPtrArray *weft_beside_recordings(const WeftBeside *beside, const char *name, guint64 *ret_mark);

/* The mark of one more file, on top of others; 0: of none. */
guint64 weft_beside_mark(guint64 others, const char *name, const struct stat *status);
/* What the catalogue knows a file by: its status, whose time of the last change of anything stands for
 * what lies beside it, too. */
struct stat weft_beside_status(const struct stat *status, guint64 mark);

#endif
