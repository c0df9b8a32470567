# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # die is of those who read this file
# In the guest: an ordinary user, and cgroups that are the user's.

# delegate FOLDER UID: as the kernel's cgroup-v2 document says in "Model of Delegation"
delegate() {
	local file
	chown "$2" "$1"
	while read -r file; do
		[ ! -e "$1/$file" ] || chown "$2" "$1/$file"
	done </sys/kernel/cgroup/delegate
}

# Sets user_name, user_id and user_home: an ordinary user with ids in /etc/subuid
find_user() {
	user_name=$(awk -F: '$3 >= 65536 { print $1 }' /etc/subuid 2>/dev/null |
		while read -r name; do getent passwd "$name" >/dev/null && echo "$name"; done | head -n 1)
	if [ -z "$user_name" ]; then
		useradd --create-home --shell /bin/sh bock-test || die "useradd fails"
		user_name=bock-test
	fi
	user_id=$(id -u "$user_name")
	user_home=$(getent passwd "$user_name" | cut -d: -f6)
	[ -d "$user_home" ] || install -d -o "$user_id" "$user_home"
}

as_user() {
	setpriv --reuid "$user_id" --regid "$(id -g "$user_name")" --init-groups \
		env HOME="$user_home" USER="$user_name" LOGNAME="$user_name" XDG_RUNTIME_DIR="/run/user/$user_id" "$@"
}

# In a slice that is the user's, in a leaf of it that has all controllers. This process goes there, too.
in_slice() {
	local slice=/sys/fs/cgroup/user.slice/user-$user_id.slice controller
	mkdir -p "$slice/command"
	for controller in $(</sys/fs/cgroup/cgroup.controllers); do
		echo "+$controller" >/sys/fs/cgroup/user.slice/cgroup.subtree_control
		echo "+$controller" >"$slice/cgroup.subtree_control"
	done
	delegate "$slice" "$user_id"
	delegate "$slice/command" "$user_id"
	install -d -m 700 -o "$user_id" "/run/user/$user_id"
	echo "$BASHPID" >"$slice/command/cgroup.procs"
	as_user "$@"
}

# A transient service of the user's own manager, which delegates to it what was delegated.
in_user_manager() {
	local -a names=()
	systemctl start "user@$user_id.service" || die "systemd gives no manager for $user_name"
	mapfile -t names < <(compgen -e)
	as_user systemd-run --user --wait --pipe --collect --quiet --same-dir -p Delegate=yes \
		"${names[@]/#/--setenv=}" "$@"
}
