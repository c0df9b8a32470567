# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # used by the engines' files; of table.bash
#
# For the engines' files, in the guest. An engine ENGINE is described in tests/engines/engines and has a file
# KIND.bash with
#
#	KIND_up			makes it ready; a failure is a failure of all its cells
#	KIND_down		ends it; nothing of its containers may be left
#	KIND_cell_FEATURE	one cell of the matrix
#
# A cell is a row of checks, and red when one of them said `bad`. It doesn't stop there: each process is dear in a
# guest, and the next check may say more. Cells follow each other in one shell and clean up after themselves.
#
# $W is a folder in memory for all engines, $E the engine's own; $ENGINE its name.
# $W/bb.tar is the file system of an image of busybox.

W=/run/bock-engines
E=$W/${ENGINE-}
# where the files of share/ say that bock-runc is; it writes down how it is called
RUNTIME=$(<"$W/runtime")
# how many containers at once
case ${ENGINE-} in
*-user*) CROWD=${BOCK_ENGINES_CROWD:-10} ;;
*) CROWD=${BOCK_ENGINES_CROWD:-50} ;;
esac
# how long one command may take, in seconds: a guest may be ten times slower than it should
PATIENCE=300
bad_lines=() status=0 out='' err='' dialogue_out=''

# Go's collector of garbage is half the time of a command that lives a second, and there is enough memory.
export GOGC=off

# wants FEATURE: whether that cell is run
wants() {
	[[ $'\n'$(features_of "$ENGINE" "${BOCK_ENGINES_QUICK-}")$'\n' == *$'\n'"$1"$'\n'* ]] || return 1
	[ -z "${BOCK_ENGINES_CELLS-}" ] || [[ " $BOCK_ENGINES_CELLS " == *" $1 "* ]]
}
rootless() { [ "$engine_user" = user ]; }
systemd_driver() { [ "$engine_guest" = systemd ]; }

# The configuration of podman and buildah, beside what is in share/
containers_conf() {
	local etc=/etc/containers graph=$E/storage manager=cgroupfs
	! systemd_driver || manager=systemd
	if rootless; then
		etc=$HOME/.config/containers
		graph=$W/disk/$ENGINE/storage
	fi
	mkdir -p "$etc"
	cat >"$etc/containers.conf" <<-CONF
		[containers]
		log_driver = "k8s-file"
		[engine]
		cgroup_manager = "$manager"
		events_logger = "file"
		runtime = "bock-runc"
	CONF
	cat >"$etc/storage.conf" <<-CONF
		[storage]
		driver = "overlay"
		graphroot = "$graph"
		runroot = "$E/run"
	CONF
}

# bad TEXT: this cell is red
bad() { bad_lines+=("$*"); }

# nap: a moment, without a process for it
exec {nap_fd}<> <(:)
nap() { read -r -t 0.1 -u "$nap_fd" || :; }

# got COMMAND...: sets status, out and err
got() {
	status=0
	timeout --foreground -k 5 "$PATIENCE" "$@" >"$E/stdout" 2>"$E/stderr" </dev/null || status=$?
	out=$(<"$E/stdout")
	err=$(<"$E/stderr")
}

# fed TEXT COMMAND...: what it writes, with TEXT to read
fed() {
	local text=$1
	shift
	printf '%s\n' "$text" | timeout --foreground -k 5 "$PATIENCE" "$@" 2>&1
}

# must COMMAND...: as got, and it is to succeed
must() {
	got "$@"
	[ "$status" -eq 0 ] || bad "'$*' ended with $status: $err $out"
}

# ends STATUS OUTPUT COMMAND...: as got, and it is to end so; an empty OUTPUT is any
ends() {
	local want=$1 text=$2
	shift 2
	got "$@"
	[ "$status" -eq "$want" ] || bad "'$*' ended with $status, not $want: $err $out"
	[ -z "$text" ] || same "$*" "$out" "$text"
}

# same WHAT GOT WANTED
same() { [ "$2" = "$3" ] || bad "$1 is '$2', not '$3'"; }

# like WHAT GOT REGEX
like() { [[ $2 =~ $3 ]] || bad "$1 is '$2', which is not like '$3'"; }

# soon COMMAND...: runs it until it succeeds
soon() {
	local deadline=$((SECONDS + PATIENCE / 2))
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || { bad "waited in vain for: $*"; return 1; }
		nap
	done
}

# prints TEXT COMMAND...: for soon
prints() {
	local want=$1
	shift
	[ "$("$@" 2>/dev/null)" = "$want" ]
}

# says REGEX COMMAND...: for soon
says() {
	local want=$1 text
	shift
	text=$("$@" 2>&1)
	[[ $text =~ $want ]]
}

