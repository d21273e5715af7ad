#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Show arenasnap on recorded dumps: the list, one arena, its pages, JSON; and, of a guest that
# was dumped at work, who uses an arena, what its allocator says, and where a CPU was.

set -eu

cd "$(dirname "$0")/.."
dump=fixtures/vmcores/x86_64-6.12-panic-d31.kdump
live=fixtures/vmcores/x86_64-7.3-qemu-ask.kdump

show()
{
	echo
	echo "\$ $*" | sed "s/ '\\([a-z_]*\\)'/ \\1/g"
	"$@"
}

echo "A Debian kernel 6.12 made 30 arenas and paniced; kdump wrote this file:"
ls -l "$dump" | awk '{ print "  " $NF ", " $5 " bytes" }'
show ./arenasnap "$dump"
show ./arenasnap -m huge4g "$dump"
show ./arenasnap -m huge4g -p "$dump"
echo
echo "\$ ./arenasnap -j $dump | cut -c1-400"
./arenasnap -j "$dump" | cut -c1-400
echo
echo "Linux 7.3 with the scheduler scx_qmap. CPU 1 was in a program's access to an arena:"
echo
echo "\$ ./arenasnap $live | head -n 9"
./arenasnap "$live" | head -n 9
show ./arenasnap -u -m faults "$live"
show ./arenasnap -c -m scratch "$live"
echo
echo "Next: ./arenasnap --help; make check"
