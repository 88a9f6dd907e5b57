// SPDX-License-Identifier: MIT
#include "harness/placement.h"

#include <ctype.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The grammar once more, written independently of the table under test; separators are removed. */
static const char grammar[] = "^(F?T?(LP|RP)I?(LD|RD)I?M?"    /* native */
			      "|(TF|T)?[LR][LR]I?[EGM]?"      /* virtual */
			      "|(T|O|TO|OT)?[FI]A?(M|MP|MF)?" /* wide */
			      "|V|O|RI|RIE|VIR|OIR)$";

static const char alphabet[] = "ABDEFGILMOPRSTVX0-+ ";

static bool in_grammar(const char *name)
{
	char letters[64];
	size_t used = 0;
	regex_t regex;
	int status;

	for (; *name && used < sizeof(letters) - 1; name++)
		if (*name != '-' && *name != '+')
			letters[used++] = *name;
	letters[used] = '\0';
	assert_int_equal(regcomp(&regex, grammar, REG_EXTENDED | REG_NOSUB | REG_ICASE), 0);
	status = regexec(&regex, letters, 0, NULL, 0);
	regfree(&regex);
	return status == 0;
}

static void must_parse(const char *name, const char *canonical)
{
	struct config config;
	struct err err = {0};

	if (config_parse(name, &config, &err) != 0)
		fail_msg("'%s': %s", name, err.text);
	assert_string_equal(config.name, canonical);
}

/* Returns the text of the refusal. */
static struct err must_refuse(const char *name)
{
	struct config config;
	struct err err = {0};

	if (config_parse(name, &config, &err) != -1)
		fail_msg("'%s' was taken for %s", name, config.name);
	assert_int_equal(err.kind, ERR_USAGE);
	return err;
}

static void squeezed(const char *name, char *letters, int (*fold)(int))
{
	for (; *name; name++)
		if (*name != '-' && *name != '+')
			*letters++ = (char)fold((unsigned char)*name);
	*letters = '\0';
}

static int mixed_case(int letter)
{
	return letter % 2 ? tolower(letter) : toupper(letter);
}

static void published_names_round_trip(void **state)
{
	int count = 0;

	(void)state;
	for (const struct config *config; (config = config_published(count)); count++) {
		char spelled[64];

		must_parse(config->name, config->name);
		squeezed(config->name, spelled, toupper);
		must_parse(spelled, config->name);
		squeezed(config->name, spelled, tolower);
		must_parse(spelled, config->name);
		squeezed(config->name, spelled, mixed_case);
		must_parse(spelled, config->name);
		assert_true(in_grammar(config->name));
		assert_non_null(config->published);
		assert_non_null(config->baseline);
		must_parse(config->baseline, config->baseline);
		for (int other = 0; other < count; other++)
			assert_string_not_equal(config_published(other)->name, config->name);
	}
	assert_int_equal(count, 63);
	assert_null(config_published(-1));
	assert_null(config_published(count));
}

