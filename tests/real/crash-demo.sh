#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Show the command in crash on a recorded dump. Fetches the kernel's debug symbols (1 GB) once.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
repo=$here/../..
dump=$repo/fixtures/vmcores/x86_64-6.12-panic-d31.kdump
release=6.12.107+deb13-amd64

vmlinux=$("$here/vmlinux.sh" "$release") || exit 1
crash=$(command -v crash || :)
[ -n "$crash" ] || crash="$here/crash.sh 8.0.6"
# 8.0.2 does not recognise KASLR of 6.12 by itself; --minimal takes 5 seconds, not 15
set -- --minimal --kaslr=auto "$vmlinux" "$dump"
echo "\$ crash $*"
# crash does not repeat what it reads from a pipe
ask()
{
	printf "!echo 'crash> %s'\n%s\n" "$1" "$1"
}
{
	echo 'set scroll off'
	ask "extend $repo/arena.so"
	ask 'arena'
	ask 'arena huge4g'
	ask 'arena -p huge4g'
	ask 'help arena'
	echo 'quit'
} | $crash -s "$@"
