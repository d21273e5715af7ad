// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../core/question.h"
#include "fileio.h"
#include "message.h"

static const char help[] =
"Usage: arenasnap [OPTION]... VMCORE...\n"
"Show what was in every BPF arena of a dead Linux kernel, from the vmcore alone.\n"
"\n"
"  -m, --arena ARENA    only this arena: id, name, or any address of it; may be\n"
"                       repeated; alone it means -v\n"
"  -v, --verbose        all fields of each arena, and where the facts came from\n"
"  -a, --address ADDR   which arena this address lies in (user, kernel or\n"
"                       low 32 bits; hexadecimal), and what is there\n"
"  -p, --pages          one line for each page\n"
"      --runs           with -p: join neighbours to one line\n"
"  -j, --json           one JSON object for each vmcore; pages too with -p\n"
"  -o, --output DIR     write DIR/snapshot.json and DIR/ID.bin, the contents of\n"
"                       each arena; DIR must be new or empty\n"
"      --reduce FILE    write a small kdump that gives the same answers\n"
"      --vmlinux FILE   vmlinux of the kernel, with debug symbols, for what the\n"
"                       dump does not give\n"
"      --vmcoreinfo FILE\n"
"                       VMCOREINFO as text or note, where the dump has none\n"
"      --max-pages N    at most N pages of each arena\n"
"      --scan           look for arenas in every stored page, too\n"
"      --jobs N         so many vmcores at once; answers stay in order\n"
"      --no-headings    no headings in the tables\n"
"  -q, --quiet          no progress and no messages; see the exit status\n"
"      --help           print this\n"
"      --version        print the version\n"
"\n"
"ARENA: 0x... is an address; digits are an id and a hexadecimal address;\n"
"anything else is a name, name:X always.\n"
"FLAGS in the list: T truncated, M contents missing, S scratch pages, O pages\n"
"outside of what is declared, C declared more than 4 GiB, L struct lost, N being\n"
"made, D being freed.\n"
"\n"
"Exit status: 0 complete, 1 in part, 2 usage or refused output, 3 failed.\n";

/* Each worker is a process with open files. */
enum { MAX_JOBS = 256 };

enum {
	OPT_RUNS = 256, OPT_REDUCE, OPT_VMLINUX, OPT_VMCOREINFO, OPT_MAX_PAGES, OPT_SCAN, OPT_JOBS,
	OPT_NO_HEADINGS, OPT_HELP, OPT_VERSION
};

static const struct option long_options[] = {
	{ "arena", required_argument, NULL, 'm' },
	{ "address", required_argument, NULL, 'a' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "pages", no_argument, NULL, 'p' },
	{ "runs", no_argument, NULL, OPT_RUNS },
	{ "json", no_argument, NULL, 'j' },
	{ "output", required_argument, NULL, 'o' },
	{ "reduce", required_argument, NULL, OPT_REDUCE },
	{ "vmlinux", required_argument, NULL, OPT_VMLINUX },
	{ "vmcoreinfo", required_argument, NULL, OPT_VMCOREINFO },
	{ "max-pages", required_argument, NULL, OPT_MAX_PAGES },
	{ "scan", no_argument, NULL, OPT_SCAN },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "no-headings", no_argument, NULL, OPT_NO_HEADINGS },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int usage(const char *text, const char *what)
{
	char sentence[512];

	snprintf(sentence, sizeof(sentence), "%s%s", text, what);
	message(STDERR_FILENO, NULL, sentence);
	fputs("Try 'arenasnap --help'.\n", stderr);
	return 2;
}

int options_usage(const char *sentence)
{
	return usage(sentence, "");
}

static int print(const char *text)
{
	int out = STDOUT_FILENO;

	if (write_fd(&out, text, strlen(text)))
		return 0;
	message(STDERR_FILENO, "standard output", strerror(errno));
	return REPORT_FAILED;
}

/* What the options say together. */
static int check(struct options *o, bool verbose, bool pages, const char *address)
{
	struct question q = {
		.report = o->report, .verbose = verbose, .pages = pages, .runs = o->runs,
		.json = o->json, .address = address,
	};
	const char *sentence = question_check(&q, &o->view);

	o->report = q.report;
	if (sentence)
		return usage(sentence, "");
	if (!o->n_vmcores)
		return usage("no VMCORE given", "");
	return -1;
}

int options_parse(struct options *o, int argc, char **argv)
{
	const char **select = calloc((size_t)argc + 1, sizeof(*select));
	bool verbose = false, pages = false;
	const char *address = NULL;
	uint64_t jobs;
	int c;

	*o = (struct options){ .view = VIEW_LIST, .headings = true, .jobs = 1 };
	o->report.select = select;
	if (!select)
		return usage("out of memory", "");
	while ((c = getopt_long(argc, argv, "m:a:vpjo:q", long_options, NULL)) != -1) {
		switch (c) {
		case 'm':
			select[o->report.n_select++] = optarg;
			break;
		case 'a':
			address = optarg;
			break;
		case 'v':
			verbose = true;
			break;
		case 'p':
			pages = true;
			break;
		case OPT_RUNS:
			o->runs = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'o':
			o->output = optarg;
			break;
		case OPT_REDUCE:
			o->reduce = optarg;
			break;
		case OPT_VMLINUX:
			o->vmlinux = optarg;
			break;
		case OPT_VMCOREINFO:
			o->vmcoreinfo = optarg;
			break;
		case OPT_MAX_PAGES:
			if (!question_count(optarg, &o->report.max_pages))
				return usage("--max-pages: not a number of pages: ", optarg);
			break;
		case OPT_SCAN:
			o->report.scan = true;
			break;
		case OPT_JOBS:
			if (!question_count(optarg, &jobs) || jobs > MAX_JOBS)
				return usage("--jobs: not a number from 1 to 256: ", optarg);
			o->jobs = (unsigned)jobs;
			break;
		case OPT_NO_HEADINGS:
			o->headings = false;
			break;
		case 'q':
			o->quiet = true;
			break;
		case OPT_HELP:
			return print(help);
		case OPT_VERSION:
			return print("arenasnap " ARENA_VERSION "\n");
		default:
			fputs("Try 'arenasnap --help'.\n", stderr);
			return 2;
		}
	}
	o->vmcore = argv + optind;
	o->n_vmcores = argc - optind;
	return check(o, verbose, pages, address);
}

void options_free(struct options *o)
{
	free((void *)o->report.select);
}
