/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_str.h"
#include "bockfile/bockfile_args.h"
#include "bockfile/bockfile_subst.h"

static const char text[] = "metadata: {name: '${PRE}app', version: '1.${MINOR:-0}'}\n"
			   "args:\n"
			   "  PRE: my-\n"
			   "  TWICE: '${PRE}${PRE}'\n"
			   "  EMPTY: ''\n"
			   "  UNSET:\n"
			   "  MINOR: {env: BOCK_TEST_MINOR}\n"
			   "  MODE: {default: slow, enum: [slow, fast]}\n"
			   "  ID: {default: 1, pattern: '[0-9]+'}\n"
			   "stages: [{name: a}]\n";

struct world {
	struct bk_arena *arena;
	struct bockfile b;
	struct bockfile_scope scope;
	struct bk_doc_value at;
};

static int init(struct world *w, const char *document, const char *build_arg, struct bk_err **err)
{
	char *args[] = { (char *)(uintptr_t)build_arg, NULL };
	int rc;

	w->arena = bk_arena_new();
	w->at = (struct bk_doc_value){ .line = 7, .column = 3, .source = "Bockfile", .path = "x" };
	rc = bockfile_parse("Bockfile", document, strlen(document), w->arena, &w->b, err);
	return rc < 0 ? rc
		      : bockfile_args_resolve(&w->b, build_arg ? args : NULL,
					      "2026-01-02T03:04:05Z", w->arena, &w->scope, err);
}

static void expand(const struct world *w, const char *from, const char *to)
{
	const struct bockfile_text t = { .text = from, .at = &w->at };
	bk_autofree char *out = NULL;
	struct bk_err *err = NULL;

	assert_ok(bockfile_subst(&w->scope, &t, &out, &err), &err);
	assert_string_equal(out, to);
}

static void refuse(const struct world *w, const char *from, enum bk_err_kind kind,
		   const char *message)
{
	const struct bockfile_text t = { .text = from, .at = &w->at };
	bk_autofree char *out = NULL;
	struct bk_err *err = NULL;

	assert_err(bockfile_subst(&w->scope, &t, &out, &err), &err, kind, message);
	assert_null(out);
}

static void test_forms(void **state)
{
	char *env[] = { (char *)(uintptr_t) "PATH=/bin", NULL };
	struct bk_err *err = NULL;
	struct world w;

	(void)state;
	assert_ok(init(&w, text, NULL, &err), &err);
	expand(&w, "", "");
	expand(&w, "plain $5 $ $x", "plain $5 $ $x");
	expand(&w, "${PRE}", "my-");
	expand(&w, "a${TWICE}b", "amy-my-b");
	expand(&w, "$${PRE} $$$$", "${PRE} $$");
	expand(&w, "${EMPTY}|${EMPTY:-e}|${UNSET:-u}|${nothing:-n}", "|e|u|n");
	expand(&w, "${UNSET:-${EMPTY:-${PRE}}}!", "my-!");
	expand(&w, "${UNSET:-}", "");
	expand(&w, "${PRE:?never}", "my-");
	expand(&w, "${metadata.name}:${metadata.version}", "my-app:1.0");
	expand(&w, "${timestamp}", "2026-01-02T03:04:05Z");
	refuse(&w, "${env.PATH}", BK_ERR_CONFIG, "environment is not known here");
	w.scope.env = env;
	w.scope.has_env = true;
	expand(&w, "/x:${env.PATH}", "/x:/bin");
	expand(&w, "${env.HOME:-/root}", "/root");
	refuse(&w, "${env.HOME}", BK_ERR_CONFIG, "${env.HOME}: not in the stage's environment");
	bk_arena_free(w.arena);
}

static void test_refused(void **state)
{
	struct bk_err *err = NULL;
	struct world w;

	(void)state;
	assert_ok(init(&w, text, NULL, &err), &err);
	refuse(&w, "${NOPE}", BK_ERR_CONFIG, "Bockfile:7:3: x: ${NOPE}: unknown name");
	refuse(&w, "${UNSET}", BK_ERR_CONFIG, "the argument has no value");
	refuse(&w, "a${", BK_ERR_CONFIG, "'${' without '}'");
	refuse(&w, "${PRE", BK_ERR_CONFIG, "'${' without '}'");
	refuse(&w, "${}", BK_ERR_CONFIG, "expected a name");
	refuse(&w, "${PRE:+x}", BK_ERR_CONFIG, "expected a name");
	refuse(&w, "${PRE-x}", BK_ERR_CONFIG, "expected a name");
	refuse(&w, "${1}", BK_ERR_CONFIG, "expected a name");
	refuse(&w, "${EMPTY:?say ${PRE}}", BK_ERR_CONFIG, "${EMPTY}: say my-");
	refuse(&w, "${UNSET:?}", BK_ERR_CONFIG, "${UNSET}: must be given");
	refuse(&w, "${git.sha:-x}", BK_ERR_UNSUPPORTED,
	       "Bockfile:7:3: x: ${git.sha}: this version");
	refuse(&w, "${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-${a:-}}}}}}}}}}", BK_ERR_CONFIG,
	       "nested deeper");
	bk_arena_free(w.arena);
}

static void test_build_args(void **state)
{
	struct bk_err *err = NULL;
	struct world w;

	(void)state;
	assert_ok(init(&w, text, "PRE=x=", &err), &err);
	expand(&w, "${TWICE}", "x=x=");
	bk_arena_free(w.arena);
	assert_ok(init(&w, text, "MODE=fast", &err), &err);
	bk_arena_free(w.arena);
	assert_err(init(&w, text, "MODE=quick", &err), &err, BK_ERR_CONFIG,
		   "Bockfile:8:9: args.MODE: 'quick' is none of: slow, fast");
	bk_arena_free(w.arena);
	assert_err(init(&w, text, "ID=12x", &err), &err, BK_ERR_CONFIG,
		   "'12x' is not like '[0-9]+'");
	bk_arena_free(w.arena);
	assert_err(init(&w, text, "MOD=fast", &err), &err, BK_ERR_CONFIG, "did you mean 'MODE'?");
	bk_arena_free(w.arena);
	assert_err(init(&w, text, "MODE", &err), &err, BK_ERR_CONFIG, "expected NAME=VALUE");
	bk_arena_free(w.arena);
	assert_err(init(&w, "args: {A: {required: true}}\nstages: [{name: a}]\n", NULL, &err), &err,
		   BK_ERR_CONFIG,
		   "Bockfile:1:11: args.A: required: give it with --build-arg A=VALUE");
	bk_arena_free(w.arena);
	assert_err(init(&w, "args: {A: '${B}', B: x}\nstages: [{name: a}]\n", NULL, &err), &err,
		   BK_ERR_CONFIG, "args.A: ${B}");
	bk_arena_free(w.arena);
	assert_err(init(&w, "args: {A: {pattern: '(', default: x}}\nstages: [{name: a}]\n", NULL,
			&err),
		   &err, BK_ERR_CONFIG, "not a regular expression");
	bk_arena_free(w.arena);
}

static void test_host_env(void **state)
{
	struct bk_err *err = NULL;
	struct world w;

	(void)state;
	setenv("BOCK_TEST_MINOR", "7", 1);
	assert_ok(init(&w, text, NULL, &err), &err);
	unsetenv("BOCK_TEST_MINOR");
	expand(&w, "${metadata.version}", "1.7");
	bk_arena_free(w.arena);
}

BK_TEST_MAIN(cmocka_unit_test(test_forms), cmocka_unit_test(test_refused),
	     cmocka_unit_test(test_build_args), cmocka_unit_test(test_host_env))
