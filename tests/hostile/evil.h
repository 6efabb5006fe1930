/* evil.h - what a taken-over decoder would do, by name. */
#ifndef WEFT_TESTS_HOSTILE_EVIL_H
#define WEFT_TESTS_HOSTILE_EVIL_H

typedef struct EvilCrime {
	const char *name;
	void (*commit)(const char *argument); /* of the document's text; "" when there is none */
} EvilCrime;

/* Attempts to get out of the jail, up to one without a name. Each tells with a META `did` whether
 * the system let it ("yes"), or what it answered; most do not live to tell. */
extern const EvilCrime evil_escapes[];

/* A META part, sent at once. */
void evil_tell(const char *key, const char *value);

#endif
