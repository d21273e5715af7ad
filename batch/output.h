/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder of -o, over a socket: the parent alone makes, names and removes files in it; the
 * worker asks for each by name and gets it open for writing.
 */
#ifndef ARENA_OUTPUT_H
#define ARENA_OUTPUT_H

#include "folder.h"

/** Answer one request on @socket. False: the other side has closed it. */
bool output_serve(struct folder *folder, int socket);

/** In the worker: the file @name of the folder, open for writing, or -1. */
int output_request(int socket, const char *name);

#endif
