/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a process that we know by its pid and something that no later process has still lives: the inode of
 * its pidfd, where the kernel gives each process its own (pidfs, since 6.9: a third of the time), else its
 * start time.
 */
#ifndef CONTAINER_PROBE_H
#define CONTAINER_PROBE_H

#include <stdint.h>
#include <sys/types.h>

/* 1 if pid exists, began at `start` (clock ticks after boot), and is neither zombie nor dead; 0 if not; -errno. */
int container_probe_alive(pid_t pid, uint64_t start);

/* The inode of a pidfd; 0 where it says nothing. */
uint64_t container_probe_inode(int pidfd);

/* 1 if the pidfd is of the process that has this inode, and that has not ended (zombies have); 0 if not; -errno. */
int container_probe_pidfd(int pidfd, uint64_t inode);

/* Start time of pid, 0 if there is none. */
uint64_t container_probe_start(pid_t pid);

/*
 * Those of the calling process, as /proc has them (0 where there is none), and which of the signals 1..31 it
 * ignores: bit N - 1 for signal N. 0 and errno where it can't be said.
 */
uint64_t container_probe_self(pid_t *ret_pid, uint64_t *ret_ignored);

/*
 * The text of a /proc/PID/stat, which it cuts up: start time, pid, state, and unless NULL what is ignored.
 * 0 where it is none; the others may be set then.
 */
uint64_t container_probe_parse(char *text, pid_t *ret_pid, char *ret_state, uint64_t *ret_ignored);

#endif
