// SPDX-License-Identifier: MIT
/*
 * The grammar of configuration names: a table of families, each a row of slots, each slot a list of
 * letters with what they mean. The language is finite (some 300 names), so a name is parsed by
 * comparing it with every name that the table can spell; the same walk finds the nearest names.
 */
#include "harness/placement.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/distance.h"

enum effect {
	THP = 1 << 0,
	FRAGMENT = 1 << 1,
	REMOTE_TABLES = 1 << 2,
	REMOTE_DATA = 1 << 3,
	REMOTE_EPT = 1 << 4,
	INTERFERE_TABLES = 1 << 5,
	INTERFERE_DATA = 1 << 6,
	MIGRATE_TABLES = 1 << 7,
	MIGRATE_EPT = 1 << 8,
	INTERLEAVE = 1 << 9,
	AUTONUMA = 1 << 10,
	REPLICATE_TABLES = 1 << 11,
	REPLICATE_EPT = 1 << 12,
	PARAVIRT = 1 << 13,
	PROBED = 1 << 14,
	VISIBLE = 1 << 15,
	OBLIVIOUS = 1 << 16,
	THIN = 1 << 17,
};

/* One choice of a slot; printed == NULL: as it is read. A '-' is optional in what is read. */
struct letters {
	const char *text;
	unsigned effects;
	const char *printed;
};

#define SLOTS_MAX   7
#define CHOICES_MAX 5

struct slot {
	int nr_choices;
	struct letters choices[CHOICES_MAX];
};

struct baseline {
	unsigned effects; /* applies to names that have all of these */
	const char *name;
};

struct family {
	enum config_family family;
	unsigned effects; /* of every name of the family */
	int nr_slots;
	const struct slot *slots[SLOTS_MAX];
	struct baseline baselines[4]; /* the first that applies */
};

static const struct slot fragment_slot = {2, {{"", 0, NULL}, {"F", FRAGMENT, NULL}}};
static const struct slot thp_slot = {2, {{"", 0, NULL}, {"T", THP, NULL}}};
static const struct slot tables_slot = {2, {{"LP", 0, NULL}, {"RP", REMOTE_TABLES, NULL}}};
static const struct slot tables_load_slot = {2, {{"", 0, NULL}, {"I", INTERFERE_TABLES, NULL}}};
static const struct slot data_slot = {2, {{"LD", 0, "-LD"}, {"RD", REMOTE_DATA, "-RD"}}};
static const struct slot data_load_slot = {2, {{"", 0, NULL}, {"I", INTERFERE_DATA, NULL}}};
static const struct slot mitosis_slot = {2, {{"", 0, NULL}, {"M", MIGRATE_TABLES, NULL}}};

/* TF means THP and fragmented memory here, but THP and first touch in a wide name. */
static const struct slot virtual_thp_slot = {
	3, {{"", 0, NULL}, {"T", THP, NULL}, {"TF", THP | FRAGMENT, NULL}}};
static const struct slot gpt_slot = {2, {{"L", 0, NULL}, {"R", REMOTE_TABLES, NULL}}};
static const struct slot ept_slot = {2, {{"L", 0, NULL}, {"R", REMOTE_EPT, NULL}}};
static const struct slot vmitosis_slot = {4,
					  {{"", 0, NULL},
					   {"E", MIGRATE_EPT, NULL},
					   {"G", MIGRATE_TABLES, NULL},
					   {"M", MIGRATE_EPT | MIGRATE_TABLES, NULL}}};

static const struct slot wide_prefix_slot = {5,
					     {{"", 0, NULL},
					      {"T", THP, NULL},
					      {"O", OBLIVIOUS, NULL},
					      {"T-O", THP | OBLIVIOUS, "TO"},
					      {"O-T", THP | OBLIVIOUS, "TO"}}};
