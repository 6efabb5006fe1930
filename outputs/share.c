/* share.c - several runs on one folder: who may begin, who has which document, who is the last.
 *
 * Every run holds OUT/lock shared; whoever wants to be alone (a run without --join when it begins, the
 * last one when it ends, rebuild-index) must have it alone first. flock(2) can't go from one to the
 * other in one step, so whoever changes it holds STATE/gate.lock meanwhile.
 *
 * A document is claimed by a lock of one byte of STATE/claims, at a place that its id says. The kernel
 * drops it when the process ends, whatever ends it, so a claim is never stale and nothing has to
 * be cleaned up. Two ids at one place (one in 2^62) would only wait for each other.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "outputs/outputs_private.h"

/* Digits of an id that say the place, less the top two bits: offsets have a sign. */
#define PLACE_DIGITS 16
#define PLACE_MAX ((G_GUINT64_CONSTANT(1) << 62) - 1)

static gboolean refuse_remote(const char *state, GError **error)
{
	if (!weft_folder_is_remote(state))
		return TRUE;
	g_autofree char *name = weft_path_display(state);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		    "%s: a network filesystem, where the catalogue can't be kept whole; --state DIR puts "
		    "it on a local disk",
		    name);
	return FALSE;
}

static gboolean open_claims(WeftOutputs *outputs, const char *state, GError **error)
{
	g_autofree char *path = g_build_filename(state, "claims", NULL);

	outputs->claims = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (outputs->claims >= 0)
		return TRUE;
	int number = errno;
	g_autofree char *name = weft_path_display(path);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", name, g_strerror(number));
	return FALSE;
}

/* Alone, or beside others when it joins them. */
static gboolean take_lock(WeftOutputs *outputs, const char *path, WeftOutputsMode mode, GError **error)
{
	g_autoptr(GError) failure = NULL;

	outputs->lock = weft_lock_open(path, WEFT_LOCK_ALONE, FALSE, &failure);
	outputs->is_alone = outputs->lock != NULL;
	if (outputs->lock)
		return TRUE;
	if (mode == WEFT_OUTPUTS_JOIN &&
	    g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_CANCELLED)) {
		outputs->lock = weft_lock_open(path, WEFT_LOCK_SHARED, TRUE, error);
		return outputs->lock != NULL;
	}
	g_propagate_error(error, g_steal_pointer(&failure));
	return FALSE;
}

gboolean weft_outputs_begin(WeftOutputs *outputs, WeftOutputsMode mode, GError **error)
{
	g_autofree char *lock_path = g_build_filename(outputs->folder, "lock", NULL);
	g_autofree char *state = g_path_get_dirname(outputs->database);
	g_autofree char *gate_path = g_build_filename(state, "gate.lock", NULL);

	outputs->publish_lock = g_build_filename(state, "publish.lock", NULL);
	outputs->gate_lock = g_strdup(gate_path);
	if (!weft_folder_make(outputs->folder, 0700, error) || !weft_folder_make(state, 0700, error) ||
	    !refuse_remote(state, error) || !weft_folder_make(outputs->untold, 0700, error))
		return FALSE;
	g_autoptr(WeftLock) gate =
		weft_lock_open(gate_path, WEFT_LOCK_ALONE, mode == WEFT_OUTPUTS_JOIN, error);
	if (!gate || !take_lock(outputs, lock_path, mode, error) ||
	    !weft_folder_make(outputs->records, 0700, error) ||
	    !weft_outputs_own_state(outputs, state, error) || !weft_outputs_open_catalog(outputs, error) || !open_claims(outputs, state, error))
		return FALSE;
	if (mode == WEFT_OUTPUTS_ALONE || !outputs->is_alone)
		return TRUE;
	/* Nobody passes the gate, so nobody is in the way. */
	outputs->is_alone = FALSE;
	if (weft_lock_change(outputs->lock, WEFT_LOCK_SHARED))
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CANCELLED, "another run holds the lock");
	return FALSE;
}

gboolean weft_outputs_is_last(WeftOutputs *outputs, GError **error)
{
	if (outputs->is_alone)
		return TRUE;
	g_autoptr(WeftLock) gate = weft_lock_open(outputs->gate_lock, WEFT_LOCK_ALONE, TRUE, error);
	if (gate)
		outputs->is_alone = weft_lock_change(outputs->lock, WEFT_LOCK_ALONE);
	return outputs->is_alone;
}

/* ---- claims ---- */

static gboolean change_claim(const WeftOutputs *outputs, const char *id, short type)
{
	char digits[PLACE_DIGITS + 1];
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1};

	if (outputs->claims < 0 || !g_str_has_prefix(id, "sha256:"))
		return TRUE;
	g_strlcpy(digits, id + strlen("sha256:"), sizeof(digits));
	lock.l_start = (off_t)(g_ascii_strtoull(digits, NULL, 16) & PLACE_MAX);
	return fcntl(outputs->claims, F_OFD_SETLK, &lock) == 0 ||
	       (errno != EAGAIN && errno != EACCES); /* no locks here: work may be done twice */
}

gboolean weft_outputs_claim(WeftOutputs *outputs, const char *id)
{
	return change_claim(outputs, id, F_WRLCK);
}

void weft_outputs_release(WeftOutputs *outputs, const char *id)
{
	(void)change_claim(outputs, id, F_UNLCK); /* can't fail */
}
