/* SPDX-License-Identifier: Apache-2.0 */
/* strike: the parts of the driver that kills a program, or fails it, at a system call (strike.c). */
#ifndef STRIKE_H
#define STRIKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum strike_act {
	STRIKE_NONE,
	STRIKE_KILL_MAIN,
	STRIKE_KILL_SELF,
	STRIKE_KILL_TREE,
	STRIKE_FAULT,
	STRIKE_SHORT,
	STRIKE_HOLD,
};

/* A process (or thread) that is traced. */
struct strike_task {
	pid_t pid;
	int number;		/* in the order of birth; 0: the program that was started */
	unsigned long calls;	/* so far */
	bool counting;		/* the program is there; before, it is what starts it */
	bool inside;		/* between the beginning and the end of a call */
	bool struck;		/* its call is being failed */
	char exe[32];		/* the name of its program */
};

struct strike_opts {
	enum strike_act act;
	int process;		/* the point: before call `call` of this process, both from 0 */
	unsigned long call;
	int errnum;
	const char *hold;	/* the file */
	bool after;		/* the call is made, and then said to have failed */
	bool onward;		/* so are all later calls of this name, in whatever process */
	int timeout;		/* seconds; 0: none */
	int execs;		/* executions of process 0 until it is the program */
	const char *leave[8];	/* programs that are let go once they are executed */
	int n_leave;
	const char *report;
	char *const *argv;
};

#define STRIKE_DETAIL 256
#define STRIKE_WORDS  48

/* What a call is about, for the report: a path, or what a descriptor leads to; "" if nothing is known. */
void strike_detail(pid_t pid, uint64_t nr, const uint64_t *args, char *ret, size_t size);
/* heap, never NULL */
char *strike_call_name(uint64_t nr);
/* The call that pid is about to make is none. */
bool strike_skip_call(pid_t pid);
/* The call that pid returns from failed. */
bool strike_fail_call(pid_t pid, int errnum);
/* The read or write that pid is about to make is one of half of its bytes; false: it can't be. */
bool strike_short_call(pid_t pid, uint64_t nr, const uint64_t *args);
/* The number of "ENOSPC" and such; 0: there is no such. */
int strike_errno(const char *name);

#endif