static const struct slot wide_data_slot = {2, {{"F", 0, NULL}, {"I", INTERLEAVE, NULL}}};
static const struct slot autonuma_slot = {2, {{"", 0, NULL}, {"A", AUTONUMA, NULL}}};
static const struct slot replicate_slot = {
	4,
	{{"", 0, NULL},
	 {"M", REPLICATE_TABLES | REPLICATE_EPT, NULL},
	 {"MP", REPLICATE_TABLES | REPLICATE_EPT | PARAVIRT, NULL},
	 {"MF", REPLICATE_TABLES | REPLICATE_EPT | PROBED, NULL}}};

/* Figure 2 only looks where page tables land: first touch in a visible and an oblivious VM. */
static const struct slot survey_slot = {2, {{"V", VISIBLE, NULL}, {"O", OBLIVIOUS, NULL}}};

/*
 * The VM moves away from its page tables at run time. In the thin VM the guest's page tables are
 * part of the memory that moves, so only the ePT stays behind.
 */
static const struct slot moving_slot = {
	4,
	{{"RI", REMOTE_EPT | THIN, NULL},
	 {"RIE", REMOTE_EPT | MIGRATE_EPT | THIN, NULL},
	 {"V-IR", REMOTE_EPT | REMOTE_TABLES | REPLICATE_EPT | REPLICATE_TABLES | VISIBLE, NULL},
	 {"O-IR", REMOTE_EPT | REPLICATE_EPT | THIN, NULL}}};

static const struct family families[] = {
	{CONFIG_NATIVE,
	 0,
	 7,
	 {&fragment_slot, &thp_slot, &tables_slot, &tables_load_slot, &data_slot, &data_load_slot,
	  &mitosis_slot},
	 {{0, "LP-LD"}}},
	{CONFIG_VIRTUAL,
	 VISIBLE,
	 5,
	 {&virtual_thp_slot, &gpt_slot, &ept_slot, &tables_load_slot, &vmitosis_slot},
	 {{THP | FRAGMENT, "TFLL"}, {THP, "TLL"}, {0, "LL"}}},
	{CONFIG_WIDE,
	 0,
	 4,
	 {&wide_prefix_slot, &wide_data_slot, &autonuma_slot, &replicate_slot},
	 {{THP | OBLIVIOUS, "TOF"}, {OBLIVIOUS, "OF"}, {THP, "TF"}, {0, "F"}}},
	{CONFIG_WIDE, 0, 1, {&survey_slot}, {{VISIBLE, "V"}, {OBLIVIOUS, "O"}}},
	{CONFIG_MIGRATING_VM,
	 AUTONUMA | INTERFERE_TABLES,
	 1,
	 {&moving_slot},
	 {{VISIBLE, "RRI"}, {THIN, "RI"}}},
};

#define NR_FAMILIES (int)(sizeof(families) / sizeof(families[0]))

/* Letters that fit and cannot be meant together. */
static const struct rule {
	enum config_family family;
	unsigned has, lacks; /* refused when it has all of `has` and none of `lacks` */
	const char *reason;
} rules[] = {
	{CONFIG_NATIVE, FRAGMENT, THP,
	 "fragmented memory (the leading F) only matters to huge pages; write FT..."},
	{CONFIG_NATIVE, MIGRATE_TABLES, REMOTE_TABLES,
	 "the M brings remote page tables (RP) to the CPUs, and here they are local already (LP)"},
	{CONFIG_VIRTUAL, INTERFERE_TABLES, REMOTE_TABLES | REMOTE_EPT,
	 "the I loads the node that holds remote page tables, and here both are local"},
	{CONFIG_VIRTUAL, MIGRATE_TABLES, REMOTE_TABLES,
	 "G and M migrate the guest's page tables, and here they are local already (first L)"},
	{CONFIG_VIRTUAL, MIGRATE_EPT, REMOTE_EPT,
	 "E and M migrate the extended page tables, and here they are local already (second L)"},
	{CONFIG_WIDE, PARAVIRT, OBLIVIOUS,
	 "MP asks the host for the topology, which only a NUMA-oblivious VM needs (O...)"},
	{CONFIG_WIDE, PROBED, OBLIVIOUS,
	 "MF probes the topology, which only a NUMA-oblivious VM needs (O...)"},
	{CONFIG_WIDE, REPLICATE_TABLES | OBLIVIOUS, PARAVIRT | PROBED,
	 "a NUMA-oblivious VM must find out its topology before it can replicate; write MP or MF"},
};

