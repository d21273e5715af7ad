/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crash(8), as the rest of the extension sees it. crash.c alone includes crash's header.
 */
#ifndef ARENA_CRASH_H
#define ARENA_CRASH_H

#include "../core/memory.h"
#include "../core/sink.h"

/** The path of the dump, or "-". Borrowed for the session. */
const char *crash_vmcore(void);
/** The path of crash's vmlinux, or NULL. */
const char *crash_vmlinux(void);
/** Its memory changes while we look. */
bool crash_is_live(void);
/** Of which machine this crash is: "x86_64", "aarch64". */
const char *crash_machine(void);
/** crash's reader gives zeros for what its dump file does not hold, and does not say so. */
bool crash_invents_zeros(void);

/** Physical memory as crash reads it, within one page; the state that crash's answer means. */
enum state crash_read(uint64_t phys, void *buf, size_t n);

/** Address of a symbol of the kernel, in the running kernel if crash knows where that lies. */
bool crash_symbol(const char *name, uint64_t *addr);
/** Physical address of a symbol's address: of the image, where no page table is needed. */
bool crash_image_phys(uint64_t addr, uint64_t *phys);
/** Byte offset and size by crash's debug symbols; -1: not there. @anonymous: look deeper. */
long crash_member_offset(const char *type, const char *member, bool anonymous);
long crash_member_size(const char *type, const char *member);
bool crash_has_struct(const char *type);
/** Bytes. */
long crash_struct_size(const char *type);

/**
 * Where the command writes: crash's fp, wherever that goes. With @files the command goes on
 * without it.
 */
struct crash_output {
	bool files;
	bool gone;		/* its pager or disk takes no more */
	int error;		/* errno, if it is neither the pager nor the user; else 0 */
	char last;		/* character that was written last */
};
bool crash_write(void *output, const char *text, size_t n);
/** Say a sentence through crash, where fp takes no more. */
void crash_complain(const char *sentence);

/**
 * Around the command. In between Ctrl-C only sets a flag: crash's own handler leaves by longjmp
 * from wherever it hits. If the command is left by crash's longjmp nevertheless, crash calls
 * @cleanup, after all that crash_begin() changed was put back.
 */
void crash_begin(void (*cleanup)(void));
void crash_end(void);
bool crash_stopped(void);

/**
 * Around what asks crash's gdb: that installs crash's handler by itself, and Ctrl-C may leave
 * from here by longjmp.
 */
void crash_gdb_begin(void);
void crash_gdb_end(void);

/** The command, called by crash with its arguments; @argv[0] is "arena". Defined in command.c. */
enum command_result { COMMAND_DONE, COMMAND_USAGE };
enum command_result arena_command(int argc, char **argv);
/** The library is about to go. */
void arena_unload(void);

/** The text of "help arena", in crash's own form. */
extern char *arena_help[];

#endif
