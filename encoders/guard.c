/* guard.c - what Llama Guard 4 is asked about a conversation. */
#include "encoders/encoders_private.h"

/* As they stand in the prompt, which is not everywhere the name of the model card. */
static const char *const CATEGORIES[] = {
	"Violent Crimes.",    "Non-Violent Crimes.",   "Sex Crimes.",
	"Child Exploitation.", "Defamation.",          "Specialized Advice.",
	"Privacy.",           "Intellectual Property.", "Indiscriminate Weapons.",
	"Hate.",              "Self-Harm.",            "Sexual Content.",
	"Elections.",         "Code Interpreter Abuse.",
};
/* The last category is for text alone. */
#define N_CATEGORIES_WITH_IMAGES (G_N_ELEMENTS(CATEGORIES) - 1)

typedef struct Picture {
	WeftImage image;
	WeftRaster raster; /* its size; no pixels */
} Picture;

struct WeftConversation {
	const WeftEncoders *encoders;
	GString *text;
	GPtrArray *pictures;
};

static void picture_free(void *data)
{
	Picture *picture = data;

	weft_image_done(&picture->image);
	g_free(picture);
}

WeftConversation *weft_conversation_new(const WeftEncoders *encoders)
{
	g_return_val_if_fail(encoders->tokenizer && encoders->template, NULL);
	WeftConversation *conversation = g_new0(WeftConversation, 1);

	conversation->encoders = encoders;
	conversation->text = g_string_new(NULL);
	conversation->pictures = g_ptr_array_new_with_free_func(picture_free);
	return conversation;
}

void weft_conversation_free(WeftConversation *conversation)
{
	if (!conversation)
		return;
	g_string_free(conversation->text, TRUE);
	g_ptr_array_unref(conversation->pictures);
	g_free(conversation);
}

/* Without the space around it. */
static void append_trimmed(GString *to, const char *text)
{
	g_autofree char *copy = g_strdup(text);

	g_string_append(to, g_strstrip(copy));
}

void weft_conversation_add_text(WeftConversation *conversation, const char *text)
{
	if (conversation->text->len)
		g_string_append_c(conversation->text, '\n');
	append_trimmed(conversation->text, text);
}

gboolean weft_conversation_add_image(WeftConversation *conversation, const WeftRaster *raster,
				     gboolean single_tile, GError **error)
{
	Picture *picture = g_new0(Picture, 1);

	picture->image = (WeftImage){ .raster = raster, .content = WEFT_SPAN_NO_CONTENT };
	if (!weft_image_init(&picture->image, conversation->encoders, single_tile, error)) {
		picture_free(picture);
		return FALSE;
	}
	picture->raster = (WeftRaster){ .width = raster->width, .height = raster->height };
	picture->image.raster = &picture->raster;
	g_ptr_array_add(conversation->pictures, picture);
	return TRUE;
}

/* Takes the ids out of the array. */
static void add_ids(GArray *ids, WeftSequence *sequence)
{
	for (guint i = 0; i < ids->len; i++)
		weft_sequence_add_id(sequence, g_array_index(ids, gint32, i));
	g_array_set_size(ids, 0);
}

static void add_encoded(const WeftEncoders *encoders, const char *text, WeftSequence *sequence)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));

	weft_text_encode_plain(encoders, text, ids);
	add_ids(ids, sequence);
}

/* The same for all that is asked about this role, with or without pictures. It ends in an empty
 * line, behind which no tokenizer of the family joins anything. */
static void add_policy(const WeftEncoders *encoders, const char *role, gsize n_categories,
		       WeftSequence *sequence)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_printf(text,
			"Task: Check if there is unsafe content in '%s' messages in conversations "
			"according to our safety policy with the below categories.\n\n"
			"<BEGIN UNSAFE CONTENT CATEGORIES>\n",
			role);
	for (gsize i = 0; i < n_categories; i++)
		g_string_append_printf(text, "S%zu: %s\n", i + 1, CATEGORIES[i]);
	g_string_append(text, "<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN CONVERSATION>\n\n");
	weft_template_begin(encoders->template, ids);
	weft_template_open_turn(encoders->template, WEFT_TURN_USER, TRUE, text->str, text->len,
				ids);
	add_ids(ids, sequence);
	sequence->n_prefix = weft_sequence_length(sequence);
}

static void add_end(const WeftEncoders *encoders, WeftSequence *sequence)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));

	weft_template_close_turn(encoders->template, WEFT_TURN_USER, ids);
	weft_template_open_turn(encoders->template, WEFT_TURN_ASSISTANT, FALSE, "", 0, ids);
	add_ids(ids, sequence);
}

WeftSequence *weft_conversation_ask(const WeftConversation *conversation, const char *reply)
{
	const WeftEncoders *encoders = conversation->encoders;
	const char *role = reply ? "Agent" : "User";
	gsize n_categories = conversation->pictures->len ? N_CATEGORIES_WITH_IMAGES
							 : G_N_ELEMENTS(CATEGORIES);
	WeftSequence *sequence = weft_sequence_new(encoders->width);
	g_autoptr(GString) text = g_string_new("User: ");

	add_policy(encoders, role, n_categories, sequence);
	if (conversation->pictures->len) {
		add_encoded(encoders, text->str, sequence);
		g_string_truncate(text, 0);
	}
	for (guint i = 0; i < conversation->pictures->len; i++) {
		const Picture *picture = g_ptr_array_index(conversation->pictures, i);

		weft_image_append(&picture->image, encoders, sequence);
	}
	g_string_append_len(text, conversation->text->str, (gssize)conversation->text->len);
	g_string_append(text, "\n\n");
	if (reply) {
		g_string_append(text, "Agent: ");
		append_trimmed(text, reply);
		g_string_append(text, "\n\n");
	}
	/* In one piece: what the tokenizer joins, it joins here, too. The space before the turn's
	 * end is the template's. */
	g_string_append_printf(
		text,
		"<END CONVERSATION>\n\n"
		"Provide your safety assessment for ONLY THE LAST %s message in the above "
		"conversation:\n"
		" - First line must read 'safe' or 'unsafe'.\n"
		" - If unsafe, a second line must include a comma-separated list of violated "
		"categories. ",
		role);
	add_encoded(encoders, text->str, sequence);
	add_end(encoders, sequence);
	return sequence;
}

gsize weft_encoders_conversation_tokens(const WeftEncoders *encoders)
{
	g_autoptr(WeftConversation) conversation = weft_conversation_new(encoders);
	g_autoptr(WeftSequence) sequence = weft_conversation_ask(conversation, "");

	return weft_sequence_length(sequence);
}
