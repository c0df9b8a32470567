# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The calls that engines make of the runtime: a program that writes them down, and the comparison with
# tests/engines/calls, the table of those that are known.

calls_table=$(cd "$(dirname "${BASH_SOURCE[0]}")/../engines" && pwd)/calls

# calls_recorder PROGRAM RUNTIME FILE: makes PROGRAM, which adds a line to FILE and is RUNTIME from there. A line
# is written at once, since many may write.
calls_recorder() {
	cat >"$1.new" <<-RECORDER
		#!/bin/sh
		IFS='	'
		printf '%s\n' "\$*" >>'$3'
		exec '$2' "\$@"
	RECORDER
	chmod 755 "$1.new"
	mv "$1.new" "$1"
}

# calls_shapes FILE: the calls in it, one form a line
calls_shapes() {
	awk -F'\t' '
	BEGIN {
		split("--root --log --log-format --cgroup-manager --bundle --pid-file --process --console-socket " \
			"--preserve-fds --resources --image-path --work-path --format", names, " ")
		for (i in names)
			valued[names[i]] = 1
	}
	{
		shape = ""; words = 0; command = ""
		for (i = 1; i <= NF; i++) {
			if (match($i, /^--[a-z-]+=/) && valued[substr($i, 1, RLENGTH - 1)])
				word = substr($i, 1, RLENGTH)
			else if ($i ~ /^-./)
				word = $i
			else if (++words == 1)
				command = word = $i
			else if (words == 2)
				word = "ID"
			else if (words == 3 && command == "kill")
				word = "SIGNAL"
			else
				word = $i
			shape = shape (shape == "" ? "" : " ") word
			if (valued[$i])
				i++
		}
		if (!seen[shape]++)
			print shape
	}' "$1"
}

# calls_known CALLER...: a regular expression of all forms of these
calls_known() {
	local callers
	callers=$(IFS='|'; echo "$*")
	grep -E "^($callers)	" "$calls_table" | cut -f 2 |
		sed 's/\[\([^]]*\)\] /(\1 )?/g' | paste -sd'|' | sed 's/.*/^(&)$/'
}

# calls_unknown FILE CALLER...: prints the forms of calls that none of these makes; false when there are any
calls_unknown() {
	local file=$1
	shift
	! calls_shapes "$file" | grep -vE "$(calls_known "$@")"
}
