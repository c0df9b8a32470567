/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc_mask.h"

#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_num.h"
#include "base/bk_str.h"

/* Cuts the spaces off both ends. */
static char *trim(char *s)
{
	size_t len;

	s += strspn(s, " ");
	len = strlen(s);
	while (len && s[len - 1] == ' ')
		s[--len] = '\0';
	return s;
}

/* "7" or "0-3"; limit is above 0. */
static int parse_range(char *text, uint32_t limit, uint32_t *ret_first, uint32_t *ret_last,
		       struct bk_err **err)
{
	char *dash = strchr(text, '-');
	int rc;

	if (dash)
		*dash = '\0';
	rc = bk_num_u32(trim(text), limit - 1, ret_first, err);
	*ret_last = *ret_first;
	if (rc == 0 && dash)
		rc = bk_num_u32(trim(dash + 1), limit - 1, ret_last, err);
	if (rc == 0 && *ret_last < *ret_first)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "the range '%u-%u' ends before it begins",
				*ret_first, *ret_last);
	return rc;
}

static void add_range(struct bk_arena *arena, struct proc_mask *m, uint32_t first, uint32_t last)
{
	size_t want = last / PROC_MASK_WORD_BITS + 1;

	if (!m->words || want > m->n_words) {
		unsigned long *words = bk_arena_alloc(arena, want * sizeof(*words));

		if (m->n_words)
			memcpy(words, m->words, m->n_words * sizeof(*words));
		m->words = words;
		m->n_words = want;
	}
	for (size_t i = first; i <= last; i++)
		m->words[i / PROC_MASK_WORD_BITS] |= 1UL << i % PROC_MASK_WORD_BITS;
}

int proc_mask_parse(const char *text, uint32_t limit, struct bk_arena *arena, struct proc_mask *ret,
		    struct bk_err **err)
{
	bk_autofree char *copy = bk_strdup(text);
	struct proc_mask m = { 0 };
	char *rest = copy, *element;

	while ((element = strsep(&rest, ","))) {
		uint32_t first = 0, last = 0;
		int rc;

		element = trim(element);
		if (!*element)
			continue;
		rc = parse_range(element, limit, &first, &last, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "'%s'", text);
		add_range(arena, &m, first, last);
	}
	*ret = m;
	return 0;
}

bool proc_mask_has(const struct proc_mask *m, size_t number)
{
	size_t word = number / PROC_MASK_WORD_BITS;

	return word < m->n_words && (m->words[word] >> number % PROC_MASK_WORD_BITS & 1);
}

void proc_mask_print(const struct proc_mask *m, struct bk_buf *out)
{
	size_t end = m->n_words * PROC_MASK_WORD_BITS;
	const char *sep = "";

	for (size_t i = 0; i < end; i++) {
		size_t last = i;

		if (!proc_mask_has(m, i))
			continue;
		while (proc_mask_has(m, last + 1))
			last++;
		if (last == i)
			bk_buf_printf(out, "%s%zu", sep, i);
		else
			bk_buf_printf(out, "%s%zu-%zu", sep, i, last);
		sep = ",";
		i = last;
	}
}
