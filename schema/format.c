#include "schema/format.h"

#include "schema/lexeme.h"

#define ANY_LENGTH WEFT_LEXEME_UNLIMITED

/* RFC 3339. The calendar is Gregorian from year 1 on: no validator takes year 0. */
#define YEAR "(?:000[1-9]|00[1-9]\\d|0[1-9]\\d\\d|[1-9]\\d{3})"
#define LEAP_YEAR                                                                                  \
	"(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
#define DATE                                                                                       \
	"(?:" YEAR "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|"      \
	"[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))|" LEAP_YEAR "-02-29)"
#define HOUR_MINUTE "(?:[01]\\d|2[0-3]):[0-5]\\d"
/* Nine digits of a second; no leap second, which most validators refuse. */
#define TIME HOUR_MINUTE ":[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-]" HOUR_MINUTE ")"

/* RFC 3339, appendix A. */
#define N "\\d{1,9}"
#define DAYS "(?:" N "D|" N "M(?:" N "D)?|" N "Y(?:" N "M(?:" N "D)?)?)"
#define HOURS "T(?:" N "S|" N "M(?:" N "S)?|" N "H(?:" N "M(?:" N "S)?)?)"
#define DURATION "P(?:" N "W|" HOURS "|" DAYS "(?:" HOURS ")?)"

/* RFC 1123 labels; "--" in places 3 and 4 is kept for other encodings (RFC 5891). */
#define LABEL(X, Y) X "(?:" X "|" Y X "|" Y "(?:" X Y "|-" X ")" Y "{0,58}" X "|" Y Y X ")?"
#define HOST_LABEL LABEL("[A-Za-z0-9]", "[A-Za-z0-9-]")
#define LOWER_LABEL LABEL("[a-z0-9]", "[a-z0-9-]")
#define HOST_MAX 253

/* RFC 5322's dot-atom before the @, at most 64 (RFC 5321), a name with a dot behind it. */
#define ATOM "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
#define EMAIL "^" ATOM "(?:\\." ATOM ")*@" HOST_LABEL "(?:\\." HOST_LABEL ")+$"
#define EMAIL_MAX 254

#define BYTE "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
#define IPV4 BYTE "(?:\\." BYTE "){3}"
/* RFC 4291, forms 1 to 3. */
#define H "[0-9A-Fa-f]{1,4}"
#define IPV6                                                                                       \
	"(?:(?:" H ":){7}" H "|(?:" H ":){1,7}:|(?:" H ":){1,6}:" H "|(?:" H ":){1,5}(?::" H       \
	"){1,2}|(?:" H ":){1,4}(?::" H "){1,3}|(?:" H ":){1,3}(?::" H "){1,4}|(?:" H               \
	":){1,2}(?::" H "){1,5}|" H ":(?::" H "){1,6}|:(?:(?::" H "){1,7}|:)|(?:" H ":){6}" IPV4   \
	"|::(?:[Ff]{4}:)?" IPV4 ")"

#define HEX "[0-9A-Fa-f]"
#define UUID HEX "{8}(?:-" HEX "{4}){3}-" HEX "{12}"
/* RFC 9562: of one version. */
#define UUID_OF(version)                                                                           \
	HEX "{8}-" HEX "{4}-" version HEX "{3}-[89ABab]" HEX "{3}-" HEX "{12}"

/* RFC 4648. */
#define B64 "[A-Za-z0-9+/]"
#define BASE64 "(?:" B64 "{4})*(?:" B64 "{2}==|" B64 "{3}=)?"

/* RFC 3986, without user and with names or IPv4 for hosts. */
#define PERCENT "%" HEX HEX
#define CHARACTER "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|" PERCENT ")"
#define NO_COLON "(?:[A-Za-z0-9._~!$&'()*+,;=@-]|" PERCENT ")"
#define SEGMENTS "(?:/" CHARACTER "*)*"
#define HOST "[A-Za-z0-9]+(?:(?:-+|\\.)[A-Za-z0-9]+)*"
#define PORT                                                                                       \
	"(?::(?:[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d\\d|655[0-2]\\d|6553[0-5]))"
#define NETWORK "//" HOST PORT "?" SEGMENTS
#define ENDS "(?:\\?(?:" CHARACTER "|[/?])*)?(?:#(?:" CHARACTER "|[/?])*)?"
#define URI "[A-Za-z][A-Za-z0-9+.-]*:(?:" NETWORK "|/?" CHARACTER "+" SEGMENTS ")" ENDS
#define RELATIVE                                                                                   \
	"(?:" NETWORK "|/(?:" CHARACTER "+" SEGMENTS ")?|" NO_COLON "+" SEGMENTS "|)" ENDS

