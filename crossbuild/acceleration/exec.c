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
#include "process.h"
#include "rule.h"
#include "table.h"

#define FOLDER "/run/crossbuild"
#define TABLE FOLDER "/table"
#define TWIN FOLDER "/twin"
#define COUNT FOLDER "/count"

/* Program header, made by interpreter.py, whose address is that of qemu's ELF header ("cros"). */
#define PT_QEMU 0x63726f73
#define MAX_TABLE (1 << 20)

/* One start in the file COUNT: native byte order, fixed size, appended by one write. */
struct record {
	uint64_t nanoseconds; /* CLOCK_MONOTONIC */
	uint32_t process;     /* id in the innermost PID namespace */
	uint32_t way;
	char path[112]; /* cut off if longer, else padded with NUL */
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
		struct text setting;
		bool ours = false;

		while (!ours && take_setting(&rest, &setting))
			ours = equals(setting, *variable);
		if (ours)
			remove_variable(process, variable);
		else
			variable++;
	}
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

/* The kernel resolved the path when it opened the program; its own answer is neither slow nor open to a race. */
static bool resolve(int program, char path[PATH_MAX])
{
	char link[sizeof("/proc/self/fd/") + 20] = "/proc/self/fd/";

	append_digits(link, (uint64_t)program);
	long length = CALL(readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);

	if (length <= 0 || path[0] != '/')
		return false;
	path[length] = 0;
	return true;
}

static void name_twin(struct request *request)
{
	char *to = request->twin;

	for (const char *from = TWIN; *from; from++)
		*to++ = *from;
	for (const char *from = request->path; *from; from++)
		*to++ = *from;
	*to = 0;
}

/* Append what the names of a `set=` or `own=` stand for, but where the caller has set them. */
static char **append_settings(char **end, const struct request *request, const struct table *table,
			      struct text names)
{
	struct text name;
	struct text setting;

	while (take(&names, ',', &name)) {
		if (!variable_is_set(request->environment, name) && find_setting(table, name, &setting))
			*end++ = (char *)setting.at;
	}
	return end;
}

/* The caller's environment and what the rule adds to it; null if there is no memory for that. */
static char **complete_environment(const struct request *request, const struct table *table, struct text rule)
{
	size_t count = (size_t)(rule.end - rule.at); /* more than names can stand there, and the final null */
	struct text condition;
	char **environment;
	char **end;

	for (char **variable = request->environment; *variable; variable++)
		count++;
	environment = map((count + 1) * sizeof(*environment), -1);
	if (!environment)
		return NULL;
	end = environment;
	for (char **variable = request->environment; *variable; variable++)
		*end++ = *variable;
	while (take(&rule, ' ', &condition))
		if (skip(&condition, "set=") || skip(&condition, "own="))
			end = append_settings(end, request, table, condition);
	return environment;
}

static bool file_sizes_are_limited(void)
{
	struct rlimit64 limit;

	return CALL(prlimit64, 0, RLIMIT_FSIZE, NULL, &limit) != 0 || limit.rlim_cur != RLIM64_INFINITY;
}

static void record(const char *path, enum way way)
{
	struct record record = {.way = way};
	struct timespec now;
	struct stat found;
	int file;

	/* A write past the limit would end this process by SIGXFSZ, or leave half a record. */
	if (file_sizes_are_limited())
		return;
	file = open_file(COUNT, O_WRONLY | O_APPEND);
	if (file < 0)
		return;
	for (size_t at = 0; at < sizeof(record.path) && path[at]; at++)
		record.path[at] = path[at];
	CALL(clock_gettime, CLOCK_MONOTONIC, &now, 0, 0);
	record.nanoseconds = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	record.process = (uint32_t)CALL(getpid, 0, 0, 0, 0);
	/* Anybody may append to it, but nobody else may have put it there. */
	if (CALL(fstat, file, &found, 0, 0) == 0 && found.st_uid == 0 && S_ISREG(found.st_mode))
		CALL(write, file, &record, sizeof(record), 0);
	close_file(file);
}

