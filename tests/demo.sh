#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Show arenasnap on a recorded dump: the list, one arena, its pages, JSON.

set -eu

cd "$(dirname "$0")/.."
dump=fixtures/vmcores/x86_64-6.12-panic-d31.kdump

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
echo "Next: ./arenasnap --help; make check"
