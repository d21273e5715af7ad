// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * arenasnap: what was in every BPF arena, from the vmcore alone.
 */
#include <stdio.h>

#include "worker.h"

int main(int argc, char **argv)
{
	struct options o;
	int status = options_parse(&o, argc, argv);

	for (int i = 0; status != 2 && i < o.n_vmcores && o.vmcore; i++) {
		int one;

		if (o.n_vmcores > 1 && !o.json) {
			printf("%s%s:\n", i ? "\n" : "", o.vmcore[i]);
			fflush(stdout);
		}
		one = worker_run(&o, o.vmcore[i]);
		if (one > status)
			status = one;
	}
	options_free(&o);
	/* a full disk shows only now */
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "arenasnap: standard output: write error\n");
		return REPORT_FAILED;
	}
	return status < 0 ? 0 : status;
}
