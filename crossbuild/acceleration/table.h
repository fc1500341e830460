/* The exec table: which programs may be replaced by their twins. Written by crossbuild/acceleration/table.py.
 *
 *	crossbuild-exec 1
 *	set HOSTTYPE=aarch64
 *	/usr/bin/bash 1265648 none=--version set=HOSTTYPE
 *	/usr/bin/python3.11 6831400 of=6553000 first=-m|py_compile
 *	/usr/bin/sed 126424 of=187216
 *
 * Rules come last, sorted by the bytes of their paths: the resolved path of the program, the twin's size in
 * bytes, then conditions. The file is searched as it is; a rule that is not understood is no rule. */
#ifndef CROSSBUILD_TABLE_H
#define CROSSBUILD_TABLE_H

#include "kernel.h"

#define TABLE_HEAD "crossbuild-exec 1\n"
#define SETTING "set "

struct text {
	const char *at;
	const char *end;
};

struct table {
	struct text file; /* a private, writable copy */
	struct text settings;
	struct text rules;
};

/* Take what stands before *separator*, or all, off the front of *rest*; false where nothing is left. */
static inline bool take(struct text *rest, char separator, struct text *taken)
{
	const char *at = rest->at;
	bool found = at < rest->end;

	while (at < rest->end && *at != separator)
		at++;
	*taken = (struct text){rest->at, at};
	rest->at = at < rest->end ? at + 1 : at;
	return found;
}

static inline bool equals(struct text text, const char *other)
{
	while (text.at < text.end && *text.at == *other) {
		text.at++;
		other++;
	}
	return text.at == text.end && !*other;
}

static inline bool same(struct text one, struct text other)
{
	while (one.at < one.end && other.at < other.end && *one.at == *other.at) {
		one.at++;
		other.at++;
	}
	return one.at == one.end && other.at == other.end;
}

/* If *text* begins with *prefix*, which holds no NUL, take it off. */
static inline bool skip(struct text *text, const char *prefix)
{
	size_t length = length_of(prefix);

	if ((size_t)(text->end - text->at) < length || !starts_with(text->at, prefix))
		return false;
	text->at += length;
	return true;
}

/* Find the parts of the file, and end each setting with a NUL, as an environment needs it. */
static inline bool divide(struct table *table)
{
	struct text rest = table->file;
	struct text line;

	/* With a line break at the end, no comparison above can run past the file. */
	if (!skip(&rest, TABLE_HEAD) || rest.end[-1] != '\n')
		return false;
	table->settings = rest;
	while (skip(&rest, SETTING) && take(&rest, '\n', &line))
		*(char *)line.end = 0;
	table->settings.end = rest.at;
	table->rules = rest;
	return true;
}

/* Below, at or above 0 where *path* comes before, is or comes after the first word of *line*. */
static inline int compare_path(const char *path, struct text line)
{
	while (line.at < line.end && *line.at != ' ' && *path == *line.at) {
		path++;
		line.at++;
	}
	if (line.at == line.end || *line.at == ' ')
		return *path ? 1 : 0;
	return (unsigned char)*path - (unsigned char)*line.at;
}

/* Find the rule for *path* and return what follows its path. */
static inline bool find_rule(const struct table *table, const char *path, struct text *rule)
{
	const char *low = table->rules.at;
	const char *high = table->rules.end;

	while (low < high) {
		const char *middle = low + (high - low) / 2;
		struct text rest = {middle, high};
		struct text line;
		struct text word;

		while (rest.at > low && rest.at[-1] != '\n')
			rest.at--;
		middle = rest.at;
		take(&rest, '\n', &line);

		int order = compare_path(path, line);

		if (order == 0) {
			take(&line, ' ', &word);
			*rule = line;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = rest.at;
	}
	return false;
}

/* Take the next `NAME=VALUE`, which ends with a NUL. */
static inline bool take_setting(struct text *settings, struct text *setting)
{
	return skip(settings, SETTING) && take(settings, 0, setting);
}

/* Find what the table sets *name* to, as `NAME=VALUE`. */
static inline bool find_setting(const struct table *table, struct text name, struct text *setting)
{
	struct text rest = table->settings;

	while (take_setting(&rest, setting)) {
		struct text value = *setting;
		struct text word;

		if (take(&value, '=', &word) && same(word, name))
			return true;
	}
	return false;
}

#endif
