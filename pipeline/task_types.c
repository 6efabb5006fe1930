#include "pipeline/task_types.h"

#include <string.h>

#include "base/error.h"
#include "outputs/record.h"

#define GROUP "type "
#define NAME_BYTES_MAX 64
/* Of the schema of names, and of the question beside it. */
#define CHOOSE                                                                                     \
	"Which kind of document is this? Answer with its name from this list; with null when it is " \
	"none of them.\n"

void weft_task_type_free(gpointer data)
{
	WeftTaskType *type = data;

	if (type == NULL)
		return;
	weft_schema_free(type->schema);
	weft_json_free(type->schema_tree);
	g_clear_pointer(&type->match, g_ptr_array_unref);
	g_strfreev(type->words);
	g_free(type->schema_text);
	g_free(type->system);
	g_free(type->about);
	g_free(type->name);
	g_free(type);
}

static gboolean check_keys(GKeyFile *file, const char *path, const char *group, GError **error)
{
	static const char *const known[] = {"about", "match", "schema", NULL};
	g_auto(GStrv) keys = g_key_file_get_keys(file, group, NULL, NULL);

	for (char **key = keys; key != NULL && *key != NULL; key++) {
		if (!g_strv_contains(known, *key)) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			            "%s: [%s]: %s is no key of a type: about, match, schema", path, group,
			            *key);
			return FALSE;
		}
	}
	return TRUE;
}

/* A name goes into the record, into a schema and into the name of a file. */
static gboolean check_name(const char *name, const char *path, GError **error)
{
	gboolean is_good = name[0] != '\0' && strlen(name) <= NAME_BYTES_MAX;

	for (const char *c = name; *c != '\0'; c++)
		is_good = is_good && (g_ascii_isalnum(*c) || *c == '-' || *c == '_');
	if (!is_good)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		            "%s: [type %s]: a name is letters (a to z), digits, - and _, at most %d", path,
		            name, NAME_BYTES_MAX);
	return is_good;
}

static gboolean read_schema(WeftTaskType *type, const WeftSchemaOptions *options, GKeyFile *file,
                            const char *path, const char *group, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) failure = NULL;

	if (!weft_task_text(file, path, group, "schema", &text, error))
		return FALSE;
	if (text == NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: [%s]: schema is missing", path,
		            group);
		return FALSE;
	}
	type->schema_tree = weft_json_parse(text, strlen(text), WEFT_JSON_STRICT, &failure);
	if (type->schema_tree != NULL &&
	    weft_usage_of_schema(type->schema_tree, &type->usage, &failure))
		type->schema = weft_schema_new(text, strlen(text), options, &failure);
	if (type->schema == NULL || !weft_agreement_read(type->schema_tree, type->schema, &failure)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA, "%s: [%s]: %s", path, group,
		            failure->message);
		return FALSE;
	}
	type->schema_text = weft_json_compact(type->schema_tree);
	return TRUE;
}

static gboolean read_type(WeftTask *task, GKeyFile *file, const char *path, const char *group,
                          GError **error)
{
	WeftTaskType *type = g_new0(WeftTaskType, 1);

	g_ptr_array_add(task->types, type);
	type->name = g_strstrip(g_strdup(group + strlen(GROUP)));
	type->about = g_key_file_get_string(file, group, "about", NULL);
	for (guint i = 0; i + 1 < task->types->len; i++) {
		if (strcmp(((WeftTaskType *)task->types->pdata[i])->name, type->name) == 0) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			            "%s: two types have the name %s", path, type->name);
			return FALSE;
		}
	}
	return check_name(type->name, path, error) && check_keys(file, path, group, error) &&
	       weft_task_words(file, path, group, "match", &type->words, &type->match, error) &&
	       read_schema(type, &task->schema_options, file, path, group, error);
}

/* {"enum": ["invoice", "letter", null]} */
static char *names_schema(const GPtrArray *types)
{
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	weft_json_write_key(&writer, "enum");
	weft_json_write_array(&writer);
	for (guint i = 0; i < types->len; i++)
		weft_json_write_string(&writer, ((const WeftTaskType *)types->pdata[i])->name);
	weft_json_write_null(&writer);
	weft_json_write_array_end(&writer);
	weft_json_write_object_end(&writer);
	return g_string_free(text, FALSE);
}

gboolean weft_task_types_read(WeftTask *task, GKeyFile *file, const char *path, GError **error)
{
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);

	for (char **group = groups; *group != NULL; group++) {
		if (!g_str_has_prefix(*group, GROUP)) {
			if (strcmp(*group, "task") == 0)
				continue;
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			            "%s: [%s] is no group of a task: [task], [type NAME]", path, *group);
			return FALSE;
		}
		if (task->types == NULL)
			task->types = g_ptr_array_new_with_free_func(weft_task_type_free);
		if (!read_type(task, file, path, *group, error))
			return FALSE;
		if (task->types->len > WEFT_TASK_TYPES_MAX) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: more than %d types", path,
			            WEFT_TASK_TYPES_MAX);
			return FALSE;
		}
	}
	return TRUE;
}

void weft_task_types_ask(WeftTask *task, const char *instructions)
{
	g_autofree char *schema = names_schema(task->types);
	g_autoptr(GString) list = g_string_new(CHOOSE);

	for (guint i = 0; i < task->types->len; i++) {
		WeftTaskType *type = task->types->pdata[i];

		g_string_append_printf(list, "\n- %s%s%s", type->name, type->about != NULL ? ": " : "",
		                       type->about != NULL ? type->about : "");
		type->system = weft_task_system(instructions, type->schema_text,
		                                task->schema_options.declines);
	}
	task->type_system = weft_task_system(list->str, schema, FALSE);
	/* One that we wrote. */
	task->type_schema = weft_schema_new(schema, strlen(schema), NULL, NULL);
	g_assert(task->type_schema != NULL);
}
