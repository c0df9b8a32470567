/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of compiled filters. A file is a head, the key and the program. The key is everything
 * that the program follows from: the whole profile, in the encoding of the table that it is read
 * by (a member that the table gets later is in the key by itself; but not whom notifications go to,
 * which makes no difference to the program), how it is compiled, and the compiler. The name is
 * a hash of the key, but a hit is a key that is equal byte for byte.
 */
#include "sec/sec_seccomp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"

/* To be raised with every change of what sec_seccomp_compile() makes of the same profile. */
#define CACHE_FORMAT	2
#define CACHE_PREFIX	"seccomp-"
#define CACHE_NAME_SIZE sizeof(CACHE_PREFIX "0123456789abcdef")
#define CACHE_FILE_MAX                                     \
	(sizeof(struct cache_head) + SEC_SECCOMP_KEY_MAX + \
	 SEC_SECCOMP_INSNS_MAX * sizeof(struct sock_filter))

struct cache_head {
	char magic[8];
	uint32_t key_len; /* padded with zeros to 8 */
	uint32_t n_insns;
	uint32_t flags;
	uint32_t notify;
	uint64_t
		hash; /* of flags, notify and program: a flipped bit on the disk must not become a filter */
};

static const char cache_magic[8] = { 'b', 'o', 'c', 'k', 'b', 'p', 'f', '1' };

/* Eight bytes a step; nothing leans on it but speed and the finding of accidents. */
static uint64_t hash_bytes(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ len;

	while (len > 0) {
		uint64_t word = 0;
		size_t step = len < sizeof(word) ? len : sizeof(word);

		memcpy(&word, p, step);
		h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
		p += step;
		len -= step;
	}
	return h;
}

static uint64_t hash_program(const struct sock_filter *insns, size_t n, uint32_t flags,
			     uint32_t notify)
{
	const uint32_t both[] = { flags, notify };

	return hash_bytes(insns, n * sizeof(*insns)) ^ hash_bytes(both, sizeof(both));
}

static int make_key(const struct oci_seccomp *s, unsigned int how, struct bk_buf *key,
		    struct bk_err **err)
{
	const struct scmp_version *v = seccomp_version();
	struct oci_seccomp profile = *s;
	int rc;

	profile.listener_path = profile.listener_metadata = NULL;
	bk_buf_printf(key, "bock %d libseccomp %u.%u.%u arch %x how %u\n", CACHE_FORMAT, v->major,
		      v->minor, v->micro, seccomp_arch_native(), how);
	rc = bk_json_encode(&oci_seccomp_type, &profile, 0, key, err);
	if (rc < 0)
		return rc;
	while (key->len % 8)
		bk_buf_addc(key, '\0');
	return bk_buf_check(key, "linux.seccomp", err);
}

/* Takes a file's content apart; what does not fit to the last byte is no hit. */
static bool match(char *data, size_t len, const struct bk_buf *key, struct sec_bpf *ret)
{
	struct cache_head head;
	struct sock_filter *insns;
	size_t insns_len;

	if (len < sizeof(head))
		return false;
	memcpy(&head, data, sizeof(head));
	insns_len = head.n_insns * sizeof(*insns);
	if (memcmp(head.magic, cache_magic, sizeof(cache_magic)) != 0 || head.n_insns == 0 ||
	    head.n_insns > SEC_SECCOMP_INSNS_MAX || head.notify > 1 || head.key_len != key->len ||
	    len != sizeof(head) + key->len + insns_len)
		return false;
	if (memcmp(data + sizeof(head), key->data, key->len) != 0)
		return false;
	/* head and key are multiples of 8 */
	insns = (struct sock_filter *)(void *)(data + sizeof(head) + key->len);
	if (hash_program(insns, head.n_insns, head.flags, head.notify) != head.hash)
		return false;
	*ret = (struct sec_bpf){
		.insns = insns,
		.n = head.n_insns,
		.flags = head.flags,
		.notify = head.notify,
		.mem = data,
	};
	return true;
}

