// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * arenasnap: what was in every BPF arena, from the vmcore alone.
 */
#include "pool.h"

int main(int argc, char **argv)
{
	struct options o;
	int status = options_parse(&o, argc, argv);

	if (status < 0)
		status = pool_run(&o);
	options_free(&o);
	return status;
}
