// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/liblinear/liblinear.h"

__attribute__((format(printf, 2, 3))) static void complain(struct training_verdict *verdict,
							   const char *format, ...)
{
	va_list arguments;

	if (verdict->errors++ > 0)
		return;
	va_start(arguments, format);
	vsnprintf(verdict->first, sizeof(verdict->first), format, arguments);
	va_end(arguments);
}

/* --- the samples ------------------------------------------------------------------------------ */

static void check_sample(const struct problem *problem, const struct samples_plan *plan, int i,
			 struct training_verdict *verdict)
{
	struct feature_node planned[LIBLINEAR_NONZEROS + 1];
	const struct feature_node *node = problem->x[i];
	int before = 0;

	verdict->checked++;
	if (plan) {
		const int label = samples_make(plan, (uint64_t)i, planned);

		for (uint64_t k = 0; k <= plan->nonzeros; k++) {
			if (node[k].index == planned[k].index &&
			    (k == plan->nonzeros || node[k].value == planned[k].value))
				continue;
			complain(verdict, "sample %d is not as it was generated", i);
			return;
		}
		if (problem->y[i] != label)
			complain(verdict, "sample %d has another label than generated", i);
		return;
	}
	for (; node->index != -1; node++) {
		if (node->index <= before || node->index > problem->n || !isfinite(node->value)) {
			complain(verdict, "sample %d is damaged", i);
			return;
		}
		before = node->index;
	}
}

static double score_of(const struct model *model, const struct feature_node *node)
{
	double score = 0;

	for (; node->index != -1; node++)
		if (node->index <= model->nr_feature)
			score += model->w[node->index - 1] * node->value;
	return score;
}

/* --- the optimum ------------------------------------------------------------------------------ */

/* log(1 + exp(x)) without overflow. */
static double log1pexp(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

struct optimum {
	double *gradient, *start; /* by feature: of the loss at the model, and at 0 */
	double loss;
};

static void add_sample(const struct problem *problem, const struct model *model, double cost, int i,
		       struct optimum *optimum, struct training_verdict *verdict)
{
	const double y = problem->y[i] == model->label[0] ? 1 : -1;
	const double margin = y * score_of(model, problem->x[i]);
	const double pull = -cost * y / (1 + exp(margin));

	verdict->right += margin > 0;
	optimum->loss += cost * log1pexp(-margin);
	for (const struct feature_node *node = problem->x[i]; node->index != -1; node++) {
		optimum->gradient[node->index - 1] += pull * node->value;
		optimum->start[node->index - 1] -= cost * y * 0.5 * node->value;
	}
}

/* How far 0 is from the subgradients at a weight. */
static double violation_of(double weight, double gradient)
{
	if (weight > 0)
		return fabs(gradient + 1);
	if (weight < 0)
		return fabs(gradient - 1);
	return fabs(gradient) > 1 ? fabs(gradient) - 1 : 0;
}

static void judge_optimum(const struct problem *problem, const struct model *model, double cost,
			  const struct optimum *optimum, struct training_verdict *verdict)
{
	double violation = 0, at_start = 0, norm = 0;

	for (int j = 0; j < problem->n; j++) {
		const double weight = model->w[j];

		if (!isfinite(weight)) {
			complain(verdict, "the weight of feature %d is no number", j + 1);
			return;
		}
		violation += violation_of(weight, optimum->gradient[j]);
		at_start += violation_of(0, optimum->start[j]);
		norm += fabs(weight);
		verdict->nonzeros += weight != 0;
	}
	verdict->violation = at_start > 0 ? violation / at_start : 0;
	verdict->objective_fraction = (norm + optimum->loss) / (cost * (double)problem->l * log(2));
}

int training_check(const struct problem *problem, const struct model *model,
		   const struct samples_plan *plan, double cost, struct training_verdict *verdict,
		   struct err *err)
{
	struct optimum optimum = {
		.gradient = calloc((size_t)problem->n, sizeof(double)),
		.start = calloc((size_t)problem->n, sizeof(double)),
	};

	*verdict = (struct training_verdict){0};
	if (!optimum.gradient || !optimum.start) {
		free(optimum.gradient);
		free(optimum.start);
		return err_set(err, ERR_INTERNAL, "out of memory for the check");
	}
	for (int i = 0; i < problem->l; i++)
		check_sample(problem, plan, i, verdict);
	/* Damaged samples may lead anywhere. */
	for (int i = 0; i < problem->l && verdict->errors == 0; i++)
		add_sample(problem, model, cost, i, &optimum, verdict);
	if (verdict->errors == 0)
		judge_optimum(problem, model, cost, &optimum, verdict);
	free(optimum.gradient);
	free(optimum.start);
	return 0;
}

double training_accuracy(const struct model *model, const struct samples_plan *plan, uint64_t count)
{
	struct feature_node nodes[LIBLINEAR_NONZEROS + 1];
	uint64_t right = 0;

	for (uint64_t i = 0; i < count; i++) {
		const int label = samples_make(plan, plan->samples + i, nodes);
		const int found = model->label[score_of(model, nodes) > 0 ? 0 : 1];

		right += found == label;
	}
	return (double)right / (double)count;
}