/*
 * In the order of `harness list configs`. 6-thp is data that Mitosis's artifact has beside figure
 * 6: its configs with huge pages, not plotted.
 */
static const struct published {
	const char *name, *figures;
} published[] = {
	{"LP-LD", "Mitosis fig. 6, 10a, 10b, 11"},
	{"LP-RD", "Mitosis fig. 6"},
	{"LP-RDI", "Mitosis fig. 6"},
	{"RP-LD", "Mitosis fig. 6"},
	{"RPI-LD", "Mitosis fig. 6, 10a"},
	{"RP-RD", "Mitosis fig. 6"},
	{"RPI-RDI", "Mitosis fig. 6"},
	{"RPI-LDM", "Mitosis fig. 10a"},
	{"TLP-LD", "Mitosis fig. 10b, 6-thp"},
	{"TLP-RD", "Mitosis fig. 6-thp"},
	{"TLP-RDI", "Mitosis fig. 6-thp"},
	{"TRP-LD", "Mitosis fig. 6-thp"},
	{"TRPI-LD", "Mitosis fig. 10b, 6-thp"},
	{"TRP-RD", "Mitosis fig. 6-thp"},
	{"TRPI-RDI", "Mitosis fig. 6-thp"},
	{"TRPI-LDM", "Mitosis fig. 10b"},
	{"FTLP-LD", "Mitosis fig. 11"},
	{"FTRPI-LD", "Mitosis fig. 11"},
	{"FTRPI-LDM", "Mitosis fig. 11"},
	{"LL", "vMitosis fig. 1, 3a"},
	{"LR", "vMitosis fig. 1"},
	{"RL", "vMitosis fig. 1"},
	{"RR", "vMitosis fig. 1"},
	{"LRI", "vMitosis fig. 1"},
	{"RLI", "vMitosis fig. 1"},
	{"RRI", "vMitosis fig. 1, 3a, 6a"},
	{"RRIE", "vMitosis fig. 3a, 6a"},
	{"RRIG", "vMitosis fig. 3a, 6a"},
	{"RRIM", "vMitosis fig. 3a, 6a"},
	{"TLL", "vMitosis fig. 3b"},
	{"TRRI", "vMitosis fig. 3b"},
	{"TRRIE", "vMitosis fig. 3b"},
	{"TRRIG", "vMitosis fig. 3b"},
	{"TRRIM", "vMitosis fig. 3b"},
	{"TFLL", "vMitosis fig. 3c"},
	{"TFRRI", "vMitosis fig. 3c"},
	{"TFRRIE", "vMitosis fig. 3c"},
	{"TFRRIG", "vMitosis fig. 3c"},
	{"TFRRIM", "vMitosis fig. 3c"},
	{"V", "vMitosis fig. 2a"},
	{"O", "vMitosis fig. 2b"},
	{"F", "Mitosis fig. 9a, 9b; vMitosis fig. 4a"},
	{"FM", "Mitosis fig. 9a; vMitosis fig. 4a"},
	{"FA", "Mitosis fig. 9a; vMitosis fig. 4a"},
	{"FAM", "Mitosis fig. 9a; vMitosis fig. 4a"},
	{"I", "Mitosis fig. 9a; vMitosis fig. 4a"},
	{"IM", "Mitosis fig. 9a; vMitosis fig. 4a"},
	{"TF", "Mitosis fig. 9b; vMitosis fig. 4b"},
	{"TFM", "Mitosis fig. 9b; vMitosis fig. 4b"},
	{"TFA", "Mitosis fig. 9b; vMitosis fig. 4b"},
	{"TFAM", "Mitosis fig. 9b; vMitosis fig. 4b"},
	{"TI", "Mitosis fig. 9b; vMitosis fig. 4b"},
	{"TIM", "Mitosis fig. 9b; vMitosis fig. 4b"},
	{"OF", "vMitosis fig. 5a"},
	{"OFMP", "vMitosis fig. 5a"},
	{"OFMF", "vMitosis fig. 5a"},
	{"TOF", "vMitosis fig. 5b"},
	{"TOFMP", "vMitosis fig. 5b"},
	{"TOFMF", "vMitosis fig. 5b"},
	{"RI", "vMitosis fig. 6b"},
	{"RIE", "vMitosis fig. 6b"},
	{"V-IR", "vMitosis fig. 6a"},
	{"O-IR", "vMitosis fig. 6b"},
};