# holds FILE TEXT: a file of the cgroup $CG
holds() {
	local text
	text=$(cat "$CG/$1" 2>&1)
	same "$1" "$text" "$2"
}

# What counts in memory, and writes it to files of a folder /v that is $E/counter; whether it went on after AT
COUNTER='echo begun >>/v/begun; i=0; while :; do i=$((i + 1)); echo $i >/v/new; mv /v/new /v/n; sleep 0.2; done'
counts_past() { [ "$(<"$E/counter/n")" -gt "$1" ]; }
went_on() { # AT
	soon counts_past "$1"
	same 'how often it began' "$(<"$E/counter/begun")" begun
}

# Sets CG, the cgroup of a process
cgroup_of() {
	CG=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup" 2>/dev/null)
	[ "$CG" != /sys/fs/cgroup ] || bad "no process '$1'"
	# whoever is in a leaf below what the engine limits
	[[ $CG != */container ]] || CG=${CG%/container}
}

on_screen() { [ -e "$E/screen.end" ] || grep -qa -- "$1" "$E/screen"; }

# dialogue COMMAND [EXPECTED SENT]...: runs COMMAND, a line of shell, on a terminal of 41 rows and 93 columns; when
# EXPECTED is on the screen, SENT is typed. Sets status and dialogue_out.
dialogue() {
	local command=$1
	shift
	rm -f "$E/screen.end"
	: >"$E/screen"
	status=0
	{
		while [ $# -ge 2 ]; do
			soon on_screen "$1" && [ ! -e "$E/screen.end" ] || break
			# shellcheck disable=SC2059 # with its escapes
			printf "$2"
			shift 2
		done
		soon test -e "$E/screen.end"
	} | timeout --foreground -k 5 "$PATIENCE" script -qefc \
		"stty cols 93 rows 41; $command; code=\$?; : >$E/screen.end; exit \$code" "$E/screen" >/dev/null 2>&1 || status=$?
	dialogue_out=$(tr -d '\r' <"$E/screen")
}

# ---- cells -----------------------------------------------------------------------------------------

# cell FEATURE COMMAND: runs it and tells the host: cell ENGINE FEATURE ok|RED TENTHS, and why
cell() {
	local feature=$1 started=${EPOCHREALTIME/[.,]/} line verdict=ok
	shift
	bad_lines=()
	"$@"
	[ "${#bad_lines[@]}" -eq 0 ] || verdict=RED
	printf 'cell\t%s\t%s\t%s\t%d\n' "$ENGINE" "$feature" "$verdict" \
		$(((${EPOCHREALTIME/[.,]/} - started) / 100000))
	for line in ${bad_lines[@]+"${bad_lines[@]}"}; do
		printf 'why\t%s\t%s\t%s\n' "$ENGINE" "$feature" "${line//[$'\n\t']/ }"
	done
}

# ---- what an engine may not leave behind ------------------------------------------------------------

list_cgroups() { find /sys/fs/cgroup -type d | sort; }
list_mounts() { awk '{ print $5 }' /proc/self/mountinfo | sort; }

leftovers_snapshot() {
	list_cgroups >"$W/cgroups.before"
	list_mounts >"$W/mounts.before"
}

# What is named after a container: engines keep the folders above, which have names of theirs.
left_cgroups() { list_cgroups | comm -13 "$W/cgroups.before" - | grep -E '[0-9a-f]{32}|/eng-|buildah-'; }
# podman keeps a mount of its storage onto itself, docker one of the machine's network; a user's folder is systemd's.
left_mounts() { list_mounts | comm -13 "$W/mounts.before" - | grep -vE "^($W/.*/storage/overlay|/run/user/[0-9]+|/run/docker/netns/default)$"; }
left_states() { find /run -name state.json -path '*bock-runc/*' -o -name state.json -path '*/runtime-runc/*' -o -name state.json -path '*/containerd/runc/*'; }
left_processes() { pgrep -xl 'conmon|containerd-shim.*|bock-runc.*|sleep|catatonit|dumb'; }
left_units() {
	[ ! -d /run/systemd/system ] ||
		systemctl list-units --all --no-legend --plain '*libpod-*' 'docker-*.scope' 'bock-*.scope' 'eng-*'
}

nothing_left() {
	local kind text
	for kind in processes cgroups mounts states units; do
		if ! soon prints '' "left_$kind"; then
			text=$("left_$kind")
			bad "$kind are left: $text"
		fi
	done
}

calls_are_known() {
	local text
	[ -s "$E/calls" ] || bad 'the runtime was never called'
	text=$(calls_unknown "$E/calls" "$@") || bad "calls that are of no known form: $text"
}
