# SPDX-License-Identifier: Apache-2.0
# A container on a terminal, driven the way a person does: a real pty of tmux or script(1) outside, the
# container's own inside.

setup() {
	load ../helpers/runc
	runc_setup
	bundle sh
	edit '.process.terminal = true'
	export ENV=
}

screen_ends() {
	[ -z "${TMUX_SOCKET-}" ] || tmux -S "$TMUX_SOCKET" kill-server 2>/dev/null || :
}

teardown() {
	screen_ends
	common_teardown
}

# screen COMMAND: starts it in a terminal of 100 columns and 30 lines
screen() {
	need_cmd tmux
	TMUX_SOCKET=$T/tmux
	tmux -S "$TMUX_SOCKET" -f /dev/null new-session -d -x 100 -y 30 "exec sh -c \"$1\"" 3>&-
	tmux -S "$TMUX_SOCKET" set-option -g window-size manual 2>/dev/null || :
	tmux -S "$TMUX_SOCKET" set-option -g remain-on-exit on
}
keys() { tmux -S "$TMUX_SOCKET" send-keys "$@"; }
shows() { tmux -S "$TMUX_SOCKET" capture-pane -p | grep -qE -- "$1"; }
expect() { wait_for 10 shows "$1" || fail "the screen: $(tmux -S "$TMUX_SOCKET" capture-pane -p)"; }

run_in_screen() {
	screen "stty -g >$T/before; $BOCK_RUNC --root $STATE run -b $B $ID; echo status=\\\$?; stty -g >$T/after; sleep 1000"
	expect '^/ [#$]$'
}

@test "tty: an interactive shell, its own terminal and job control" {
	run_in_screen
	keys 'tty; test -t 0 && echo in-$((20 + 2)); ps | head -n 1' Enter
	expect '^/dev/pts/0'
	expect '^in-22'
	keys 'echo pid-$$' Enter
	expect '^pid-1'
	keys 'sleep 1000 & jobs' Enter
	expect '\[1\]\+ +Running'
	keys 'exit 7' Enter
	expect '^status=7'
	wait_for 5 test -s "$T/after"
	cmp "$T/before" "$T/after" # the outer terminal is as it was
	screen_ends
	assert_no_leftovers
}

@test "tty: the size is the outer terminal's, and follows it" {
	run_in_screen
	keys 'stty size' Enter
	expect '^30 100'
	tmux -S "$TMUX_SOCKET" resize-window -x 70 -y 20
	resized() {
		keys 'stty size' Enter
		sleep 0.2
		shows '^20 70'
	}
	wait_for 10 resized
	keys 'exit' Enter
	expect '^status=0'
}

@test "tty: Ctrl-C, Ctrl-Z and Ctrl-D go to what runs inside" {
	run_in_screen
	keys 'sleep 1000' Enter
	sleep 0.3
	keys C-c
	expect '^/ #$'
	keys 'echo code-$?' Enter
	expect '^code-130'
	keys 'cat' Enter 'line' Enter
	expect '^line'
	keys C-z
	expect 'Stopped' # what is typed before the shell has the terminal back goes with the signal
	keys 'echo after' Enter
	expect '^after'
	keys 'kill -9 %1; sleep 0.2; echo killed' Enter
	expect '^killed'
	keys C-d
	expect '^status='
	screen_ends
	assert_no_leftovers
}

# A stdin that says nothing: at the end of its own, script(1) types a NUL.
quiet() { sleep 3 2>/dev/null 3>&-; }

@test "tty: with stdin from elsewhere the terminal is there, and the end of stdin is no end" {
	need_cmd script bsdutils
	args sh -c 'tty; exit 3'
	run script -qec "'$BOCK_RUNC' --root '$STATE' run -b '$B' $ID" /dev/null </dev/null
	[ "$status" -eq 3 ]
	assert_output -p '/dev/pts/0'
	assert_no_leftovers
}

@test "tty: what is printed last arrives, all of it" {
	need_cmd script bsdutils
	args sh -c 'seq 1 20000; echo the end'
	script -qec "'$BOCK_RUNC' --root '$STATE' run -b '$B' $ID" /dev/null < <(quiet) | tr -d '\r' >"$T/out"
	[ "$(tail -n 1 "$T/out")" = "the end" ]
	[ "$(grep -c '^[0-9]*$' "$T/out")" -eq 20000 ]
}

@test "tty: /dev/console is the terminal, owned by the container's user" {
	need_cmd script bsdutils
	edit '.process.user = {"uid": 1000, "gid": 1000}'
	args sh -c 'stat -c %F /dev/console; stat -c %u $(tty); echo written >/dev/console; echo ok >/dev/tty'
	run script -qec "'$BOCK_RUNC' --root '$STATE' run -b '$B' $ID" /dev/null < <(quiet)
	[ "$status" -eq 0 ] || fail "$output"
	output=${output//$'\r'/}
	[ "$output" = "character special file
1000
written
ok" ] || fail "$output"
}

@test "tty: the window size of the configuration is only a beginning" {
	need_cmd script bsdutils
	edit '.process.consoleSize = {"height": 11, "width": 22}'
	args sh -c 'stty size'
	detached run -b "$B" "$ID"
	[ "$status" -eq 0 ] || fail "$stderr"
	[[ ${output//$'\r'/} == "11 22" ]] || fail "$output"
	refused '.process.consoleSize.height = 70000' 'process.consoleSize'
}
