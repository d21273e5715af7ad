/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crash(8), as the rest of the extension sees it. crash.c alone includes crash's header.
 */
#ifndef ARENA_CRASH_H
#define ARENA_CRASH_H

#include "../core/memory.h"
#include "../core/sink.h"

/** Physical memory behind crash's pc->readmem, with our own map of the dump file in front. */
struct crash_memory;

/** NULL with @why: crash reads no dump file, or one that our map does not know. */
struct crash_memory *crash_memory_open(struct fault *why);
void crash_memory_close(struct crash_memory *m);
/** Borrowed until crash_memory_close(). */
const struct memory *crash_memory(const struct crash_memory *m);

/** The path of the dump, or "-". */
const char *crash_vmcore(void);

/** Write to crash's fp, wherever that goes; false when its pager is gone or the user stopped. */
bool crash_write(void *ctx, const char *text, size_t n);

/**
 * From here to crash_signals_end() Ctrl-C only sets a flag: crash's own handler leaves by
 * longjmp from wherever it hits. crash_stopped(): the flag is set.
 */
void crash_signals_begin(void);
void crash_signals_end(void);
bool crash_stopped(void);

/** The command, called by crash with its arguments; @argv[0] is "arena". Defined in command.c. */
enum command_result { COMMAND_DONE, COMMAND_USAGE };
enum command_result arena_command(int argc, char **argv);

/** The text of "help arena", in crash's own form. */
extern char *arena_help[];

#endif
