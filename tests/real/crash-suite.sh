# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034
#
# Sourced: takes VERSION from the arguments; sets version, and suite, the Debian suite that has it.

usage="usage: $(basename "$0") VERSION [ARG]...   (VERSION: 8.0.2, 8.0.6, 9.0.2)"
case ${1:-} in
8.0.2) suite=bookworm ;;
8.0.6) suite=trixie ;;
9.0.2) suite=forky ;;
-h) echo "$usage"; exit 0 ;;
*) echo "$usage" >&2; exit 2 ;;
esac
version=$1
shift
