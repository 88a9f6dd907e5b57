// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emulator/frame.h"
#include "emulator/qemu.h"

/*
 * What the guest's kernel is told. Each saves time under TCG or makes runs alike; none changes how
 * page tables are made. docs/EMULATOR.md has the reasons and what each saves.
 */
static const char kernel_command_line[] =
	"console=ttyS0 quiet panic=-1 oops=panic nokaslr norandmaps mitigations=off "
	"cgroup_disable=memory init_on_alloc=0 transparent_hugepage=madvise tsc=reliable no_timer_check cryptomgr.notests "
	"rcupdate.rcu_expedited=1 rcupdate.rcu_normal_after_boot=1 apparmor=0 audit=0 "
	"ipv6.disable=1 8250.nr_uarts=1 thash_entries=1024 uhash_entries=256 "
	"initcall_blacklist=jent_mod_init,load_system_certificate_list,init_encrypted,cec_init,"
	"digsig_init,nvme_core_init";

struct arguments {
	char **list; /* always ended by NULL */
	size_t count;
	bool failed;
};

static void append(struct arguments *arguments, char *text)
{
	char **larger = realloc(arguments->list, (arguments->count + 2) * sizeof(*larger));

	if (larger)
		arguments->list = larger;
	if (!larger || !text) {
		free(text);
		arguments->failed = true;
		return;
	}
	larger[arguments->count++] = text;
	larger[arguments->count] = NULL;
}

__attribute__((format(printf, 2, 3))) static void add(struct arguments *arguments,
						      const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	append(arguments, text);
}

static void add_all(struct arguments *arguments, const char *const *list)
{
	for (; *list; list++)
		add(arguments, "%s", *list);
}

/* A comma in a value of QEMU's option syntax is written twice; the result is malloc'd. */
static char *escape_commas(const char *text)
{
	char *copy = malloc(2 * strlen(text) + 1), *out = copy;

	for (; copy && *text; text++) {
		if (*text == ',')
			*out++ = ',';
		*out++ = *text;
	}
	if (copy)
		*out = '\0';
	return copy;
}

static void add_machine(struct arguments *arguments, const struct qemu_spec *spec)
{
	const struct profile *profile = spec->profile;
	const int nodes = (int)profile->nr_nodes, cpus = (int)profile->cpus_per_node;

	add(arguments, "-machine");
	add(arguments, "pc,max-ram-below-4g=%llu", (unsigned long long)LAYOUT_LOW_BYTES);
	/* With "fast" string instructions the kernel clears a page by a REP STOSB of 4096 steps,
	 * which TCG emulates one by one: touching memory took half as long again. */
	add(arguments, "-cpu");
	add(arguments, "max,-erms,la57=%s", profile->la57 ? "on" : "off");
	add(arguments, "-smp");
	add(arguments, "%d,sockets=%d,cores=%d,threads=1", nodes * cpus, nodes, cpus);
	add(arguments, "-m");
	add(arguments, "%lluB", (unsigned long long)spec->layout->total_bytes);
}

static void add_nodes(struct arguments *arguments, const struct qemu_spec *spec)
{
	const struct layout *layout = spec->layout;

	for (int i = 0; i < layout->nr_nodes; i++) {
		add(arguments, "-object");
		add(arguments,
		    "memory-backend-file,id=mem%d,size=%llu,mem-path=/proc/self/fd/%d,share=on", i,
		    (unsigned long long)layout->node_bytes[i], spec->node_fds[i]);
		add(arguments, "-numa");
		add(arguments, "node,nodeid=%d,memdev=mem%d", i, i);
		add(arguments, "-numa");
		add(arguments, "cpu,node-id=%d,socket-id=%d", i, i);
	}
	for (int from = 0; from < layout->nr_nodes; from++)
		for (int to = 0; to < layout->nr_nodes; to++) {
			add(arguments, "-numa");
			add(arguments, "dist,src=%d,dst=%d,val=%d", from, to,
			    (int)spec->profile->distance[from][to]);
		}
}

static void add_channels(struct arguments *arguments, const struct qemu_spec *spec)
{
	add(arguments, "-chardev");
	add(arguments, "socket,id=console,fd=%d", spec->console_fd);
	add(arguments, "-serial");
	add(arguments, "chardev:console");
	add(arguments, "-chardev");
	add(arguments, "socket,id=result,fd=%d", spec->result_fd);
	add(arguments, "-device");
	add(arguments, "virtio-serial-pci");
	add(arguments, "-device");
	add(arguments, "virtserialport,chardev=result,name=%s", FRAME_PORT);
}

/* "0/0/1/1": the node of each vCPU. */
static void format_vcpu_nodes(const struct profile *profile, char *text, size_t size)
{
	size_t used = 0;

	for (unsigned node = 0; node < profile->nr_nodes; node++)
		for (unsigned cpu = 0; cpu < profile->cpus_per_node && used + 4 < size; cpu++)
			used += (size_t)snprintf(text + used, size - used, "%s%u", used ? "/" : "",
						 node);
}

