/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of command lines and the strict numbers: each line of the input is an argument. */
#include "base/bk_cli.h"
#include "base/bk_num.h"
#include "base/bk_str.h"

struct opts {
	bool flag;
	const char *str;
	char **strv;
	uint32_t u32;
	int64_t i64;
	int choice;
};

static const char *const choices[] = { "text", "json", NULL };
static const struct bk_cli_opt table[] = {
	{ "flag", 'f', BK_CLI_FLAG, offsetof(struct opts, flag), NULL, "", 0, NULL },
	{ "str", 's', BK_CLI_STR, offsetof(struct opts, str), NULL, "", 0, NULL },
	{ "strv", 'v', BK_CLI_STRV, offsetof(struct opts, strv), NULL, "", 0, NULL },
	{ "u32", 'u', BK_CLI_U32, offsetof(struct opts, u32), NULL, "", 0, NULL },
	{ "i64", 'i', BK_CLI_I64, offsetof(struct opts, i64), NULL, "", 0, NULL },
	{ "choice", 'c', BK_CLI_CHOICE, offsetof(struct opts, choice), NULL, "", 0, choices },
	BK_CLI_END
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bk_autofree char *text = strndup((const char *)data, size);
	bk_autostrv char **lines = bk_strv_split(text, "\n");
	size_t n = bk_strv_len(lines);
	bk_autofree char **argv = calloc(n + 1, sizeof(*argv)); /* the parser moves what it gets */
	struct opts o = { .flag = false };
	struct bk_err *err = NULL;
	int n_args = 0;
	bool help = false;
	uint64_t u64;
	int64_t i64;
	uint32_t u32;

	for (size_t i = 0; i < n; i++) {
		argv[i] = lines[i];
		(void)bk_num_size(lines[i], &u64, NULL);
		(void)bk_num_duration_ms(lines[i], &u64, NULL);
		(void)bk_num_u64(lines[i], UINT64_MAX, &u64, NULL);
		(void)bk_num_mode(lines[i], 07777, &u32, NULL);
		(void)bk_num_i64(lines[i], INT64_MIN, INT64_MAX, &i64, &err);
		bk_err_clear(&err);
	}
	if (bk_cli_parse(table, &o, size % 2 ? BK_CLI_STOP_AT_ARG : 0, (int)(size % 3), (int)n,
			 argv, &n_args, &help, &err) == 0 &&
	    (n_args < 0 || (size_t)n_args > n || err))
		abort();
	bk_err_clear(&err);
	bk_strv_free(o.strv);
	return 0;
}
