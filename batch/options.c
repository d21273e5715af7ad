// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
"  -r, --read ADDR      memory at this address, in any of the three forms, as\n"
"                       crash's rd shows it\n"
"  -l LEN               so many bytes of it; else one word\n"
"  -8 -16 -32 -64       words of so many bits, also of -f; else 64\n"
"  -w FILE              write the bytes to FILE instead\n"
"  -u, --users          the sched_ext scheduler; programs and processes that use\n"
"                       each arena, and what its programs printed\n"
"  -c, --check          page tables against the allocator: what is held without a\n"
"                       page, what is wrong, and a verdict for each arena\n"
"  -f, --find VALUE     each place in any arena that has this number, as a word,\n"
"                       or this string ('\"quoted\"' where it looks like a number)\n"
"      --refs ADDR      each word in any arena that points to this address, or\n"
"                       into this page, in any of the three forms\n"
"      --unaligned      -f, --refs: words that begin anywhere, too\n"
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
"Examples: which arena has the address of an oops, and what is there:\n"
"  arenasnap -a ffffc90000455008 vmcore\n"
"  arenasnap -r ffffc90000455008 -l 64 vmcore\n"
"Are the page tables of arena 9 what its allocator says:\n"
"  arenasnap -c -m 9 vmcore\n"
"Which words have 0xdeadbeef in their 32 bits, and who points to an address:\n"
"  arenasnap -f 0xdeadbeef -32 vmcore\n"
"  arenasnap --refs 7f1200002040 vmcore\n"
"Which programs and processes use arena 9:\n"
"  arenasnap -u -m 9 vmcore\n"
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
	OPT_REDUCE = QUESTION_OWN, OPT_VMLINUX, OPT_VMCOREINFO, OPT_JOBS, OPT_HELP, OPT_VERSION
};

static const struct option long_options[] = {
	QUESTION_OPTIONS,
	{ "reduce", required_argument, NULL, OPT_REDUCE },
	{ "vmlinux", required_argument, NULL, OPT_VMLINUX },
	{ "vmcoreinfo", required_argument, NULL, OPT_VMCOREINFO },
	{ "jobs", required_argument, NULL, OPT_JOBS },
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

static int take_own(struct options *o, int c)
{
	uint64_t jobs;

	switch (c) {
	case OPT_REDUCE:
		o->reduce = optarg;
		return -1;
	case OPT_VMLINUX:
		o->vmlinux = optarg;
		return -1;
	case OPT_VMCOREINFO:
		o->vmcoreinfo = optarg;
		return -1;
	case OPT_JOBS:
		if (!question_count(optarg, &jobs) || jobs > MAX_JOBS)
			return usage("--jobs: not a number from 1 to 256: ", optarg);
		o->jobs = (unsigned)jobs;
		return -1;
	case 'q':
		o->quiet = true;
		return -1;
	case OPT_HELP:
		return print(help);
	case OPT_VERSION:
		return print("arenasnap " ARENA_VERSION "\n");
	default:
		fputs("Try 'arenasnap --help'.\n", stderr);
		return 2;
	}
}

static int take(struct options *o, int c)
{
	const char *sentence;
	char text[128];

	switch (question_take(&o->question, c, optarg, &sentence)) {
	case QUESTION_TAKEN:
		return -1;
	case QUESTION_WRONG:
		snprintf(text, sizeof(text), "%s: ", sentence);
		return usage(text, optarg);
	case QUESTION_NOT_SHARED:
		break;
	}
	return take_own(o, c);
}

int options_parse(struct options *o, int argc, char **argv)
{
	const char *sentence;
	int c, status = -1;

	*o = (struct options){ .jobs = 1 };
	if (!question_init(&o->question, argc))
		return usage("out of memory", "");
	while (status < 0 &&
	       (c = getopt_long(argc, argv, QUESTION_LETTERS "q", long_options, NULL)) != -1)
		status = take(o, c);
	if (status >= 0)
		return status;
	o->vmcore = argv + optind;
	o->n_vmcores = argc - optind;
	sentence = question_check(&o->question);
	if (sentence)
		return usage(sentence, "");
	return o->n_vmcores ? -1 : usage("no VMCORE given", "");
}

void options_free(struct options *o)
{
	question_free(&o->question);
}