static void add_plugin(struct arguments *arguments, const struct qemu_spec *spec)
{
	const struct layout *layout = spec->layout;
	char vcpu_nodes[4 * ROI_VCPUS_MAX] = "", memory[128 * ROI_NODES_MAX] = "";
	char *plugin = escape_commas(spec->plugin), *profile = escape_commas(spec->profile_path);
	size_t used = 0;

	format_vcpu_nodes(spec->profile, vcpu_nodes, sizeof(vcpu_nodes));
	for (int i = 0; i < layout->nr_nodes; i++)
		used += (size_t)snprintf(memory + used, sizeof(memory) - used,
					 ",mem%d_fd=%d,mem%d_bytes=%llu", i, spec->node_fds[i], i,
					 (unsigned long long)layout->node_bytes[i]);
	add(arguments, "-plugin");
	add(arguments,
	    "%s,profile=%s,scale=%.17g,nodes=%d%s,below_4g_bytes=%llu,vcpu_nodes=%s,log_fd=%d",
	    plugin ? plugin : "", profile ? profile : "", spec->scale, layout->nr_nodes, memory,
	    (unsigned long long)layout->below_4g_bytes, vcpu_nodes, STDERR_FILENO);
	arguments->failed |= !plugin || !profile;
	free(plugin);
	free(profile);
}

static void add_foreign_plugin(struct arguments *arguments, const struct qemu_spec *spec)
{
	char *plugin = escape_commas(spec->plugin);

	add(arguments, "-plugin");
	add(arguments, "%s,log_fd=%d", plugin ? plugin : "", STDERR_FILENO);
	arguments->failed |= !plugin;
	free(plugin);
}

/* What is given comes last: for most options the kernel takes the last of several. */
static void add_command_line(struct arguments *arguments, const struct qemu_spec *spec)
{
	const char *given = spec->kernel_arguments ? spec->kernel_arguments : "";
	char cpus[32] = "";

	if (spec->cpus > 0)
		snprintf(cpus, sizeof(cpus), " maxcpus=%d", spec->cpus);
	add(arguments, "-append");
	add(arguments, "%s%s%s%s", kernel_command_line, cpus, *given ? " " : "", given);
}

/*
 * With one host thread per vCPU, QEMU 7.2 may run a stale translation of code that another vCPU has
 * just patched: the kernel then meets the int3 of a static key that is set already ("Oops: int3"),
 * or worse, and panics, in about one boot of fifty. So the vCPUs of guests of this size take turns
 * on one thread: a guest with one CPU at work and one for the harness loses nothing by that, one
 * with four at most half its speed on two CPUs.
 */
#define TURNS_MAX_CPUS 4

static void add_accelerator(struct arguments *arguments, const struct qemu_spec *spec)
{
	const int all = (int)(spec->profile->nr_nodes * spec->profile->cpus_per_node);
	const int cpus = spec->cpus > 0 ? spec->cpus : all;
	/* Counting instructions takes a single thread, too. */
	const bool take_turns = cpus <= TURNS_MAX_CPUS || spec->clock_by_instructions;

	add(arguments, "-accel");
	add(arguments, "tcg,thread=%s", take_turns ? "single" : "multi");
	if (spec->clock_by_instructions) {
		/* Four nanoseconds for each: waiting loops at boot take as many instructions. */
		add(arguments, "-icount");
		add(arguments, "shift=2,sleep=on");
	}
}

char **qemu_arguments(const struct qemu_spec *spec, struct err *err)
{
	static const char *const fixed[] = {"-nodefaults", "-no-user-config", "-display",
					    "none",        "-no-reboot",      NULL};
	struct arguments arguments = {0};

	add(&arguments, "%s", spec->program);
	add_accelerator(&arguments, spec);
	add_all(&arguments, fixed);
	add_machine(&arguments, spec);
	add_nodes(&arguments, spec);
	add_channels(&arguments, spec);
	add(&arguments, "-kernel");
	add(&arguments, "%s", spec->kernel);
	add(&arguments, "-initrd");
	add(&arguments, "/proc/self/fd/%d", spec->initramfs_fd);
	add_command_line(&arguments, spec);
	if (spec->plugin && spec->plugin_is_foreign)
		add_foreign_plugin(&arguments, spec);
	else if (spec->plugin)
		add_plugin(&arguments, spec);
	if (!arguments.failed)
		return arguments.list;
	qemu_free_arguments(arguments.list);
	err_set(err, ERR_INTERNAL, "out of memory for QEMU's command line");
	return NULL;
}

void qemu_free_arguments(char **arguments)
{
	for (char **argument = arguments; argument && *argument; argument++)
		free(*argument);
	free(arguments);
}
