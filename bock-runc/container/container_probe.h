/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a process that we know by pid and start time still lives. */
#ifndef CONTAINER_PROBE_H
#define CONTAINER_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* True if pid exists, began at `start` (clock ticks after boot), and is neither zombie nor dead. */
bool container_probe_alive(pid_t pid, uint64_t start);

/* Start time of pid, 0 if there is none. */
uint64_t container_probe_start(pid_t pid);

/* Our own, and which of the signals 1..31 we were told to ignore: bit N - 1 for signal N. */
uint64_t container_probe_self(uint64_t *ret_ignored);

#endif