/* Of the web, with a name of two labels and more. */
#define DOMAIN "(?:[a-z0-9]+-)*[a-z0-9]+(?:\\.(?:[a-z0-9]+-)*[a-z0-9]+)*\\.[a-z]{2,}"
#define URL "https?://" DOMAIN "(?:(?:/" CHARACTER "*)+" ENDS ")?"

/* RFC 6901. */
#define POINTER "(?:/(?:[^~/]|~[01])*)*"

#define WHOLE(pattern) "^(?:" pattern ")$"

static const WeftFormat formats[] = {
	{"base64", {WHOLE(BASE64)}, ANY_LENGTH},
	{"byte", {WHOLE(BASE64)}, ANY_LENGTH}, /* OpenAPI's name of it */
	{"date", {WHOLE(DATE)}, ANY_LENGTH},
	{"date-time", {WHOLE(DATE "T" TIME)}, ANY_LENGTH},
	{"duration", {WHOLE(DURATION)}, ANY_LENGTH},
	{"email", {EMAIL, "^[^@]{1,64}@"}, EMAIL_MAX},
	{"hostname", {WHOLE(HOST_LABEL "(?:\\." HOST_LABEL ")*")}, HOST_MAX},
	{"idn-email", {EMAIL, "^[^@]{1,64}@"}, EMAIL_MAX},
	{"idn-hostname", {WHOLE(LOWER_LABEL "(?:\\." LOWER_LABEL ")*")}, HOST_MAX},
	{"ipv4", {WHOLE(IPV4)}, ANY_LENGTH},
	{"ipv6", {WHOLE(IPV6)}, ANY_LENGTH},
	{"iri", {WHOLE(URI)}, ANY_LENGTH},
	{"iri-reference", {WHOLE(URI "|" RELATIVE)}, ANY_LENGTH},
	{"json-pointer", {WHOLE(POINTER)}, ANY_LENGTH},
	/* Literal text is an expression in every dialect. */
	{"regex", {"^[A-Za-z0-9 _,:;-]*$"}, ANY_LENGTH},
	/* jsonschema takes no digit behind a 0. */
	{"relative-json-pointer", {"^(?:0|[1-9]{1,8}0?)(?:#|" POINTER ")$"}, ANY_LENGTH},
	{"time", {WHOLE(TIME)}, ANY_LENGTH},
	{"uri", {WHOLE(URI)}, ANY_LENGTH},
	{"uri-reference", {WHOLE(URI "|" RELATIVE)}, ANY_LENGTH},
	/* RFC 6570, level 1 and lists of names. */
	{"uri-template",
	 {"^(?:[A-Za-z0-9._~/:?#&=-]|" PERCENT "|\\{[A-Za-z0-9_]+(?:,[A-Za-z0-9_]+)*\\})*$"},
	 ANY_LENGTH},
	{"url", {WHOLE(URL)}, ANY_LENGTH},
	{"uuid", {WHOLE(UUID)}, ANY_LENGTH},
	{"uuid1", {WHOLE(UUID_OF("1"))}, ANY_LENGTH},
	{"uuid3", {WHOLE(UUID_OF("3"))}, ANY_LENGTH},
	{"uuid4", {WHOLE(UUID_OF("4"))}, ANY_LENGTH},
	{"uuid5", {WHOLE(UUID_OF("5"))}, ANY_LENGTH},
};

static const char *const names[] = {
	"base64", "byte", "date", "date-time", "duration", "email", "hostname", "idn-email", "idn-hostname", "ipv4",
	"ipv6", "iri", "iri-reference", "json-pointer", "regex", "relative-json-pointer", "time",
	"uri", "uri-reference", "uri-template", "url", "uuid", "uuid1", "uuid3", "uuid4",
	"uuid5", NULL};

/* What OpenAPI and others call a string without saying anything of its text. */
static const char *const hints[] = {"binary",	 "directory-path", "file-path",
				    "password", "path",		   NULL};

const WeftFormat *weft_format_find(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
		if (g_str_equal(formats[i].name, name))
			return &formats[i];
	return NULL;
}

gboolean weft_format_known(const char *name)
{
	return weft_format_find(name) != NULL;
}

gboolean weft_format_is_hint(const char *name)
{
	return g_strv_contains(hints, name);
}

const char *const *weft_format_names(void)
{
	return names;
}
