/* The stack that the kernel made for this process, which qemu inherits in place (System V ABI, AMD64
 * supplement, 3.4.1): changes to it are what qemu and the emulated program see. */
#ifndef CROSSBUILD_PROCESS_H
#define CROSSBUILD_PROCESS_H

#include "kernel.h"

struct auxiliary {
	uint64_t type;
	uint64_t value;
};

/* The arrays lie one behind the other; each ends with a null. */
struct process {
	char **argv;
	char **environment;
	struct auxiliary *auxiliary;
};

static inline struct process read_stack(uintptr_t *stack)
{
	struct process process = {.argv = (char **)(stack + 1)};
	char **end = process.argv;

	while (*end)
		end++;
	process.environment = ++end;
	while (*end)
		end++;
	process.auxiliary = (struct auxiliary *)(end + 1);
	return process;
}

static inline struct auxiliary *find_auxiliary(const struct process *process, uint64_t type)
{
	for (struct auxiliary *entry = process->auxiliary; entry->type != AT_NULL; entry++)
		if (entry->type == type)
			return entry;
	return NULL;
}

static inline uint64_t auxiliary(const struct process *process, uint64_t type)
{
	const struct auxiliary *entry = find_auxiliary(process, type);

	return entry ? entry->value : 0;
}

/* Take one variable out and let all that lies behind it, the auxiliary vector too, move up. */
static inline void remove_variable(struct process *process, char **variable)
{
	const struct auxiliary *last = process->auxiliary;

	while (last->type != AT_NULL)
		last++;
	for (char **end = (char **)(last + 1); variable + 1 < end; variable++)
		variable[0] = variable[1];
	process->auxiliary = (struct auxiliary *)((char **)process->auxiliary - 1);
}

static inline void set_auxiliary(const struct process *process, uint64_t type, uint64_t value)
{
	struct auxiliary *entry = find_auxiliary(process, type);

	if (entry)
		entry->value = value;
}

#endif
