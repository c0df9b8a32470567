/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of errors that callers look for. They are runc's, in its lower case, which all of podman,
 * conmon, cri-o, containerd and docker understand; whoever changes one breaks an engine. Each stands
 * somewhere in the error's one line. tests/cli/runc_words.bats reads this table, provokes each row and
 * compares; bock-runc(8) lists them under DIAGNOSTICS.
 *
 * Behind each: who matches it, and what it concludes. A "%s" is filled in.
 */
#ifndef SYS_WORDS_H
#define SYS_WORDS_H

/* containerd ("does not exist"), podman, cri-o: it is gone, which is fine after a delete */
#define SYS_WORD_NOT_EXIST "container does not exist"
/* containerd, cri-o: it has ended, which is fine after a kill */
#define SYS_WORD_NOT_RUNNING "container not running"
/* people's scripts, runc's own tests */
#define SYS_WORD_NOT_PAUSED "container not paused"
#define SYS_WORD_EXISTS "container with given ID already exists"
#define SYS_WORD_ID_FORMAT "invalid container ID format" /* base/bk_id.c says it, too */
#define SYS_WORD_NOT_STOPPED "cannot delete container %s that is not stopped: %s"
#define SYS_WORD_NO_PROCESS "process: required member is missing: there is nothing to start"
#define SYS_WORD_START_STOPPED "cannot start a container that has stopped"
#define SYS_WORD_START_RUNNING "cannot start an already running container"
#define SYS_WORD_START_STATE "cannot start a container in the %s state"
#define SYS_WORD_EXEC_PAUSED "cannot exec in a paused container"
#define SYS_WORD_EXEC_STOPPED "cannot exec in a stopped container"
/* engines that reuse an id at once: the old processes still die */
#define SYS_WORD_CGROUP_NOT_EMPTY "container's cgroup is not empty"
#define SYS_WORD_CGROUP_FROZEN "container's cgroup unexpectedly frozen"
/* conmon and containerd set sockets up by the configuration: these tell of a mismatch */
#define SYS_WORD_TTY_NO_SOCKET "cannot allocate tty if runc will detach without setting console socket"
#define SYS_WORD_SOCKET_NO_TTY "cannot use console socket if runc will not detach or allocate tty"
#define SYS_WORD_PRESERVED_FD "please check that preserved-fd"
/* podman, docker: exit status 127; together with the command's name */
#define SYS_WORD_NOT_IN_PATH "executable file not found in $PATH"
#define SYS_WORD_NO_FILE "no such file or directory"
/* podman, docker: exit status 126 */
#define SYS_WORD_NO_PERMISSION "permission denied"
/* podman probes options by leaving out their argument; base/bk_cli_parse.c says it */
#define SYS_WORD_NEEDS_ARGUMENT "flag needs an argument"
/* scripts around `spec` */
#define SYS_WORD_SPEC_EXISTS "exists. Remove it first"

#endif
