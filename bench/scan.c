// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scan [-n RUNS] VMCORE: CPU seconds that it takes to read every stored page once, in file
 * order, and that scan_pages() takes, run by turns in one process; and its peak memory in KiB.
 * One line: "READ SCAN KIB CANDIDATES", medians.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../batch/source.h"
#include "../core/scan.h"

enum { MAX_RUNS = 99, MAX_PAGE = 65536 };

static double cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *seconds, int n)
{
	qsort(seconds, (size_t)n, sizeof(*seconds), ascending);
	return seconds[n / 2];
}

static bool count(void *ctx, uint64_t phys)
{
	(void)phys;
	++*(uint64_t *)ctx;
	return true;
}

static bool unread(void *ctx, uint64_t phys, enum state state)
{
	(void)ctx;
	(void)phys;
	(void)state;
	return true;
}

/* The same reads, and nothing else. */
static void read_all(const struct kernel *k)
{
	static uint8_t page[MAX_PAGE];
	uint64_t n;

	for (uint64_t phys = 0; memory_next(k->mem, &phys, &n); phys += n)
		for (uint64_t at = 0; at < n; at += k->page_size)
			memory_peek(k->mem, phys + at, page, (size_t)k->page_size);
}

static double scan_all(const struct kernel *k, uint64_t *found)
{
	const struct scan_visitor visitor = { count, count, count, count, unread, found };
	double start = cpu();
	struct fault why;

	*found = 0;
	if (!scan_pages(k, &visitor, &why)) {
		fprintf(stderr, "scan: %s\n", why.text);
		exit(EXIT_FAILURE);
	}
	return cpu() - start;
}

static void measure(const struct kernel *k, int runs)
{
	double read[MAX_RUNS], scan[MAX_RUNS];
	struct rusage u;
	uint64_t found;

	read_all(k);		/* fills the page cache */
	for (int i = 0; i < runs; i++) {
		double start = cpu();

		read_all(k);
		read[i] = cpu() - start;
		scan[i] = scan_all(k, &found);
	}
	getrusage(RUSAGE_SELF, &u);
	printf("%.6f %.6f %ld %" PRIu64 "\n", median(read, runs), median(scan, runs), u.ru_maxrss,
	       found);
}

static struct source *open_source(const char *path, struct fault *why)
{
	FILE *scratch = tmpfile();
	struct source_file file = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct stat st;

	if (!scratch || file.fd < 0 || fstat(file.fd, &st)) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	file.size = (uint64_t)st.st_size;
	file.scratch = fileno(scratch);
	return source_open(&file, 1, -1, why);
}

int main(int argc, char **argv)
{
	struct source *source;
	struct kernel *k;
	struct fault why;
	int runs = 5, opt;

	while ((opt = getopt(argc, argv, "n:")) == 'n')
		runs = atoi(optarg);
	if (opt != -1 || optind + 1 != argc || runs < 1 || runs > MAX_RUNS) {
		fprintf(stderr, "usage: scan [-n RUNS] VMCORE\n");
		return 2;
	}
	source = open_source(argv[optind], &why);
	k = source ? kernel_open(source_memory(source), &why) : NULL;
	if (!k) {
		fprintf(stderr, "scan: %s: %s\n", argv[optind], why.text);
		return EXIT_FAILURE;
	}
	measure(k, runs);
	kernel_close(k);
	source_close(source);
	return EXIT_SUCCESS;
}
