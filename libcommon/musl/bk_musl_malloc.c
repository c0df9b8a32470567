/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malloc() for a program that lives for a millisecond, in place of musl's. That gives each group of
 * blocks back to the kernel when its last one is free, which is right for what runs for days, and costs a `run` 35
 * system calls and as many page faults. (musl allows for the replacement: all of malloc, calloc, realloc and free
 * are defined here; nothing that is linked asks for aligned memory.)
 *
 * Blocks come from a first piece in .bss, which costs no call, then from mapped ones. What is
 * freed is kept, by size, for the next block of that size, or of one that is not much smaller. What is larger
 * than BIG is a mapping of its own, and goes back.
 *
 * Every block has a header with a mark made of its address, size, state and a secret of this run: what
 * is freed twice, or was never a block, or whose header was overwritten by the block below, ends
 * the program.
 *
 * For one thread: nothing here locks. (The second thread of sec/sec_notify.c allocates nothing, nor does
 * what runs between vfork and execve.)
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#define UNIT 16				/* alignment, and what sizes are rounded up to */
#define FIRST_PIECE (96 * 1024)		/* most commands need no more */
#define PIECE (256 * 1024)
#define BIG (64 * 1024)			/* what is larger is a mapping of its own */
#define LINEAR 8			/* sizes up to LINEAR * UNIT are a class each; then four in a doubling */
#define CLASSES (LINEAR + 4 * 9) /* the last one is BIG */
#define NEAR 4				/* how many classes larger a free block may be than what is asked for */

struct block {
	uint64_t mark;
	uint64_t size; /* of the payload, the whole of it */
	unsigned char payload[];
};

enum state { LIVE = 0x4c, FREE = 0x46 };

static struct {
	_Alignas(UNIT) unsigned char first[FIRST_PIECE];
	unsigned char *at, *end;	/* of the piece that new blocks are cut from */
	struct block *free[CLASSES];	/* linked by the first word of the payload */
	uint64_t secret;
} heap;

_Noreturn static void die(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		abort();
	abort();
}

static uint64_t mark_of(const struct block *b, enum state state)
{
	return ((heap.secret ^ (uintptr_t)b) + (b->size << 8) + state) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The class whose blocks hold n bytes, and how many they hold. n <= BIG */
static size_t class_of(size_t n, size_t *ret_size)
{
	size_t shift, step;

	if (n <= LINEAR * UNIT) {
		size_t i = n ? (n - 1) / UNIT : 0;

		*ret_size = (i + 1) * UNIT;
		return i;
	}
	shift = 63 - (size_t)__builtin_clzll(n - 1);	/* 7: 129 to 256 */
	step = (n - 1) >> (shift - 2);			/* 4 to 7 */
	*ret_size = (step + 1) << (shift - 2);
	return LINEAR + (shift - 7) * 4 + (step - 4);
}

static void begin(void)
{
	const void *random = (const void *)getauxval(AT_RANDOM);

	/* the first half of these bytes is the stack protector's canary */
	if (random)
		memcpy(&heap.secret, (const char *)random + 8, sizeof(heap.secret));
	heap.secret |= 1;
	heap.at = heap.first;
	heap.end = heap.first + sizeof(heap.first);
}

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static size_t whole_pages(size_t n)
{
	size_t page = getauxval(AT_PAGESZ);

	return (n + page - 1) & ~(page - 1);
}

static void *hand_out(struct block *b, size_t size)
{
	b->size = size;
	b->mark = mark_of(b, LIVE);
	return b->payload;
}

/* A block of a mapping's own, or one that nobody had yet: its bytes are 0. NULL: no memory. */
static void *new_block(size_t n, size_t size)
{
	unsigned char *at = heap.at;

	if (n > BIG) {
		size = whole_pages(n + sizeof(struct block));
		at = map(size);
		return at ? hand_out((void *)at, size - sizeof(struct block)) : NULL;
	}
	if ((size_t)(heap.end - heap.at) < sizeof(struct block) + size) {
		at = map(PIECE);
		if (!at)
			return NULL;
		heap.end = at + PIECE;
	}
	heap.at = at + sizeof(struct block) + size;
	return hand_out((void *)at, size);
}

static struct block *take_free(size_t class)
{
	for (size_t i = class; i < CLASSES && i <= class + NEAR; i++) {
		struct block *b = heap.free[i];

		if (!b)
			continue;
		if (b->mark != mark_of(b, FREE))
			die("malloc(): a free block was written to\n");
		memcpy(&heap.free[i], b->payload, sizeof(void *));
		return b;
	}
	return NULL;
}

static void *allocate(size_t n, int zero)
{
	struct block *b;
	size_t class, size = 0;
	void *p;

	if (!heap.secret)
		begin();
	if (n > PTRDIFF_MAX - 2 * BIG) {
		errno = ENOMEM;
		return NULL;
	}
	if (n <= BIG) {
		class = class_of(n, &size);
		b = take_free(class);
		if (b) {
			p = hand_out(b, b->size);
			return zero ? memset(p, 0, n) : p;
		}
	}
	p = new_block(n, size);
	if (!p)
		errno = ENOMEM;
	return p;
}

static struct block *block_of(void *p, const char *wrong)
{
	struct block *b = (void *)((unsigned char *)p - sizeof(struct block));

	if ((uintptr_t)p % UNIT || b->mark != mark_of(b, LIVE))
		die(wrong);
	return b;
}

void *malloc(size_t n)
{
	return allocate(n, 0);
}

void *calloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return allocate(bytes, 1);
}

void free(void *p)
{
	struct block *b;
	size_t class, size;

	if (!p)
		return;
	b = block_of(p, "free(): not a block, or freed before\n");
	if (b->size > BIG) {
		int saved = errno;

		(void)munmap(b, b->size + sizeof(*b));
		errno = saved;
		return;
	}
	class = class_of(b->size, &size);
	b->mark = mark_of(b, FREE);
	memcpy(b->payload, &heap.free[class], sizeof(void *));
	heap.free[class] = b;
}

/* The newest block of a piece can grow where it is. */
static int grow(struct block *b, size_t n)
{
	size_t size;

	if (b->size > BIG || n > BIG || b->payload + b->size != heap.at)
		return 0;
	(void)class_of(n, &size);
	if ((size_t)(heap.end - b->payload) < size)
		return 0;
	heap.at = b->payload + size;
	(void)hand_out(b, size);
	return 1;
}

void *realloc(void *p, size_t n)
{
	struct block *b;
	void *new;

	if (!p)
		return malloc(n);
	b = block_of(p, "realloc(): not a block, or freed before\n");
	if (n <= b->size || grow(b, n))
		return p;
	new = malloc(n);
	if (!new)
		return NULL;
	memcpy(new, p, b->size);
	free(p);
	return new;
}
