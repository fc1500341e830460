/* What exec.c asks of the kernel, and the little that a C library would have done for it. */
#ifndef CROSSBUILD_KERNEL_H
#define CROSSBUILD_KERNEL_H

#include <asm/errno.h>
#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/auxvec.h>
#include <linux/binfmts.h>
#include <linux/elf.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/mman.h>
#include <linux/resource.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* System V ABI, AMD64 supplement, A.2.1: number in rax, arguments in rdi, rsi, rdx, r10, r8, r9;
 * a result from -4095 to -1 is an error number. */
static inline long system_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result = number;

	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#define CALL(name, a, b, c, d) system_call(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* Where a FIFO lies in the place of a file, this does not wait for its other end. */
static inline int open_file(const char *path, int flags)
{
	return (int)CALL(openat, AT_FDCWD, path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
}

static inline void close_file(int file)
{
	CALL(close, file, 0, 0, 0);
}

/* A private copy of *file*, or empty memory for a *file* below 0; null where the kernel refuses. */
static inline void *map(size_t size, int file)
{
	long flags = MAP_PRIVATE | (file < 0 ? MAP_ANONYMOUS : 0);
	long place = system_call(__NR_mmap, 0, (long)size, PROT_READ | PROT_WRITE, flags, file, 0);

	return place < 0 ? NULL : (void *)place;
}

static inline size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

static inline bool starts_with(const char *text, const char *prefix)
{
	while (*prefix && *text == *prefix) {
		text++;
		prefix++;
	}
	return !*prefix;
}

static inline bool ends_with(const char *text, const char *suffix)
{
	size_t length = length_of(text);
	size_t wanted = length_of(suffix);

	return length >= wanted && starts_with(text + length - wanted, suffix);
}

static inline void append_digits(char *text, uint64_t number)
{
	char digits[20];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while (number /= 10);
	while (*text)
		text++;
	while (count)
		*text++ = digits[--count];
	*text = 0;
}

#endif
