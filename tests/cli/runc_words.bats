# SPDX-License-Identifier: Apache-2.0
# The words of errors that callers match: every row of bock-runc/sys/sys_words.h is provoked, and said as
# the table has it.

setup() {
	load ../helpers/runc
	runc_setup
	need_cgroup2
	declare -gA said=() table=()
	local name text
	while IFS=$'\t' read -r name text; do table[$name]=$text; done < <(
		sed -n 's/^#define SYS_WORD_\([A-Z_]*\) "\(.*\)".*/\1\t\2/p' "$TOP/bock-runc/sys/sys_words.h")
	[ "${#table[@]}" -ge 20 ]
}
teardown() { common_teardown; }

# says NAME [FILL...] -- STATUS COMMAND...: it fails with STATUS, and its error has the words of the row
says() {
	local name=$1 words status=0 want
	local -a fill=()
	shift
	while [ "$1" != -- ]; do
		fill+=("$1")
		shift
	done
	want=$2
	shift 2
	[ -n "${table[$name]-}" ] || fail "no row $name" || return 1
	# shellcheck disable=SC2059
	printf -v words "${table[$name]}" "${fill[@]}"
	"$BOCK_RUNC" --root "$STATE" "$@" </dev/null >"$T/out" 2>"$T/err" 3>&- || status=$?
	[ "$status" -eq "$want" ] || fail "$name: status $status: $(cat "$T/err")" || return 1
	[ "$(wc -l <"$T/err")" -eq 1 ] || fail "$name: not one line: $(cat "$T/err")" || return 1
	grep -qF -- "$words" "$T/err" || fail "$name: '$words' is not in: $(cat "$T/err")" || return 1
	said[$name]=1
}

change() { # COMMAND-LINE of the container
	args "$@"
}

@test "words: each row of the table is what callers get" {
	sleeper
	says NOT_EXIST -- 1 state "$ID"
	says NOT_EXIST -- 1 delete "$ID"
	says NOT_EXIST -- 1 kill "$ID" 9
	says ID_FORMAT -- 1 state ../x
	says ID_FORMAT -- 1 create -b "$B" .cache
	says NEEDS_ARGUMENT -- 1 create --bundle
	says SPEC_EXISTS -- 1 spec -b "$B"

	says PRESERVED_FD -- 1 run -b "$B" --preserve-fds 9 "$ID"
	says SOCKET_NO_TTY -- 1 create -b "$B" --console-socket "$T/x" "$ID"
	edit '.process.terminal = true'
	says TTY_NO_SOCKET -- 1 create -b "$B" "$ID"
	edit '.process.terminal = false'

	bock_runc create -b "$B" "$ID" </dev/null >/dev/null 3>&-
	says EXISTS -- 1 create -b "$B" "$ID"
	edit ".linux.cgroupsPath = \"/$ID\""
	says CGROUP_NOT_EMPTY -- 1 run -b "$B" "$ID-2"
	bock_runc pause "$ID"
	says START_STATE paused -- 1 start "$ID"
	says NOT_STOPPED "$ID" paused -- 1 delete "$ID"
	bock_runc resume "$ID"
	bock_runc start "$ID"
	says START_RUNNING -- 1 start "$ID"
	says NOT_STOPPED "$ID" running -- 1 delete "$ID"
	says NOT_PAUSED -- 1 resume "$ID"
	bock_runc kill "$ID" KILL
	wait_for 5 is stopped
	says NOT_RUNNING -- 1 kill "$ID" 9
	says NOT_RUNNING -- 1 pause "$ID"
	says START_STOPPED -- 1 start "$ID"
	bock_runc delete "$ID"

	mkdir "$(cgroup2_path)/$ID"
	echo 1 >"$(cgroup2_path)/$ID/cgroup.freeze"
	says CGROUP_FROZEN -- 1 run -b "$B" "$ID"
	rmdir "$(cgroup2_path)/$ID"

	cp "$B/config.json" "$T/whole.json"
	edit 'del(.process)'
	says NO_PROCESS -- 1 run -b "$B" "$ID"
	cp "$T/whole.json" "$B/config.json"
	change nosuch
	says NOT_IN_PATH -- 1 create -b "$B" "$ID"
	grep -q nosuch "$T/err"
	change /nosuch
	says NO_FILE -- 1 run -b "$B" "$ID"
	grep -q /nosuch "$T/err"
	change /etc/passwd
	says NO_PERMISSION -- 1 run -b "$B" "$ID"

	if "$BOCK_RUNC" exec --help >/dev/null 2>&1; then
		change sleep 1000
		bock_runc run -d -b "$B" "$ID" </dev/null >/dev/null 3>&-
		bock_runc pause "$ID"
		says EXEC_PAUSED -- 255 exec "$ID" true
		bock_runc kill "$ID" KILL
		wait_for 5 is stopped
		says EXEC_STOPPED -- 255 exec "$ID" true
		bock_runc delete "$ID"
	else
		said[EXEC_PAUSED]=1 said[EXEC_STOPPED]=1
	fi
	assert_no_leftovers
	for name in "${!table[@]}"; do
		[ -n "${said[$name]-}" ] || fail "nobody has provoked $name" || return 1
	done
}

@test "words: the table is in the man page" {
	need_cmd mandoc
	page=$(mandoc -T ascii -O width=1000 "$TOP/man/bock-runc.8" | col -b | tr -s ' \n' ' ')
	for name in "${!table[@]}"; do
		# the page writes ID and STATUS where the table has %s
		words=$(sed 's/%s/@/; s/%s/STATUS/' <<<"${table[$name]}")
		if [ "$name" = START_STATE ]; then words=${words/@/STATUS}; else words=${words/@/ID}; fi
		[[ $page == *"$words"* ]] || fail "bock-runc(8) does not say: $words" || return 1
	done
}
