/* schema_check.h - private: is a JSON value an instance of a JSON Schema?
 *
 * Knows what record.schema.json and schemas of answers say: type, enum, const, anyOf, oneOf (as
 * anyOf: the branches of answers exclude each other), allOf, properties, required,
 * additionalProperties, items, minItems, maxItems, minimum, maximum, exclusiveMinimum,
 * exclusiveMaximum, minLength, maxLength, pattern and $ref within the schema. Other keywords say
 * nothing here. The schema is trusted to be one; values may be anything.
 */
#ifndef WEFT_OUTPUTS_SCHEMA_CHECK_H
#define WEFT_OUTPUTS_SCHEMA_CHECK_H

#include "base/json.h"

typedef struct WeftSchemaCheck WeftSchemaCheck;

/* NULL: not JSON. */
WeftSchemaCheck *weft_schema_check_new(const char *schema, GError **error);
void weft_schema_check_free(WeftSchemaCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSchemaCheck, weft_schema_check_free)

/* NULL: the value is an instance. Else where it is not and why, "/errors/0/code: none of the values
 * allowed here"; caller frees. */
char *weft_schema_check_value(WeftSchemaCheck *check, const WeftJson *value);
/* The same for an answer, by all keywords (schema/schema.h), of which the check says where if it knows
 * them. */
char *weft_schema_check_answer(WeftSchemaCheck *check, const WeftJson *value);
/* The same for a value that stands at `where` in a larger one, by the schema that stands at
 * `schema_pointer` in this one; both are JSON pointers. */
char *weft_schema_check_part(WeftSchemaCheck *check, const char *schema_pointer, const char *where,
			     const WeftJson *value);

#endif