static void printed_spellings(void **state)
{
	static const char *const names[][2] = {
		{"RPI-LD+M", "RPI-LDM"},
		{"RPILD+M", "RPI-LDM"},
		{"TRPI-LD+M", "TRPI-LDM"},
		{"trpi-ld-m", "TRPI-LDM"},
		{"FTRPI-LD+M", "FTRPI-LDM"},
		{"F-T-LP-LD", "FTLP-LD"},
		{"FTLPLD", "FTLP-LD"},
		{"LP-RD-I", "LP-RDI"},
		{"F-A+M", "FAM"},
		{"F+M", "FM"},
		{"F-A", "FA"},
		{"I+M", "IM"},
		{"TF-A+M", "TFAM"},
		{"T-F", "TF"},
		{"TI+M", "TIM"},
		{"OTF", "TOF"},
		{"O-T-F-MP", "TOFMP"},
		{"OTFMF", "TOFMF"},
		{"VIR", "V-IR"},
		{"v+ir", "V-IR"},
		{"oir", "O-IR"},
		{"RR-I-M", "RRIM"},
		{"TF-LL", "TFLL"},
		{"lplD", "LP-LD"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		must_parse(names[i][0], names[i][1]);
}

static void wrong_names_by_hand(void **state)
{
	static const char *const names[] = {
		"",           " ",        "-",
		"+",          "LP",       "LD",
		"LDLP",       "LP LD",    "LP_LD",
		"LP/LD",      " LP-LD",   "LP-LD ",
		"-LP-LD",     "LP-LD-",   "LP--LD",
		"L-P-LD",     "LP-L-D",   "LPLDX",
		"XLPLD",      "PL-LD",    "TFLP-LD",
		"TTLPLD",     "LPIILD",   "LPLDMM",
		"LPMLD",      "LLL",      "L",
		"R",          "RM",       "TRI",
		"LLR",        "RRII",     "RRIEG",
		"RRIN",       "FRRI",     "TTRRI",
		"FTRRI",      "TFTRRI",   "RRI\n",
		"IR",         "V-I-R",    "VRI",
		"OIRE",       "O-IRM",    "RIG",
		"RIM",        "RIEM",     "FF",
		"FI",         "IF",       "FMA",
		"AFM",        "MF",       "MP",
		"FMPF",       "OFM-P",    "TTF",
		"TOTF",       "VF",       "TV",
		"TO",         "OO",       "FAMM",
		"EIA",        "SL",       "OLA",
		"LPLD%s%s%n", "\xff\xfe", "RPI-LDM\xc2\xa0",
		"../LP-LD",   "LP-LD;",
	};
	char huge[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		must_refuse(names[i]);
	memset(huge, 'L', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	must_refuse(huge);
}

/* What is in the language parses or is refused as a contradiction; all else is unknown. */
static int check_against_grammar(const char *name)
{
	struct config config;
	struct err err = {0};
	const int refused = config_parse(name, &config, &err);

	if (!refused) {
		if (!in_grammar(name))
			fail_msg("'%s' is not in the grammar and was taken for %s", name,
				 config.name);
		must_parse(config.name, config.name);
		return 0;
	}
	assert_int_equal(err.kind, ERR_USAGE);
	if (strstr(err.text, "contradicts")) {
		assert_true(in_grammar(name));
		return 0;
	}
	/* Separators are allowed between parts only, which the regular expression cannot say. */
	if (in_grammar(name) && !strpbrk(name, "-+"))
		fail_msg("'%s' is in the grammar: %s", name, err.text);
	return 1;
}

static void mutate(char name[64])
{
	const size_t length = strlen(name);
	const size_t at = (size_t)rand() % (length + 1);
	const char letter = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];

	switch (rand() % 3) {
	case 0:
		memmove(name + at + 1, name + at, length - at + 1);
		name[at] = letter;
		break;
	case 1:
		if (at < length)
			memmove(name + at, name + at + 1, length - at);
		break;
	default:
		if (at < length)
			name[at] = letter;
	}
}

static void mutated_names(void **state)
{
	int refused = 0;

	(void)state;
	srand(20200316);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; config_published(i); i++) {
			char name[64];

			strcpy(name, config_published(i)->name);
			for (int n = round % 3; n >= 0; n--)
				mutate(name);
			refused += check_against_grammar(name);
		}
	}
	/* Else the mutations are too tame to test anything. */
	assert_true(refused > 500);
}

static void short_names_exhaustively(void **state)
{
	const size_t letters = sizeof(alphabet) - 1;

	(void)state;
	for (size_t number = 0; number < letters * letters * letters; number++) {
		const char name[4] = {alphabet[number % letters],
				      alphabet[number / letters % letters],
				      alphabet[number / letters / letters], '\0'};

		check_against_grammar(name);
	}
}

static void contradictions(void **state)
{
	static const char *const names[][2] = {
		{"FLP-LD", "huge pages"},      {"LP-LDM", "local already"},
		{"LPI-RDIM", "local already"}, {"LLI", "both are local"},
		{"TFLLI", "both are local"},   {"LLM", "local already"},
		{"LRG", "local already"},      {"RLE", "local already"},
		{"RLM", "local already"},      {"LRIM", "local already"},
		{"FMP", "NUMA-oblivious"},     {"TIMF", "NUMA-oblivious"},
		{"OFM", "MP or MF"},           {"TOIM", "MP or MF"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct err err = must_refuse(names[i][0]);

		if (!strstr(err.text, "contradicts itself") || !strstr(err.text, names[i][1]))
			fail_msg("%s: the reason is '%s'", names[i][0], err.text);
	}
}

static void nearest_names(void **state)
{
	static const char *const names[][2] = {
		{"LPLE", "LP-LD"},         {"RPI-LDN", "RPI-LDM"}, {"RRIX", "RRI"},
		{"TFRIM", "TFRRIM"},       {"OFMPP", "OFMP"},      {"VIRR", "V-IR"},
		{"FTRPILDN", "FTRPI-LDM"}, {"FAN", "FAM"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct err err = must_refuse(names[i][0]);

		if (!strstr(err.text, names[i][1]))
			fail_msg("%s: %s is not among '%s'", names[i][0], names[i][1], err.text);
	}
}

static void meanings(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(config_parse("TF", &config, NULL), 0);
	assert_true(config.family == CONFIG_WIDE && config.thp && !config.fragment);
	assert_string_equal(config.baseline, "TF");
	assert_int_equal(config_parse("TFLL", &config, NULL), 0);
	assert_true(config.family == CONFIG_VIRTUAL && config.thp && config.fragment);
	assert_string_equal(config.baseline, "TFLL");
	assert_int_equal(config_parse("FTRPILDM", &config, NULL), 0);
	assert_true(config.family == CONFIG_NATIVE && config.thp && config.fragment);
	assert_true(config.remote_page_tables && config.interfere_page_tables);
	assert_true(!config.remote_data && !config.interfere_data && config.migrate_page_tables);
	assert_string_equal(config.baseline, "LP-LD");
	assert_int_equal(config_parse("LP-RDI", &config, NULL), 0);
	assert_true(config.remote_data && config.interfere_data && !config.interfere_page_tables);
	assert_int_equal(config_parse("RLI", &config, NULL), 0);
	assert_true(config.remote_page_tables && !config.remote_ept);
	assert_int_equal(config.vm, VM_NUMA_VISIBLE);
	assert_int_equal(config_parse("RRIE", &config, NULL), 0);
	assert_true(config.migrate_ept && !config.migrate_page_tables);
	assert_int_equal(config_parse("IM", &config, NULL), 0);
	assert_true(config.interleave && config.replicate_page_tables && config.vm == VM_NONE);
	assert_int_equal(config_parse("TOFMF", &config, NULL), 0);
	assert_true(config.thp && config.vm == VM_NUMA_OBLIVIOUS);
	assert_int_equal(config.discovery, DISCOVERY_PROBED);
	assert_string_equal(config.baseline, "TOF");
	assert_int_equal(config_parse("RIE", &config, NULL), 0);
	assert_true(config.family == CONFIG_MIGRATING_VM && config.vm == VM_THIN);
	assert_true(config.autonuma && config.migrate_ept && config.interfere_page_tables);
	assert_int_equal(config_parse("RP-RDM", &config, NULL), 0);
	assert_null(config.published);
}

static void descriptions(void **state)
{
	char text[256], tiny[8];

	(void)state;
	for (int i = 0; config_published(i); i++) {
		config_describe(config_published(i), text, sizeof(text));
		if (strlen(text) < 10 || strlen(text) > 120)
			fail_msg("%s: '%s'", config_published(i)->name, text);
		config_describe(config_published(i), tiny, sizeof(tiny));
		assert_true(strlen(tiny) < sizeof(tiny));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_names_round_trip),
		cmocka_unit_test(printed_spellings),
		cmocka_unit_test(wrong_names_by_hand),
		cmocka_unit_test(mutated_names),
		cmocka_unit_test(short_names_exhaustively),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(nearest_names),
		cmocka_unit_test(meanings),
		cmocka_unit_test(descriptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
