/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the conformance suite's probe: a static program that runs as a container's process, or as
 * a hook, and tells as JSON what it sees. It uses no code of the programs that it judges.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdint.h>
#include <stdio.h>

/* The document that is being written. A key is NULL in an array; a string that is NULL becomes null. */
void json_open(FILE *out);
void json_object(const char *key);
void json_array(const char *key);
void json_end(void);	/* of the innermost object or array */
void json_string(const char *key, const char *value);
void json_number(const char *key, int64_t value);
void json_unsigned(const char *key, uint64_t value);
void json_bool(const char *key, int value);
/* what a file holds, its last newline left out; null when it can't be read */
void json_file(const char *key, const char *path);
/* where a link leads; null when it is none */
void json_link(const char *key, const char *path);

/* A decimal number; 0 where there is none, or no text at all. */
long to_number(const char *s);

/* The name of an errno, "E..."; its number as text where it has no name known here. */
const char *errno_name(int number);

/* Each writes its members into the object that is open. */
void report_process(char **argv);	/* ids, capabilities, limits, scheduling, signals, ... */
void report_files(void);		/* descriptors, /dev, terminal, root */
void report_system(void);		/* namespaces, mounts, cgroup, names, network, clocks */

/* Carries out TRY ("read PATH", "mount TYPE PATH", ...) in a child and writes what came of it. */
void report_try(const char *text);

#endif
