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
	char path[PATH_MAX];
	char twin[PATH_MAX + 32];
};

static inline bool is_among(const char *value, struct text choices)
{
	struct text choice;

	while (take(&choices, ',', &choice)) {
		const char *at = value;

		while (choice.at < choice.end && *at == *choice.at) {
			at++;
			choice.at++;
		}
		if (choice.at == choice.end ? !*at : *choice.at == '*')
			return true;
	}
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

static inline bool twin_is_fit(const char *twin, struct text size)
{
	struct stat found;
	char digits[21] = "";

	if (CALL(newfstatat, AT_FDCWD, twin, &found, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	append_digits(digits, (uint64_t)found.st_size);
	/* Without flag C the emulated program gets no rights from its file, so its twin must not either. */
	return only_root_writes(&found, S_IFREG) && !(found.st_mode & (S_ISUID | S_ISGID)) && equals(size, digits);
}

/* Apply one condition of a rule; NATIVE means that it does not object. */
static inline enum way apply(const struct request *request, struct text condition)
{
	if (skip(&condition, "first="))
		return *request->arguments && is_among(*request->arguments, condition) ? NATIVE : ARGUMENTS;
	if (skip(&condition, "none="))
		return any_among(request->arguments, condition) ? ARGUMENTS : NATIVE;
	if (skip(&condition, "own="))
		return any_set(request->environment, condition) ? ENVIRONMENT : NATIVE;
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