static bool lookup(int dirfd, const char *name, const struct bk_buf *key, struct sec_bpf *ret)
{
	bk_autoclose int fd = -1;
	bk_autofree char *data = NULL;
	struct stat st;
	size_t len;

	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	/* the auxiliary vector knows the euid that we started with without a system call */
	if (!S_ISREG(st.st_mode) || st.st_uid != getauxval(AT_EUID) || (st.st_mode & 022) ||
	    st.st_size <= 0 || (size_t)st.st_size > CACHE_FILE_MAX)
		return false;
	len = (size_t)st.st_size;
	data = bk_malloc(len);
	if (bk_fd_read_full(fd, data, len) != (ssize_t)len || !match(data, len, key, ret))
		return false;
	(void)bk_steal_ptr(&data); /* ret->mem */
	return true;
}

/* Makes room for one more file by removing the oldest. */
static void prune(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bk_autoclosedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	char oldest[CACHE_NAME_SIZE] = "";
	struct timespec oldest_time = { 0 };
	unsigned int count = 0;
	struct dirent *e;

	if (!dir) {
		bk_close(&fd);
		return;
	}
	while ((e = readdir(dir))) {
		struct stat st;

		if (!bk_skip_prefix(e->d_name, CACHE_PREFIX) ||
		    strlen(e->d_name) >= sizeof(oldest) ||
		    fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		count++;
		if (oldest[0] && (st.st_mtim.tv_sec > oldest_time.tv_sec ||
				  (st.st_mtim.tv_sec == oldest_time.tv_sec &&
				   st.st_mtim.tv_nsec >= oldest_time.tv_nsec)))
			continue;
		oldest_time = st.st_mtim;
		memcpy(oldest, e->d_name, strlen(e->d_name) + 1);
	}
	if (count >= SEC_SECCOMP_CACHE_FILES && oldest[0])
		(void)unlinkat(dirfd, oldest, 0);
}

/* A cache that cannot be written to costs time and nothing else. */
static void store(int dirfd, const char *name, const struct bk_buf *key, const struct sec_bpf *bpf)
{
	bk_autobuf struct bk_buf file = BK_BUF_INIT(CACHE_FILE_MAX);
	size_t insns_len = bpf->n * sizeof(*bpf->insns);
	struct cache_head head = {
		.key_len = (uint32_t)key->len,
		.n_insns = (uint32_t)bpf->n,
		.flags = bpf->flags,
		.notify = bpf->notify,
		.hash = hash_program(bpf->insns, bpf->n, bpf->flags, bpf->notify),
	};

	memcpy(head.magic, cache_magic, sizeof(head.magic));
	prune(dirfd);
	bk_buf_add(&file, &head, sizeof(head));
	bk_buf_add(&file, key->data, key->len);
	bk_buf_add(&file, bpf->insns, insns_len);
	if (!file.overflow)
		(void)bk_file_write_atomic(dirfd, name, file.data, file.len, 0600, false, NULL);
}

int sec_seccomp_get(const struct oci_seccomp *s, unsigned int how, int cache_dirfd,
		    struct sec_bpf *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf key = BK_BUF_INIT(SEC_SECCOMP_KEY_MAX);
	char name[CACHE_NAME_SIZE];
	int rc;

	if (cache_dirfd < 0 || make_key(s, how, &key, NULL) < 0)
		return sec_seccomp_compile(s, how, ret, err);
	snprintf(name, sizeof(name), CACHE_PREFIX "%016llx",
		 (unsigned long long)hash_bytes(key.data, key.len));
	if (lookup(cache_dirfd, name, &key, ret))
		return 0;
	rc = sec_seccomp_compile(s, how, ret, err);
	if (rc < 0)
		return rc;
	store(cache_dirfd, name, &key, ret);
	return 0;
}