#define NR_PUBLISHED (int)(sizeof(published) / sizeof(published[0]))

/* One name that the grammar can spell. */
struct spelling {
	const struct family *family;
	unsigned effects;
	char pattern[32]; /* how it is read: '-' where a hyphen or a plus may stand */
	char printed[sizeof(((struct config *)NULL)->name)];
};

/*
 * Spells the name with number `index` (0, 1, ...) of a family; false when there are no more. The
 * digits of the number, in the mixed radix of the slots, are the choices.
 */
static bool family_spell(const struct family *family, int index, struct spelling *spelling)
{
	*spelling = (struct spelling){.family = family, .effects = family->effects};
	for (int i = 0; i < family->nr_slots; i++) {
		const struct slot *slot = family->slots[i];
		const struct letters *letters = &slot->choices[index % slot->nr_choices];

		index /= slot->nr_choices;
		spelling->effects |= letters->effects;
		if (*letters->text && *spelling->pattern)
			strcat(spelling->pattern, "-");
		strcat(spelling->pattern, letters->text);
		strcat(spelling->printed, letters->printed ? letters->printed : letters->text);
	}
	return index == 0;
}

static bool pattern_matches(const char *pattern, const char *name)
{
	for (; *pattern; pattern++) {
		if (*pattern == '-')
			name += *name == '-' || *name == '+';
		else if (toupper((unsigned char)*name++) != *pattern)
			return false;
	}
	return *name == '\0';
}

static const char *spelling_contradiction(const struct spelling *spelling)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (spelling->family->family == rules[i].family &&
		    (spelling->effects & rules[i].has) == rules[i].has &&
		    (spelling->effects & rules[i].lacks) == 0)
			return rules[i].reason;
	return NULL;
}

static bool grammar_find(const char *name, struct spelling *spelling)
{
	for (int f = 0; f < NR_FAMILIES; f++)
		for (int i = 0; family_spell(&families[f], i, spelling); i++)
			if (pattern_matches(spelling->pattern, name))
				return true;
	return false;
}

static const char *find_figures(const char *name)
{
	for (int i = 0; i < NR_PUBLISHED; i++)
		if (strcmp(published[i].name, name) == 0)
			return published[i].figures;
	return NULL;
}

static const char *find_baseline(const struct spelling *spelling)
{
	const struct baseline *baseline = spelling->family->baselines;

	while ((spelling->effects & baseline->effects) != baseline->effects)
		baseline++;
	return baseline->name;
}

static enum place_vm effects_vm(unsigned effects)
{
	return effects & VISIBLE     ? VM_NUMA_VISIBLE
	       : effects & OBLIVIOUS ? VM_NUMA_OBLIVIOUS
	       : effects & THIN      ? VM_THIN
				     : VM_NONE;
}

static void spelling_to_config(const struct spelling *spelling, struct config *config)
{
	const unsigned effects = spelling->effects;

	*config = (struct config){
		.family = spelling->family->family,
		.remote_data = effects & REMOTE_DATA,
		.remote_page_tables = effects & REMOTE_TABLES,
		.remote_ept = effects & REMOTE_EPT,
		.interfere_page_tables = effects & INTERFERE_TABLES,
		.interfere_data = effects & INTERFERE_DATA,
		.interleave = effects & INTERLEAVE,
		.thp = effects & THP,
		.fragment = effects & FRAGMENT,
		.autonuma = effects & AUTONUMA,
		.replicate_page_tables = effects & REPLICATE_TABLES,
		.replicate_ept = effects & REPLICATE_EPT,
		.migrate_page_tables = effects & MIGRATE_TABLES,
		.migrate_ept = effects & MIGRATE_EPT,
		.discovery = effects & PARAVIRT ? DISCOVERY_PARAVIRT
			     : effects & PROBED ? DISCOVERY_PROBED
						: DISCOVERY_NONE,
		.vm = effects_vm(effects),
		.baseline = find_baseline(spelling),
		.published = find_figures(spelling->printed),
	};
	memcpy(config->name, spelling->printed, sizeof(config->name));
}

