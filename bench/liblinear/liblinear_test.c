// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "bench/liblinear/liblinear.h"

static void no_print(const char *text)
{
	(void)text;
}

/* --- generated samples ------------------------------------------------------------------------ */

static void samples_are_ascending_and_known(void **state)
{
	struct feature_node nodes[12] = {0}, again[12] = {0};
	struct samples_plan plan;
	int positive = 0;

	(void)state;
	samples_plan_make(&plan, 5000, 2000, 11, 0.05, 3);
	for (uint64_t i = 0; i < 5000; i++) {
		const int label = samples_make(&plan, i, nodes);

		assert_true(label == 1 || label == -1);
		positive += label == 1;
		assert_int_equal(nodes[11].index, -1);
		for (int k = 0; k < 11; k++) {
			assert_in_range(nodes[k].index, k ? nodes[k - 1].index + 1 : 1, 2000);
			assert_true(nodes[k].value > 0.15 && nodes[k].value < 0.46);
		}
		assert_int_equal(samples_make(&plan, i, again), label);
		assert_memory_equal(again, nodes, sizeof(nodes));
	}
	assert_in_range(positive, 1000, 4000);
}

/* Few features for many nonzeros must not go round for ever. */
static void narrow_samples_are_possible(void **state)
{
	struct feature_node nodes[LIBLINEAR_NONZEROS + 1];
	struct samples_plan plan;

	(void)state;
	for (uint64_t nonzeros = 1; nonzeros <= LIBLINEAR_NONZEROS; nonzeros += 51) {
		samples_plan_make(&plan, 100, 4 * nonzeros, nonzeros, 0, 3);
		for (uint64_t i = 0; i < 100; i++)
			samples_make(&plan, i, nodes);
	}
}

/* --- training --------------------------------------------------------------------------------- */

struct trained {
	struct samples_plan plan;
	struct problem problem;
	struct feature_node *nodes;
	struct model *model;
};

static void train_small(struct trained *trained, double epsilon)
{
	const struct parameter parameter = {.solver_type = L1R_LR, .C = 1, .eps = epsilon};
	struct samples_plan *plan = &trained->plan;

	samples_plan_make(plan, 4000, 1000, 11, 0.05, 9);
	trained->problem = (struct problem){.l = 4000, .n = 1000, .bias = -1};
	trained->problem.x = calloc(4000, sizeof(trained->problem.x[0]));
	trained->problem.y = calloc(4000, sizeof(double));
	trained->nodes = calloc(4000 * 12, sizeof(trained->nodes[0]));
	for (uint64_t i = 0; i < 4000; i++) {
		trained->problem.x[i] = trained->nodes + i * 12;
		trained->problem.y[i] = samples_make(plan, i, trained->problem.x[i]);
	}
	set_print_string_function(no_print);
	trained->model = train(&trained->problem, &parameter);
}

static void free_trained(struct trained *trained)
{
	free_and_destroy_model(&trained->model);
	free(trained->problem.x);
	free(trained->problem.y);
	free(trained->nodes);
}

static struct training_verdict judge(struct trained *trained)
{
	struct training_verdict verdict;

	assert_int_equal(training_check(&trained->problem, trained->model, &trained->plan, 1,
					&verdict, NULL),
			 0);
	return verdict;
}

static void the_optimum_is_recognised(void **state)
{
	struct training_verdict verdict;
	struct trained trained;

	(void)state;
	train_small(&trained, 0.01);
	verdict = judge(&trained);
	assert_int_equal(verdict.errors, 0);
	assert_int_equal(verdict.checked, 4000);
	assert_true(verdict.violation < 0.0051);
	assert_true(verdict.objective_fraction < 0.8);
	assert_in_range(verdict.right, 3600, 4000);
	assert_true(verdict.nonzeros > 5 && verdict.nonzeros < 600);
	assert_true(training_accuracy(trained.model, &trained.plan, 5000) > 0.85);
	/* Further training comes nearer; a weight that is turned round is noticed. */
	free_trained(&trained);
	train_small(&trained, 1e-5);
	assert_true(judge(&trained).violation < 1e-5);
	for (int j = 0; j < 8; j++)
		trained.model->w[j] = -trained.model->w[j];
	assert_true(judge(&trained).violation > 0.1);
	assert_true(training_accuracy(trained.model, &trained.plan, 5000) < 0.7);
	trained.model->w[3] = NAN;
	assert_int_equal(judge(&trained).errors, 1);
	free_trained(&trained);
}

static void damaged_samples_are_refused(void **state)
{
	struct trained trained;

	(void)state;
	train_small(&trained, 0.1);
	trained.nodes[5 * 12 + 3].value += 1e-9;
	assert_int_equal(judge(&trained).errors, 1);
	trained.nodes[5 * 12 + 3].value -= 1e-9;
	samples_make(&trained.plan, 5, trained.problem.x[5]);
	trained.problem.y[77] = -trained.problem.y[77];
	assert_int_equal(judge(&trained).errors, 1);
	free_trained(&trained);
}

/* --- memory ----------------------------------------------------------------------------------- */

