# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # status and output are bats'
#
# For the bats files about bock-runc, instead of common.bash:
#
#	setup() {
#		load ../helpers/runc
#		runc_setup
#	}
#	teardown() { common_teardown; }
#
# $B is where the test's bundle goes; nothing is made there yet.

# shellcheck source=tests/helpers/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
export RUNC_HELPERS
RUNC_HELPERS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

runc_setup() {
	common_setup
	need_root
	need_program runc
	need_busybox
	need_cmd jq
	B=$T/b
}

# bundle ARG...: the test's bundle, running ARGs
bundle() { bundle_make "$B" "$@"; }

# A bundle whose container does nothing until it is killed, and is found by the test's id.
sleeper() { bundle sh -c 'sleep 1000 & wait' "$ID"; }

edit() { bundle_edit "$B" "$@"; }
args() { bundle_args "$B" "$@"; }

# run_it [OPTION...]: bats' run of `bock-runc run`, its stderr in $stderr
run_it() { run --separate-stderr bock_runc run -b "$B" "$@" "$ID"; }

# detached COMMAND...: the same for what leaves a container behind, which keeps the stdout it was given
detached() {
	status=0
	bock_runc "$@" >"$T/.stdout" 2>"$T/.stderr" </dev/null 3>&- || status=$?
	output=$(<"$T/.stdout")
	stderr=$(<"$T/.stderr")
}

status_of() { bock_runc state "$ID" | jq -r .status; }
pid_of() { bock_runc state "$ID" | jq -r .pid; }
is() { [ "$(status_of)" = "$1" ]; } # for wait_for

assert_is() {
	local now
	now=$(status_of) || return 1
	[ "$now" = "$1" ] || fail "the container is $now, expected $1"
}

# assert_error WORDS: the last run failed with 1, saying WORDS on stderr, one line from bock-runc
assert_error() {
	[ "$status" -eq 1 ] || fail "status $status, expected 1; stderr: $stderr; output: $output" || return 1
	[[ $stderr == *"$1"* ]] || fail "'$1' is not in stderr: $stderr"
}

# The last run succeeded and printed nothing but, if given, $1.
assert_ok() {
	[ "$status" -eq 0 ] || fail "status $status; stderr: $stderr; output: $output" || return 1
	[ -z "$stderr" ] || fail "stderr: $stderr" || return 1
	[ $# -eq 0 ] || [ "$output" = "$1" ] || fail "output: $output
expected: $1"
}
