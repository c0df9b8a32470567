# SPDX-License-Identifier: Apache-2.0
# The table of how engines call the runtime (tests/engines/calls): there is no form that bock-runc does not know.

setup() {
	load ../helpers/common
	load ../helpers/calls
	common_setup
	need_program runc
}
teardown() { common_teardown; }

# calls: the table's forms, each as long as it can be and as short, with values and without an engine's name
calls() {
	grep -vE '^(#|$)' "$calls_table" | cut -f 2 | awk '{ long = short = $0
		gsub(/[][]/, "", long); gsub(/\[[^]]*\] /, "", short)
		print long; if (short != long) print short }' | sort -u |
		sed -E "s|--root=|&$STATE|; s|--root |&$STATE |; s|--log |&$T/log |; s|--log-format=|&json|; s|--log-format |&json |
			s|--cgroup-manager|& disabled|; s|--(bundle)|& $T/no-bundle|; s|--(pid-file\|process\|console-socket)|& $T/none|g
			s#--(image-path|work-path)#& $T/no-images#g; s|--preserve-fds|& 1|; s|--resources=|&-|; s|--resources |& - |; s|--format |& json |; s|SIGNAL|9|; s|ID|$ID|"
}

@test "calls: every form of the table is one that bock-runc knows" {
	local line count=0
	while read -r line; do
		count=$((count + 1))
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$BOCK_RUNC" $line <<<'{}'
		case $line in
		*--version | *--help | features | *'delete --force'*) assert_status 0 ;;
		# what is not there is all that it may find fault with
		*) [[ $stderr == *"container does not exist"* || $stderr == *"$T/no"*"No such file"* ]] || fail "$line: $status: $stderr" ;;
		esac
	done < <(calls)
	[ "$count" -gt 40 ] || fail "only $count calls"
}
