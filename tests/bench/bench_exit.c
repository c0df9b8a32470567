/* SPDX-License-Identifier: Apache-2.0 */
/* The container's program: ends at once, or (bench_exit wait) never. Static, nothing but a libc's start. */
#include <unistd.h>

int main(int argc, char **argv)
{
	(void)argv;
	while (argc > 1)
		(void)pause();
	return 0;
}