static void the_library_allocates_where_it_should(void **state)
{
	const struct samples_size size = {.samples = 4000, .features = 1000, .nonzeros = 44000};
	const uint64_t bytes = samples_library_bytes(&size);
	unsigned char *memory;
	struct trained trained;

	(void)state;
	if (!library_memory_works())
		skip();
	memory = malloc(bytes);
	assert_non_null(memory);
	library_memory_give(memory, bytes);
	train_small(&trained, 0.1); /* outside: from the heap */
	assert_int_equal(library_memory_used(), 0);
	free_trained(&trained);
	library_memory_enter();
	train_small(&trained, 0.1);
	library_memory_leave();
	/* The test's own arrays, 828 kB, came in as well; what did not fit went to the heap. */
	assert_true(library_memory_used() > bytes / 2 && library_memory_used() <= bytes);
	assert_true(library_memory_spilled() > 0);
	free_trained(&trained);
	library_memory_give(NULL, 0);
	free(memory);
}

static void the_promised_memory_suffices_and_no_more(void **state)
{
	const struct samples_size size = {.samples = 4000, .features = 1000, .nonzeros = 44000};
	const struct parameter parameter = {.solver_type = L1R_LR, .C = 1, .eps = 0.1};
	const uint64_t bytes = samples_library_bytes(&size);
	struct trained trained;
	unsigned char *memory;

	(void)state;
	if (!library_memory_works())
		skip();
	memory = malloc(bytes);
	assert_non_null(memory);
	train_small(&trained, 0.1);
	free_and_destroy_model(&trained.model);
	library_memory_give(memory, bytes);
	library_memory_enter();
	trained.model = train(&trained.problem, &parameter);
	library_memory_leave();
	assert_int_equal(library_memory_spilled(), 0);
	assert_in_range(library_memory_used(), bytes - 16384, bytes);
	free_trained(&trained);
	library_memory_give(NULL, 0);
	free(memory);
}

/* --- svmlight --------------------------------------------------------------------------------- */

static char path[32];

static void write_text(const char *text)
{
	int fd;

	strcpy(path, "/tmp/liblinear-test.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
}

static void files_are_read(void **state)
{
	struct feature_node nodes[16];
	struct feature_node *rows[4];
	double labels[4];
	struct problem problem = {.x = rows, .y = labels};
	struct samples_size size, estimate;
	struct err err = {0};

	(void)state;
	write_text("# a comment\n+1 1:0.5 7:-2e3 # more\n\n-1\n-1 3:1\r\n1 2:0.25 9:4");
	assert_int_equal(svmlight_measure(path, &size, &err), 0);
	assert_int_equal(svmlight_estimate(path, &estimate, &err), 0);
	assert_memory_equal(&estimate, &size, sizeof(size));
	assert_int_equal(size.samples, 4);
	assert_int_equal(size.features, 9);
	assert_int_equal(size.nonzeros, 5);
	assert_int_equal(svmlight_load(path, &size, &problem, nodes, &err), 0);
	assert_true(labels[0] == 1 && labels[1] == -1 && labels[2] == -1 && labels[3] == 1);
	assert_true(rows[0][1].index == 7 && rows[0][1].value == -2000);
	assert_int_equal(rows[1][0].index, -1);
	assert_true(rows[3][1].index == 9 && rows[3][1].value == 4 && rows[3][2].index == -1);
	/* Another file under the name between the two passes. */
	size.nonzeros = 4;
	assert_int_equal(svmlight_load(path, &size, &problem, nodes, &err), -1);
	unlink(path);
}

static void bad_files_are_refused_by_line(void **state)
{
	static const struct {
		const char *text, *error;
	} files[] = {
		{"", "truncated or no training data: 0 samples"},
		{"1 1:1\n1 2:1\n", "2 samples, 1 labels"},
		{"1 1:1\n-1 1:x\n", "line 2: no value at '1:x'"},
		{"1 1:1\n-1 1:\n", "line 2: no value at '1:'"},
		{"1 1:1\n-1 5\n", "line 2: no INDEX:VALUE at '5'"},
		{"1 1:1\n\n-1 0:1\n", "line 3: an index that is not between"},
		{"1 1:1\n-1 4:1 4:2\n", "line 2: an index that does not ascend at '4:2'"},
		{"1 1:1\n-1 99999999999:1\n", "line 2: an index that is not between"},
		{"1 1:1\n2 1:1\n3 1:1\n", "line 3: a third label"},
		{"1.5 1:1\n", "line 1: a label that is no whole number"},
		{"one 1:1\n", "line 1: no label at 'one'"},
		{"1 1:nan\n", "line 1: no value"},
		{"1 1:1e999\n", "line 1: no value"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct samples_size size;
		struct err err = {0};

		write_text(files[i].text);
		if (svmlight_measure(path, &size, &err) == 0 || !strstr(err.text, files[i].error) ||
		    !strstr(err.text, path))
			fail_msg("file %d: '%s', not '%s'", (int)i, err.text, files[i].error);
		assert_int_equal(err.kind, ERR_USAGE);
		unlink(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_ascending_and_known),
		cmocka_unit_test(narrow_samples_are_possible),
		cmocka_unit_test(the_optimum_is_recognised),
		cmocka_unit_test(damaged_samples_are_refused),
		cmocka_unit_test(the_library_allocates_where_it_should),
		cmocka_unit_test(the_promised_memory_suffices_and_no_more),
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(bad_files_are_refused_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
