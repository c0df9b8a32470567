/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_base64.h"

#include <stdint.h>

#include "base/bk_mem.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *bk_base64_encode(const void *data, size_t len)
{
	const unsigned char *in = data;
	char *text = bk_malloc((len + 2) / 3 * 4 + 1);
	char *out = text;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = (uint32_t)in[i] << 16;

		if (left > 1)
			v |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			v |= in[i + 2];
		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = left > 1 ? alphabet[v >> 6 & 63] : '=';
		*out++ = left > 2 ? alphabet[v & 63] : '=';
	}
	*out = '\0';
	return text;
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

int bk_base64_decode(const char *text, size_t len, unsigned char **ret, size_t *ret_len,
		     struct bk_err **err)
{
	bk_autofree unsigned char *data = NULL;
	size_t pad = 0;
	size_t n = 0;

	if (len % 4 != 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "base64 of %zu characters lacks its padding", len);
	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	data = bk_malloc(len / 4 * 3 + 1);
	for (size_t i = 0; i < len; i += 4) {
		size_t have = i + 4 == len ? 4 - pad : 4;
		uint32_t v = 0;

		for (size_t j = 0; j < 4; j++) {
			int d = j < have ? digit(text[i + j]) : 0;

			if (d < 0)
				return bk_err_set(err, BK_ERR_CONFIG, 0,
						  "base64 has a wrong character at offset %zu",
						  i + j);
			v = v << 6 | (uint32_t)d;
		}
		/* One text for one value: bits that belong to no byte are 0 (RFC 4648, 3.5). */
		if ((have == 2 && v & 0xffff) || (have == 3 && v & 0xff))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "base64 has stray bits at its end");
		data[n++] = (unsigned char)(v >> 16);
		if (have > 2)
			data[n++] = (unsigned char)(v >> 8);
		if (have > 3)
			data[n++] = (unsigned char)v;
	}
	data[n] = '\0';
	*ret = bk_steal_ptr(&data);
	*ret_len = n;
	return 0;
}
