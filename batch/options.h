/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of arenasnap.
 */
#ifndef ARENA_OPTIONS_H
#define ARENA_OPTIONS_H

#include "../core/question.h"

struct options {
	struct question question;	/* its strings are those of argv */
	bool quiet;
	unsigned jobs;			/* workers at once */
	const char *vmlinux;		/* --vmlinux FILE, or NULL */
	const char *vmcoreinfo;		/* --vmcoreinfo FILE, or NULL */
	const char *reduce;		/* --reduce FILE, or NULL */
	char **vmcore;			/* n_vmcores of them, in argv */
	int n_vmcores;
};

/**
 * Parse the command line. Returns -1 to go on, else the exit status: 0 after --help and
 * --version (3 if they could not be
 * printed), 2 after a usage error, which was printed. options_free() either way.
 */
int options_parse(struct options *o, int argc, char **argv);
/** Print a usage error. Returns 2. */
int options_usage(const char *sentence);
void options_free(struct options *o);

#endif