/* Returns only where the program must run in qemu. */
static void consult(const struct process *process, const struct table *table)
{
	struct request request;
	struct text rule;
	enum way way = NO_RULE;

	request.program = (int)auxiliary(process, AT_EXECFD);
	request.arguments = process->argv[2] ? process->argv + 3 : process->argv + 2;
	request.environment = process->environment;
	if (!resolve(request.program, request.path)) {
		record(process->argv[1], NO_RULE);
		return;
	}
	name_twin(&request);
	if (find_rule(table, request.path, &rule))
		way = judge(&request, rule);
	record(request.path, way);
	if (way != NATIVE)
		return;
	char **environment = complete_environment(&request, table, rule);

	/* qemu closes this descriptor once it has loaded the program; the twin must not inherit it. */
	CALL(fcntl, request.program, F_SETFD, FD_CLOEXEC, 0);
	if (environment)
		CALL(execve, request.twin, process->argv + 2, environment, 0);
	record(request.path, REFUSED);
}

static void try_twin(struct process *process)
{
	struct table table;

	/* Without flag O there is no open program whose path the kernel could tell. */
	if (!find_auxiliary(process, AT_EXECFD) || !is_trusted(FOLDER, S_IFDIR) || !map_table(&table))
		return;
	if (divide(&table)) {
		remove_settings(process, &table);
		consult(process, &table);
	}
	CALL(munmap, table.file.at, table.file.end - table.file.at, 0, 0);
}

static bool has_foreign_rights(const struct process *process)
{
	return auxiliary(process, AT_SECURE) || auxiliary(process, AT_UID) != auxiliary(process, AT_EUID) ||
	       auxiliary(process, AT_GID) != auxiliary(process, AT_EGID);
}

/* Whether the kernel started this for another program, with flag P. Linux before 5.12 does not say so: there
 * the file's name must, as it does for the qemu of Debian. */
static bool serves_a_program(const struct process *process)
{
	struct auxiliary *flags = find_auxiliary(process, AT_FLAGS);

	if (!process->argv[0] || !process->argv[1])
		return false;
	if (flags && ends_with(process->argv[0], "-binfmt-P"))
		flags->value |= AT_FLAGS_PRESERVE_ARGV0;
	return flags && (flags->value & AT_FLAGS_PRESERVE_ARGV0);
}

static const Elf64_Ehdr *find_qemu(const struct process *process)
{
	const Elf64_Phdr *header = (const Elf64_Phdr *)auxiliary(process, AT_PHDR);
	uintptr_t bias = 0;

	for (uint64_t left = auxiliary(process, AT_PHNUM); left; left--, header++) {
		if (header->p_type == PT_PHDR)
			bias = auxiliary(process, AT_PHDR) - header->p_vaddr;
		if (header->p_type == PT_QEMU)
			return (const Elf64_Ehdr *)(bias + header->p_vaddr);
	}
	return NULL;
}

/* Tell qemu about its own file instead of this one, and return where it begins. */
static uintptr_t enter_qemu(const struct process *process, const Elf64_Ehdr *qemu)
{
	uintptr_t place = (uintptr_t)qemu;
	uintptr_t entry = qemu->e_entry;

	if (qemu->e_type == ET_DYN)
		entry += place;
	set_auxiliary(process, AT_PHDR, place + qemu->e_phoff);
	set_auxiliary(process, AT_PHENT, qemu->e_phentsize);
	set_auxiliary(process, AT_PHNUM, qemu->e_phnum);
	set_auxiliary(process, AT_ENTRY, entry);
	return entry;
}

static _Noreturn void fail(const char *complaint)
{
	CALL(write, 2, complaint, length_of(complaint), 0);
	for (;;)
		CALL(exit_group, 126, 0, 0, 0);
}

__attribute__((used)) uintptr_t begin(uintptr_t *stack)
{
	struct process process = read_stack(stack);
	const Elf64_Ehdr *qemu = find_qemu(&process);

	if (!qemu)
		fail("crossbuild-exec: no qemu is joined to this file; `crossbuild setup` does that\n");
	bool serves = serves_a_program(&process);

	if (has_foreign_rights(&process))
		remove_qemu_variables(&process);
	else if (serves)
		try_twin(&process);
	return enter_qemu(&process, qemu);
}
