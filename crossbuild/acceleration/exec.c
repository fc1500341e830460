/* crossbuild-exec: starts an aarch64 program, as its x86_64 twin where the exec table allows it, else in qemu.
 *
 * The kernel starts it for every aarch64 program (binfmt_misc, flags POF or POCF) with the command line
 * [interpreter, path, the program's argv[0], arguments...] and the program open as AT_EXECFD. A static qemu is
 * joined to this file (interpreter.py) and already mapped. "Else in qemu" thus means to jump to qemu's first
 * instruction: it finds descriptors, stack and auxiliary vector as if the kernel had started it alone, and
 * nothing that fails here is worse than plain qemu. No C library is linked in: two in one process would not do.
 *
 * docs/explanation/acceleration.md has the whole story. */
#include "kernel.h"
#include "table.h"

#define FOLDER "/run/crossbuild"
#define TABLE FOLDER "/table"
#define TWIN FOLDER "/twin"
#define COUNT FOLDER "/count"

/* Program header, made by interpreter.py, whose address is that of qemu's ELF header ("cros"). */
#define PT_QEMU 0x63726f73
#define MAX_TABLE (1 << 20)

struct auxiliary {
	uint64_t type;
	uint64_t value;
};

/* What the kernel put on the stack (System V ABI, AMD64 supplement, 3.4.1); the arrays lie one after the
 * other and end with a null. */
struct process {
	char **argv;
	char **environment;
	struct auxiliary *auxiliary;
};

/* Why a program ran the way it did; letters of the accounting record, read by starts.py. */
enum way {
	NATIVE = 'n',
	NO_RULE = 'q',
	ARGUMENTS = 'a',
	ENVIRONMENT = 'e',
	TWIN_UNFIT = 't',
	REFUSED = 'x', /* by execve, after a record that said NATIVE */
};

/* One start in the file COUNT: native byte order, fixed size, appended by one write. */
struct record {
	uint64_t nanoseconds; /* CLOCK_MONOTONIC */
	uint32_t process;     /* id in the innermost PID namespace */
	uint32_t way;
	char path[112]; /* cut off if longer, else padded with NUL */
};

/* Everything about one start that the table is asked about. */
struct request {
	char **arguments; /* behind the program's argv[0] */
	char **environment;
	char path[PATH_MAX];
	char twin[sizeof(TWIN) + PATH_MAX];
};

/* Where the process begins: keep the stack as it is for qemu, and hand it over with the registers as the
 * kernel leaves them (3.4.1: rdx holds a function for atexit, here none). */
__asm__(".globl _start\n"
	"_start:\n"
	"	mov %rsp, %rbx\n"
	"	mov %rsp, %rdi\n"
	"	call begin\n"
	"	mov %rbx, %rsp\n"
	"	xor %ebx, %ebx\n"
	"	xor %ebp, %ebp\n"
	"	xor %edx, %edx\n"
	"	jmp *%rax\n");

static struct process read_stack(uintptr_t *stack)
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

static struct auxiliary *find_auxiliary(const struct process *process, uint64_t type)
{
	for (struct auxiliary *entry = process->auxiliary; entry->type != AT_NULL; entry++)
		if (entry->type == type)
			return entry;
	return NULL;
}

static uint64_t auxiliary(const struct process *process, uint64_t type)
{
	const struct auxiliary *entry = find_auxiliary(process, type);

	return entry ? entry->value : 0;
}

/* Take one variable out and let all that lies behind it, the auxiliary vector too, move up. */
static void remove_variable(struct process *process, char **variable)
{
	const struct auxiliary *last = process->auxiliary;

	while (last->type != AT_NULL)
		last++;
	for (char **end = (char **)(last + 1); variable + 1 < end; variable++)
		variable[0] = variable[1];
	process->auxiliary = (struct auxiliary *)((char **)process->auxiliary - 1);
}

/* Setuid under flag C: qemu obeys variables that let its caller write files with the new rights. */
static void remove_qemu_variables(struct process *process)
{
	char **variable = process->environment;

	while (*variable)
		if (starts_with(*variable, "QEMU_"))
			remove_variable(process, variable);
		else
			variable++;
}

/* What the table sets for one program must not be inherited by those that it starts. */
static void remove_settings(struct process *process, const struct table *table)
{
	char **variable = process->environment;

	while (*variable) {
		struct text rest = table->settings;
		struct text line;
		bool ours = false;

		while (!ours && take(&rest, '\n', &line))
			ours = skip(&line, SETTING) && equals(line, *variable);
		if (ours)
			remove_variable(process, variable);
		else
			variable++;
	}
}

static bool only_root_writes(const struct stat *found, unsigned int type)
{
	return found->st_uid == 0 && (found->st_mode & S_IFMT) == type && !(found->st_mode & (S_IWGRP | S_IWOTH));
}

static bool is_trusted(const char *path, unsigned int type)
{
	struct stat found;

	return CALL(newfstatat, AT_FDCWD, path, &found, AT_SYMLINK_NOFOLLOW) == 0 && only_root_writes(&found, type);
}

static bool map_table(struct table *table)
{
	struct stat found;
	int file = open_file(TABLE, O_RDONLY);
	char *text = NULL;

	if (file < 0)
		return false;
	if (CALL(fstat, file, &found, 0, 0) == 0 && only_root_writes(&found, S_IFREG) && found.st_size <= MAX_TABLE)
		text = map((size_t)found.st_size, file);
	close_file(file);
	if (!text)
		return false;
	table->file = (struct text){text, text + found.st_size};
	return true;
}

static void append_digits(char *text, uint64_t number)
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

/* The kernel resolved the path when it opened the program; its own answer is neither slow nor open to a race. */
static bool resolve(uint64_t program, char path[PATH_MAX])
{
	char link[sizeof("/proc/self/fd/") + 20] = "/proc/self/fd/";

	append_digits(link, program);
	long length = CALL(readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);

	if (length <= 0 || path[0] != '/')
		return false;
	path[length] = 0;
	return true;
}

static bool is_among(const char *value, struct text choices)
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

static bool any_among(char **arguments, struct text choices)
{
	for (; *arguments; arguments++)
		if (is_among(*arguments, choices))
			return true;
	return false;
}

static bool environment_has(char **environment, const char *prefix)
{
	for (; *environment; environment++)
		if (starts_with(*environment, prefix))
			return true;
	return false;
}

static bool variable_is_set(char **environment, struct text name)
{
	for (; *environment; environment++) {
		struct text variable = {*environment, *environment + length_of(*environment)};
		struct text word;

		if (take(&variable, '=', &word) && same(word, name))
			return true;
	}
	return false;
}

static bool any_set(char **environment, struct text names)
{
	struct text name;

	while (take(&names, ',', &name))
		if (variable_is_set(environment, name))
			return true;
	return false;
}
