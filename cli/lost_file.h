/* lost_file.h - a clear end when a mapped file goes away under weft.
 *
 * Models are mapped, not read: when such a file is cut by someone else, or its disk fails, the next
 * touch is the signal SIGBUS, in any thread. There is nothing to go on with, so the process ends,
 * with exit status 3 and a message that names the file. The handler writes to stderr and reads
 * /proc/self/maps, both with plain system calls, and keeps no state. Records are published whole, so
 * none is half written. Helper programs map no models and are not watched.
 */
#ifndef WEFT_CLI_LOST_FILE_H
#define WEFT_CLI_LOST_FILE_H

/* For the whole process, from then on. */
void weft_lost_file_watch(void);

#endif
