/* exif.h - private: facts that a camera or scanner left in a picture.
 *
 * EXIF is a TIFF structure (TIFF 6.0, EXIF 2.32) within JPEG, PNG, WebP; a TIFF file is one itself.
 * Every offset and count is checked against the size; what does not hold together is left out.
 */
#ifndef WEFT_INGEST_EXIF_H
#define WEFT_INGEST_EXIF_H

#include <glib.h>

#include "ingest/picture.h"

/* Adds facts (make, model, date_time_original, gps, ...) and sets the orientation. `bytes` begin
 * with "II" or "MM". */
void weft_exif_read(const guint8 *bytes, gsize size, WeftPicture *picture);

/* Pictures in a TIFF file: the length of its chain of directories. */
guint weft_exif_count_directories(const guint8 *bytes, gsize size);

#endif