#define NEAREST        3
#define COMPARED_CHARS 24 /* more than any name has; the rest of a longer input cannot matter */

struct near {
	int distance;
	char name[sizeof(((struct config *)NULL)->name)];
};

/* Without hyphens and in capitals, so that only the letters count. */
static void squeeze(const char *name, char letters[COMPARED_CHARS + 1])
{
	int used = 0;

	for (; *name && used < COMPARED_CHARS; name++)
		if (*name != '-' && *name != '+')
			letters[used++] = (char)toupper((unsigned char)*name);
	letters[used] = '\0';
}

/* A published name goes before another that is as near. */
static void nearest_insert(struct near nearest[NEAREST], const struct spelling *spelling,
			   int distance)
{
	const int rank = 2 * distance + (find_figures(spelling->printed) == NULL);
	int at = NEAREST;

	while (at > 0 && rank < nearest[at - 1].distance)
		at--;
	if (at == NEAREST)
		return;
	memmove(&nearest[at + 1], &nearest[at], sizeof(*nearest) * (size_t)(NEAREST - 1 - at));
	nearest[at].distance = rank;
	memcpy(nearest[at].name, spelling->printed, sizeof(nearest[at].name));
}

static int refuse_unknown(const char *name, struct err *err)
{
	struct near nearest[NEAREST];
	char given[COMPARED_CHARS + 1], read[COMPARED_CHARS + 1], letters[COMPARED_CHARS + 1];
	struct spelling spelling;

	for (int i = 0; i < NEAREST; i++)
		nearest[i].distance = 4 * COMPARED_CHARS;
	squeeze(name, given);
	for (int f = 0; f < NR_FAMILIES; f++)
		for (int i = 0; family_spell(&families[f], i, &spelling); i++) {
			squeeze(spelling.printed, letters);
			squeeze(spelling.pattern, read);
			/* Another order of the same letters would show a name twice. */
			if (strcmp(letters, read) != 0 || spelling_contradiction(&spelling))
				continue;
			nearest_insert(nearest, &spelling, (int)distance_between(given, letters));
		}
	return err_set(err, ERR_USAGE,
		       "unknown config '%.40s'; the nearest are %s, %s and %s ('harness list "
		       "configs' shows all)",
		       name, nearest[0].name, nearest[1].name, nearest[2].name);
}

int config_parse(const char *name, struct config *config, struct err *err)
{
	struct spelling spelling;
	const char *reason;

	if (!grammar_find(name, &spelling))
		return refuse_unknown(name, err);
	reason = spelling_contradiction(&spelling);
	if (reason)
		return err_set(err, ERR_USAGE, "config '%s' contradicts itself: %s",
			       spelling.printed, reason);
	spelling_to_config(&spelling, config);
	return 0;
}

/* Written once, before anybody can see it; constant from then on. */
static struct config published_configs[NR_PUBLISHED];

static void parse_published(void)
{
	for (int i = 0; i < NR_PUBLISHED; i++)
		config_parse(published[i].name, &published_configs[i], NULL);
}

const struct config *config_published(int index)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, parse_published);
	return index >= 0 && index < NR_PUBLISHED ? &published_configs[index] : NULL;
}

const char *config_family_name(enum config_family family)
{
	static const char *const names[] = {
		[CONFIG_NATIVE] = "native",
		[CONFIG_VIRTUAL] = "virtual",
		[CONFIG_WIDE] = "wide",
		[CONFIG_MIGRATING_VM] = "migrating-vm",
	};

	return names[family];
}
