#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The main job, end to end: a Bockfile becomes an image, the image a bundle, the bundle a container.
# Needs root, the programs in build/ (or $BOCK_BUILDDIR) and Debian's busybox-static; leaves nothing.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${BOCK_BUILDDIR:-$top/build}
greeting='Hello from a container that Bock built.'

fail() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

# Prints a command as one would type it, then runs it.
show() {
	printf '\n$'
	printf ' %s' "$@"
	printf '\n'
	"$@"
}

busybox=
for candidate in /bin/busybox /usr/bin/busybox; do
	[ -x "$candidate" ] && busybox=$candidate
done
[ -n "$busybox" ] || fail "no busybox: apt-get install busybox-static"
[ "$(id -u)" -eq 0 ] || fail "root is needed"
PATH=$build/bock-runc:$build/bock-image:$build/bock-build:$PATH
for program in bock-runc bock-image bock-build; do
	[ -x "$build/$program/$program" ] || fail "$build/$program/$program is missing: ./bootstrap build"
done

work=$(mktemp -d)
cleanup() {
	bock-runc --root "$work/run" delete --force hello 2>/dev/null || :
	rm -rf --one-file-system -- "$work"
}
trap cleanup EXIT
cd "$work"

mkdir hello
cp "$busybox" hello/busybox
cat >hello/Bockfile <<END
version: "1"
from: scratch
stages:
  - name: hello
    steps:
      - copy: [busybox]
        to: /bin/busybox
      - run: ["/bin/busybox", "--install", "-s", "/bin"]
      - run: |
          mkdir -p /etc
          echo '$greeting' > /etc/greeting
runtime:
  env: {PATH: /bin}
  cmd: ["/bin/cat", "/etc/greeting"]
END

printf '$ cat hello/Bockfile\n'
cat hello/Bockfile
show bock-build --root store -t hello:1 hello
show bock-image --root store unpack hello:1 bundle
show bock-runc --root run run -b bundle hello | tee output

grep -qFx "$greeting" output || fail "the container did not print its greeting"
[ -z "$(bock-runc --root "$work/run" list --quiet)" ] || fail "the container is still there"
printf '\ndemo: a Bockfile became an image, the image a bundle, the bundle a container.\n'
