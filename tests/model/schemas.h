/* schemas.h - what the tests ask for. */
#ifndef WEFT_TESTS_MODEL_SCHEMAS_H
#define WEFT_TESTS_MODEL_SCHEMAS_H

static const char *const schemas[] = {
	/* an archive card */
	"{\"type\":\"object\",\"title\":\"card\",\"additionalProperties\":false,"
	"\"required\":[\"title\",\"year\"],\"properties\":{"
	"\"title\":{\"type\":\"string\",\"maxLength\":40,\"description\":\"as it stands\"},"
	"\"date\":{\"type\":[\"string\",\"null\"],\"format\":\"date\",\"maxLength\":10},"
	"\"year\":{\"type\":[\"integer\",\"null\"],\"minimum\":1400,\"maximum\":2100},"
	"\"kind\":{\"enum\":[\"letter\",\"ledger\",\"invoice\",\"map\",null]},"
	"\"languages\":{\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":\"string\","
	"\"minLength\":2,\"maxLength\":3}},"
	"\"handwritten\":{\"type\":\"boolean\"}}}",
	/* rows with shared parts */
	"{\"$defs\":{\"money\":{\"type\":\"number\",\"minimum\":0,\"exclusiveMaximum\":1000.5},"
	"\"row\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":-3,"
	"\"maximum\":12},\"text\":{\"type\":\"string\",\"maxLength\":8},"
	"\"sum\":{\"$ref\":\"#/$defs/money\"}}}},"
	"\"type\":\"object\",\"properties\":{\"rows\":{\"type\":\"array\",\"minItems\":1,"
	"\"maxItems\":4,\"items\":{\"$ref\":\"#/$defs/row\"}},"
	"\"total\":{\"anyOf\":[{\"$ref\":\"#/$defs/money\"},{\"type\":\"null\"}]}}}",
	/* anything scalar, at the root */
	"{\"type\":[\"string\",\"number\",\"boolean\",\"null\"]}",
	"{\"type\":\"integer\"}",
	"{\"type\":\"number\",\"exclusiveMinimum\":-0.25,\"maximum\":0.125}",
	"{\"enum\":[1,10,100,1.5,\"1\",\"ten\",true,null,\"te\\\"n\"]}",
	"{\"type\":\"array\",\"items\":{\"type\":\"array\",\"maxItems\":2,\"items\":"
	"{\"const\":\"\\u00fc\\n\"}},\"maxItems\":3}",
	"{\"type\":\"object\",\"properties\":{}}",
	"{\"type\":\"object\",\"required\":[\"a\\\"/~b\"],\"properties\":{\"a\\\"/~b\":{\"type\":\"array\",\"minItems\":2,"
	"\"maxItems\":2,\"items\":{\"type\":\"object\",\"required\":[\"k\"],\"properties\":{\"k\":{\"type\":"
	"\"string\",\"minLength\":3,\"maxLength\":3}}}}}}",
};

#endif
