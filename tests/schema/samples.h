/* samples.h - schemas that bring the constraint into its corners. */
#ifndef WEFT_TESTS_SCHEMA_SAMPLES_H
#define WEFT_TESTS_SCHEMA_SAMPLES_H

static const char *const samples[] = {
	/* optional properties that begin alike, and counts of them */
	"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"maxLength\":3},"
	"\"b\":{\"type\":\"integer\",\"minimum\":-5,\"maximum\":120},"
	"\"c\":{\"enum\":[1,12,123,\"x\",null,{\"k\":[1,2]}]}},\"required\":[\"b\"]}",
	"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"null\"},\"ab\":{\"type\":\"null\"},"
	"\"abc\":{\"type\":\"boolean\"},\"d\":{\"type\":\"null\"}},\"minProperties\":2,"
	"\"maxProperties\":3}",
	/* literals, none twice */
	"{\"type\":\"array\",\"items\":{\"enum\":[1,12,\"aa\",\"ab\",true]},\"uniqueItems\":true,"
	"\"minItems\":3,\"maxItems\":5}",
	"{\"type\":\"array\",\"items\":{\"enum\":[1,12,\"aa\",\"ab\",true]},\"uniqueItems\":true,"
	"\"minItems\":5}",
	/* strings, none twice: of any text, so short that they run out, of few texts, behind a prefix */
	"{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"uniqueItems\":true}",
	"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":1},\"uniqueItems\":true,"
	"\"minItems\":1,\"maxItems\":6}",
	"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":0},\"uniqueItems\":true}",
	"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"pattern\":\"^(a|ab|b\\\\.)$\"},"
	"\"uniqueItems\":true,\"minItems\":1}",
	"{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"}],\"items\":{\"type\":\"string\","
	"\"minLength\":2,\"maxLength\":3},\"uniqueItems\":true,\"minItems\":2}",
	/* maps whose keys run out of short ones */
	"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"},\"minProperties\":3,"
	"\"maxProperties\":6,\"propertyNames\":{\"maxLength\":2}}",
	"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"null\"},\"minProperties\":2}",
	"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"null\"},\"minProperties\":97,"
	"\"propertyNames\":{\"minLength\":1}}",
	"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"null\"},"
	"\"propertyNames\":{\"pattern\":\"^(a|ab|b)$\"}}",
	/* branches that overlap */
	"{\"anyOf\":[{\"type\":\"string\",\"maxLength\":2},{\"type\":\"integer\"},"
	"{\"enum\":[\"abc\",\"abd\",\"x\",[],17]},"
	"{\"type\":\"string\",\"minLength\":4,\"maxLength\":6}]}",
	"{\"anyOf\":[{\"type\":\"object\",\"properties\":{\"k\":{\"const\":\"a\"},"
	"\"x\":{\"type\":\"integer\"}},\"required\":[\"k\",\"x\"]},{\"type\":\"object\","
	"\"properties\":{\"k\":{\"const\":\"b\"},\"y\":{\"type\":\"string\"}},"
	"\"required\":[\"k\"]}]}",
	"{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"anyOf\":["
	"{\"type\":\"integer\"},{\"type\":\"number\"},{\"type\":\"string\"}]}},\"minItems\":2}",
	/* more than are listed one by one */
	"{\"type\":\"array\",\"items\":{\"enum\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,120,\"ab\"]},"
	"\"maxItems\":3}",
	/* recursion, with and without an end in sight */
	"{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"integer\"},\"next\":{\"anyOf\":["
	"{\"type\":\"null\"},{\"$ref\":\"#\"}]},\"kids\":{\"type\":\"array\","
	"\"items\":{\"$ref\":\"#\"}}},\"required\":[\"next\"]}",
	"{\"type\":\"array\",\"items\":{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]},"
	"\"minItems\":1}",
	/* a prefix */
	"{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\","
	"\"minLength\":2}],\"items\":{\"type\":\"boolean\"},\"minItems\":1,\"maxItems\":4}",
	/* lexemes */
	"{\"type\":\"object\",\"properties\":{\"date\":{\"type\":\"string\",\"format\":\"date\"},"
	"\"code\":{\"type\":\"string\",\"pattern\":\"^[A-Z]{2}-[0-9]+$\",\"maxLength\":6},"
	"\"words\":{\"type\":\"string\",\"pattern\":\"^([a-z]+ )*end$\",\"maxLength\":20}},"
	"\"required\":[\"date\",\"code\",\"words\"]}",
	"{\"type\":\"number\",\"minimum\":0.5,\"maximum\":1.25}",
	"{\"type\":\"number\",\"multipleOf\":0.05,\"minimum\":-1,\"maximum\":2}",
	"{\"enum\":[1,10,100,1.5,\"1\",\"ten\",true,null,\"te\\\"n\",\"t\\u00fc\\n\"]}",
};

#endif
