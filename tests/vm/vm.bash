# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # used by those who read this file
# For the programs of this folder: where the microVM's kernels are kept.
#
# $BOCK_VM_CACHE, or bock/vm below $XDG_CACHE_HOME (~/.cache), or build/vm: apt/ is apt's own state,
# kernels/VERSION/ has what a guest boots from: vmlinux, initrd and lib/modules.

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$vm_dir/../.." && pwd)
if [ -n "${BOCK_VM_CACHE-}" ]; then
	vm_cache=$BOCK_VM_CACHE
elif [ -n "${XDG_CACHE_HOME-}${HOME-}" ]; then
	vm_cache=${XDG_CACHE_HOME:-$HOME/.cache}/bock/vm
else
	vm_cache=$top/build/vm
fi
# the kernel of Debian 12
vm_kernel_default=6.1

vm_say() { printf '%s: %s\n' "tests/vm/$(basename "$0")" "$*" >&2; }

vm_die() {
	vm_say "$*"
	exit 125
}

# The processor's name in qemu's programs and in Debian's packages.
vm_arch() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	*) return 1 ;;
	esac
}
