// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An extension that ends other commands of crash: from its reader, as a helper that fails does.
 *
 *   bomb N DIR       the Nth page that is read ends the command, by error(FATAL). First what is
 *                    in DIR is listed
 *   bomb             what is left: hooks, Ctrl-C's handler, zero_excluded, open files
 *   bomb machine X   crash says that it is built for X
 */
#include <defs.h>

#include <dirent.h>
#include <signal.h>

static long reads;
static char dir[512];
static int (*readmem_before)(int, void *, int, ulong, physaddr_t);

static int list(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static int failing(int fd, void *buf, int n, ulong addr, physaddr_t phys)
{
	if (--reads > 0)
		return readmem_before(fd, buf, n, addr, phys);
	pc->readmem = readmem_before;
	/* . and .. */
	fprintf(fp, "\nbomb: files in the folder: %d\n", list(dir) > 2 ? list(dir) - 2 : 0);
	error(FATAL, "bomb went off\n");
	return -1;
}

static void report(void)
{
	struct sigaction now;

	sigaction(SIGINT, NULL, &now);
	fprintf(fp, "cleanup %s, sigint %s, zero_excluded %s, reader %s, files %d\n",
		pc->cmd_cleanup ? "set" : "none",
		now.sa_handler == restart ? "crash's" : "another",
		*diskdump_flags & ZERO_EXCLUDED ? "on" : "off",
		pc->readmem == failing ? "the bomb" : "crash's", list("/proc/self/fd"));
}

static void cmd_bomb(void)
{
	if (argcnt == 3 && !strcmp(args[1], "machine")) {
		pc->machine_type = strdup(args[2]);
	} else if (argcnt == 3) {
		if (pc->readmem != failing)
			readmem_before = pc->readmem;
		reads = atol(args[1]);
		snprintf(dir, sizeof(dir), "%s", args[2]);
		pc->readmem = failing;
	} else {
		if (pc->readmem == failing)
			pc->readmem = readmem_before;
		report();
	}
}

static char *help[] = { "bomb", "ends other commands", "N DIR", "  For tests.", NULL };
static struct command_table_entry commands[] = {
	{ "bomb", cmd_bomb, help, MINIMAL },
	{ NULL, NULL, NULL, 0 },
};

__attribute__((constructor)) static void bomb_register(void)
{
	register_extension(commands);
}
