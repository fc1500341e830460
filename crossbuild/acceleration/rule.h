/* Whether one program may be replaced by its twin: the conditions of its rule and the state of the twin. */
#ifndef CROSSBUILD_RULE_H
#define CROSSBUILD_RULE_H

#include "kernel.h"
#include "table.h"

/* Why a program ran the way it did; letters of the accounting record, read by starts.py. */
enum way {
	NATIVE = 'n',
	NO_RULE = 'q',
	ARGUMENTS = 'a',
	ENVIRONMENT = 'e',
	TWIN_UNFIT = 't',
	REFUSED = 'x', /* by execve, after a record that said NATIVE */
};

/* Everything about one start that the table is asked about. */
struct request {
	char **arguments; /* behind the program's argv[0] */
	char **environment;
	int program; /* open, as the kernel would execute it */
	char path[PATH_MAX];
	char twin[PATH_MAX + 32];
};

static inline bool matches(const char *value, struct text choice)
{
	while (choice.at < choice.end && *value == *choice.at) {
		value++;
		choice.at++;
	}
	return choice.at == choice.end ? !*value : *choice.at == '*';
}

static inline bool is_among(const char *value, struct text choices)
{
	struct text choice;

	while (take(&choices, ',', &choice))
		if (matches(value, choice))
			return true;
	return false;
}

static inline bool begin_with(char **arguments, struct text words)
{
	struct text word;

	for (; take(&words, '|', &word); arguments++)
		if (!*arguments || !matches(*arguments, word))
			return false;
	return true;
}

static inline bool begin_with_one(char **arguments, struct text choices)
{
	struct text choice;

	while (take(&choices, ',', &choice))
		if (begin_with(arguments, choice))
			return true;
	return false;
}

static inline bool any_among(char **arguments, struct text choices)
{
	for (; *arguments; arguments++)
		if (is_among(*arguments, choices))
			return true;
	return false;
}

static inline bool environment_has(char **environment, const char *prefix)
{
	for (; *environment; environment++)
		if (starts_with(*environment, prefix))
			return true;
	return false;
}

static inline bool variable_is_set(char **environment, struct text name)
{
	for (; *environment; environment++) {
		struct text variable = {*environment, *environment + length_of(*environment)};
		struct text word;

		if (take(&variable, '=', &word) && same(word, name))
			return true;
	}
	return false;
}

static inline bool any_set(char **environment, struct text names)
{
	struct text name;

	while (take(&names, ',', &name))
		if (variable_is_set(environment, name))
			return true;
	return false;
}

static inline bool only_root_writes(const struct stat *found, unsigned int type)
{
	return found->st_uid == 0 && (found->st_mode & S_IFMT) == type && !(found->st_mode & (S_IWGRP | S_IWOTH));
}

static inline bool is_trusted(const char *path, unsigned int type)
{
	struct stat found;

	return CALL(newfstatat, AT_FDCWD, path, &found, AT_SYMLINK_NOFOLLOW) == 0 && only_root_writes(&found, type);
}

static inline bool has_size(const struct stat *found, struct text size)
{
	char digits[21] = "";

	append_digits(digits, (uint64_t)found->st_size);
	return equals(size, digits);
}

static inline bool twin_is_fit(const char *twin, struct text size)
{
	struct stat found;

	if (CALL(newfstatat, AT_FDCWD, twin, &found, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	/* Without flag C the emulated program gets no rights from its file, so its twin must not either. */
	return only_root_writes(&found, S_IFREG) && !(found.st_mode & (S_ISUID | S_ISGID)) && has_size(&found, size);
}

/* At that path may lie another program: of another version, mounted over it, or put there by hand. */
static inline bool is_original(int program, struct text size)
{
	struct stat found;

	return CALL(fstat, program, &found, 0, 0) == 0 && has_size(&found, size);
}

/* Whatever is there, be it a link that leads nowhere; also where that cannot be found out. */
static inline bool is_absent(struct text path)
{
	char name[PATH_MAX] = "";
	struct stat found;

	if (path.end - path.at >= PATH_MAX)
		return false;
	for (char *to = name; path.at < path.end; path.at++)
		*to++ = *path.at;
	return CALL(newfstatat, AT_FDCWD, name, &found, AT_SYMLINK_NOFOLLOW) == -ENOENT;
}

static inline bool all_absent(struct text paths)
{
	struct text path;

	while (take(&paths, ',', &path))
		if (!is_absent(path))
			return false;
	return true;
}

/* Apply one condition of a rule; NATIVE means that it does not object. */
static inline enum way apply(const struct request *request, struct text condition)
{
	if (skip(&condition, "first="))
		return begin_with_one(request->arguments, condition) ? NATIVE : ARGUMENTS;
	if (skip(&condition, "none="))
		return any_among(request->arguments, condition) ? ARGUMENTS : NATIVE;
	if (skip(&condition, "own="))
		return any_set(request->environment, condition) ? ENVIRONMENT : NATIVE;
	if (skip(&condition, "of="))
		return is_original(request->program, condition) ? NATIVE : NO_RULE;
	if (skip(&condition, "absent="))
		return all_absent(condition) ? NATIVE : NO_RULE;
	return skip(&condition, "set=") ? NATIVE : NO_RULE;
}

static inline enum way judge(const struct request *request, struct text rule)
{
	struct text size;
	struct text condition;

	/* What the dynamic loader is told is meant for aarch64 libraries (ld.so(8)). */
	if (environment_has(request->environment, "LD_"))
		return ENVIRONMENT;
	take(&rule, ' ', &size);
	while (take(&rule, ' ', &condition)) {
		enum way way = apply(request, condition);

		if (way != NATIVE)
			return way;
	}
	return twin_is_fit(request->twin, size) ? NATIVE : TWIN_UNFIT;
}

#endif
