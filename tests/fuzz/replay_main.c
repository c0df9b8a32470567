/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main() for the fuzz targets where there is no libFuzzer: it feeds the target each file of its
 * corpus (or each file and folder named on the command line) and prints a TAP line for each. A
 * crash ends the program, and the missing lines are the failure.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX ((size_t)64 << 20)
#define FILES_MAX 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int tests_run;
static bool failed;

static void report(bool ok, const char *path, const char *why)
{
	tests_run++;
	if (!ok)
		failed = true;
	printf("%s %u - %s%s%s\n", ok ? "ok" : "not ok", tests_run, path, *why ? ": " : "", why);
	fflush(stdout);
}

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rbe");
	struct stat st;
	uint8_t *data;
	size_t got;

	if (!file || fstat(fileno(file), &st) != 0 || st.st_size < 0 ||
	    (size_t)st.st_size > INPUT_MAX) {
		report(false, path, file ? "too large" : strerror(errno));
		if (file)
			fclose(file);
		return;
	}
	/* exactly as large as the input, so that ASan sees a read behind its end */
	data = malloc((size_t)st.st_size ? (size_t)st.st_size : 1);
	if (!data)
		abort();
	got = fread(data, 1, (size_t)st.st_size, file);
	fclose(file);
	if (got == (size_t)st.st_size)
		LLVMFuzzerTestOneInput(data, got);
	free(data);
	report(got == (size_t)st.st_size, path, got == (size_t)st.st_size ? "" : "short read");
}

static void replay(const char *path)
{
	struct dirent **names = NULL;
	char file[PATH_MAX];
	struct stat st;
	int count;

	if (stat(path, &st) != 0) {
		report(false, path, strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	count = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < count && i < FILES_MAX; i++) {
		if (names[i]->d_name[0] != '.') {
			snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
			replay_file(file);
		}
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	const char *srcdir = getenv("BOCK_SRCDIR");
	const char *name = strrchr(argv[0], '/');
	char corpus[PATH_MAX];

	name = name ? name + 1 : argv[0];
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			replay(argv[i]);
	} else {
		snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name);
		replay(corpus);
	}
	printf("1..%u\n", tests_run);
	if (tests_run == 0)
		fprintf(stderr, "%s: no input\n", name);
	return failed || tests_run == 0;
}
