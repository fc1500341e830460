"""Starts of every kind: what is executed, how, and in which state of the sandbox."""

from __future__ import annotations

import dataclasses
import resource
import signal
from collections.abc import Sequence
from typing import Any

from tests.integration.exec_rig import Case

ORDINARY_USER = 1000
VERSION = "/etc/debian_version"


def sh(script: str, *arguments: str) -> Case:
    return Case(path="/bin/sh", argv=("sh", "-c", script, *arguments))


def bash(script: str, *, argv0: str = "bash") -> Case:
    return Case(path="/bin/bash", argv=(argv0, "-c", script))


def cat(*arguments: str, **state: Any) -> Case:
    return Case(path="/bin/cat", argv=("cat", *arguments), **state)


def script(head: str, *, inner: str = "") -> Case:
    prepare = f"printf '%s\\n' '{head}' 's/^#.*/text/p' 'true || echo \"$0\" \"$@\"' >opt/script\n"
    prepare += f"printf '%s\\n' '{inner}' 'echo inner \"$0\" \"$@\"' >opt/inner\n"
    return Case(path="/opt/script", argv=("name", "/opt/script", "b c"), prepare=prepare + "chmod 755 opt/*")


def started_by_a_shell(content: str, *, mode: str = "755") -> Case:
    """A file of odd *content*, as printf(1) writes it, that a shell is to execute."""
    prepare = f"printf '{content}' >opt/script; chmod {mode} opt/script"
    return dataclasses.replace(sh('/opt/script "b c"; echo "status $?"'), prepare=prepare)


def path(value: str, *, prepare: str = "") -> Case:
    """A shell that starts `tool`, here a link to cat, along PATH."""
    tools = "mkdir -p opt/one opt/two; ln -s /bin/cat opt/one/tool; ln -s ../one/../../bin/cat opt/two/tool\n"
    script = f"cd /opt/one; PATH={value}; tool {VERSION}; command -v tool; tool none"
    return dataclasses.replace(sh(script), prepare=tools + prepare)


NESTED = "mkdir -p opt/nested/usr; cp -a usr/bin usr/lib opt/nested/usr; ln -s usr/bin usr/lib opt/nested"
ENV = {"PATH": "/usr/bin:/bin"}
NATIVE: Sequence[tuple[str, Case]] = (
    ("arguments", sh('printf "<%s>" "$@"', "x", "", "a b", "*", "new\nline", "ü", "-c")),
    ("argv0", bash("echo $0", argv0="other")),
    ("argv0 with spaces", bash("echo $0", argv0=" a  b ")),
    ("argv0 empty", bash('echo "<$0>"', argv0="")),
    ("argv0 of a failing program", Case(path="/bin/ls", argv=("a b", "/none"))),
    ("no argv at all", Case(path="/bin/true", argv=())),
    # qemu 7.2 hands variables on in reverse order.
    ("environment", dataclasses.replace(sh("env | sort"), env={**ENV, "A": "1", "B": "", "C": "x=y "})),
    ("no environment", Case(path="/usr/bin/env", argv=("env",), env={})),
    ("exit status", sh("exit 7")),
    ("death by a signal", sh("kill -TERM $$")),
    ("death of a child", sh("sh -c 'kill -SEGV $$' 2>/dev/null; echo $?")),
    ("ignored signal", dataclasses.replace(sh("kill -HUP $$; echo alive"), ignored=(signal.SIGHUP,))),
    ("signal state", Case(path="/usr/bin/env", argv=("env", "--list-signal-handling", "true"),
                          ignored=(signal.SIGUSR1,), blocked=(signal.SIGUSR2,))),
    ("standard input", Case(path="/bin/cat", argv=("cat",), stdin="in\nput")),
    ("standard error", sh("echo bad >&2; echo good")),
    ("descriptors", Case(path="/bin/ls", argv=("ls", "/proc/self/fd"))),
    ("relative path", Case(path="bin/cat", argv=("cat", "bash/../cat"), folder="/usr")),
    ("path through links", Case(path="/opt/link", argv=("link", "/etc/hostname"),
                                prepare="ln -s ../bin/../bin/cat opt/far; ln -s /opt/far opt/link")),
    ("path with many dots", Case(path="/usr/./bin/..//bin/cat", argv=("cat", "/etc/debian_version"))),
    ("open file", cat(VERSION, opened="execveat")),
    ("open file in proc", cat(VERSION, opened="proc")),
    ("very many arguments", dataclasses.replace(sh("echo $#"), filler=1_900_000)),
    ("as an ordinary user", dataclasses.replace(sh("cat /proc/self/loginuid; exit 3"), uid=ORDINARY_USER)),
    ("not readable", cat(VERSION, uid=ORDINARY_USER,
                          prepare="chmod 711 usr/bin/cat")),
    ("set-uid without flag C", Case(path="/bin/cat", argv=("cat", "/etc/shadow"), uid=ORDINARY_USER,
                                    prepare="chmod 4755 usr/bin/cat")),
    ("#! with an absolute path", script("#!/bin/sh")),
    ("#! with a blank", script("#! /bin/sh")),
    ("#! with an argument", script("#!/bin/sh -x")),
    ("#! with env", script("#!/usr/bin/env sh")),
    ("#! with env and words", script("#!/usr/bin/env -S bash -u -x")),
    ("#! with an interpreter that is no shell", script("#!/bin/sed -nf")),
    ("#! relative", script("#!bin/sh")),
    ("#! nested", script("#!/opt/inner word", inner="#!/bin/sh")),
    *((f"#! {name}", started_by_a_shell(content)) for name, content in {
        "without anything": "#!",
        "with nothing but blanks": "#!  \\n",
        "without a line break at the end": "#!/bin/ls",
        "with an argument of two words": "#!/bin/sh -e -x\\necho",
        "with tabs and blanks at the end": "#!\\t/bin/sh\\t-e \\t \\necho $0 $1\\n",
        "of a file for Windows": "#!/bin/sh\\r\\necho\\r\\n",
        "with an interpreter that is missing": "#!/no/such/shell\\necho\\n",
        "with an interpreter that is a folder": "#!/bin\\necho\\n",
        "with an interpreter without permission": "#!/etc/passwd\\necho\\n",
        "that is its own interpreter": "#!/opt/script\\necho\\n",
        "longer than the kernel reads": f"#!/bin/sh -{'e' * 300}\\necho $-\\n",
        "with a path longer than the kernel reads": f"#!/bin{'/.' * 200}/sh\\necho $-\\n",
        "in front of it": "\\n#!/bin/ls\\necho a shell read this\\n",
    }.items()),
    ("script that may not be executed", started_by_a_shell("#!/bin/sh\\necho\\n", mode="644")),
    ("script that may not be read", dataclasses.replace(
        started_by_a_shell("#!/bin/sh\\necho\\n", mode="711"), uid=ORDINARY_USER)),
    ("empty file", started_by_a_shell("")),
    *((f"PATH {name}", path(value)) for name, value in {
        "with an empty element": "/none:",
        "that is empty": "",
        "with a dot": ".:/none",
        "with dots": "../../opt/./two/..//two",
        "with a file in it": "/bin/cat:/opt/two",
        "relative": "../two",
    }.items()),
    ("PATH with a script in front", path("/opt:/opt/one", prepare="echo echo >opt/tool; chmod 755 opt/tool")),
    ("PATH with a file in front that is no program", path("/opt:/opt/one", prepare="echo echo >opt/tool")),
    ("no PATH", dataclasses.replace(sh("cat /etc/debian_version"), env={})),
    ("chroot", Case(path="/usr/sbin/chroot", argv=("chroot", "/", "/bin/cat", VERSION))),
    ("standard streams closed", cat(VERSION, closed=(0, 1, 2))),
    ("standard input closed", cat(VERSION, closed=(0,))),
    ("as many arguments as there may be", dataclasses.replace(sh("echo $#"), filler=2_070_000)),
    ("one argument as long as it may be", sh('cat "$(printf %0131071d 0)"; echo $?')),
    ("one argument longer than that", sh('cat "$(printf %0131072d 0)"; echo $?')),
    ("a shell's idea of the machine", bash("echo $HOSTTYPE; env | sort; /bin/sh -c 'echo [$HOSTTYPE]'")),
    ("the caller's idea of the machine", dataclasses.replace(bash("echo $HOSTTYPE; env | sort"),
                                                             env={**ENV, "HOSTTYPE": "mine"})),
    ("first argument as the rule wants it", Case(path="/bin/sed", argv=("sed", "s/a/b/"), stdin="a")),
    ("what must be absent is", Case(path="/usr/bin/sort", argv=("sort",), stdin="b\na\n")),
    ("first two arguments", Case(path="/bin/sed", argv=("sed", "--quiet", "p;p"), stdin="a")),
)  # fmt: skip
"""Those that the twin of the rig serves."""

UNRECORDED: Sequence[tuple[str, Case]] = (
    ("there is no record", cat(VERSION, tamper="rm count")),
    ("the record may not be written", cat(VERSION, uid=ORDINARY_USER, tamper="chmod 600 count")),
    ("the record is of another user", cat(VERSION, tamper="chown 1000 count")),
    ("the record is a folder", cat(VERSION, tamper="rm count; mkdir count")),
    ("the record is a pipe", cat(VERSION, tamper="rm count; mkfifo count")),
    ("files may not grow so long", cat(VERSION, limits=[(resource.RLIMIT_FSIZE, 64)],
                                       tamper="head -c 100 /dev/zero >count")),
)  # fmt: skip

EMULATED: Sequence[tuple[str, str, Case]] = (
    ("no rule", "q", Case(path="/usr/bin/nproc", argv=("nproc", "--help"))),
    *((f"what must be absent is {name}", "q",
       Case(path="/usr/bin/sort", argv=("sort",), stdin="b", prepare=prepare))
      for name, prepare in {"a folder": "mkdir opt/more", "a link": "ln -s /none opt/modules"}.items()),
    ("hard link", "q", Case(path="/opt/cat", argv=("cat", VERSION), prepare="ln usr/bin/cat opt/cat")),
    ("blank in the name", "q", Case(path="/usr/bin/cat 1", argv=("cat", "--help"),
                                    prepare="cp usr/bin/tac 'usr/bin/cat 1'")),
    ("another program in its place", "q", cat("/etc/passwd", prepare="cp usr/bin/tac usr/bin/cat")),
    ("another program mounted over it", "q", cat("/etc/passwd",
                                                 tamper="mount --bind ../../usr/bin/tac ../../usr/bin/cat")),
    ("another folder mounted over its own", "q", cat("/etc/passwd", prepare="cp usr/bin/tac opt/cat",
                                                     tamper="mount --bind ../../opt ../../usr/bin")),
    ("program of a root below", "n", Case(path="/usr/sbin/chroot", prepare=NESTED,
                                          argv=("chroot", "/opt/nested", "/bin/tac", "/lib/os-release"))),
    ("same name elsewhere", "q", Case(path="/opt/cat", argv=("cat", "--help"),
                                      prepare="cp usr/bin/tac opt/cat")),
    ("deleted", "q", cat(VERSION, opened="execveat", lost="deleted")),
    ("replaced", "q", cat(VERSION, opened="execveat", lost="replaced")),
    ("renamed", "q", cat(VERSION, opened="execveat", lost="renamed")),
    ("open file that is not inherited", "", cat(VERSION, opened="execveat", inherited=False)),
    ("too many arguments", "", dataclasses.replace(sh("echo $#"), filler=2_200_000)),
    ("process table full", "q", Case(path="/usr/bin/tac", argv=("tac", VERSION), uid=ORDINARY_USER,
                                     limits=[(resource.RLIMIT_NPROC, 1)])),
    ("not readable", "q", Case(path="/opt/secret", argv=("s",), uid=ORDINARY_USER,
                               prepare="cp usr/bin/tty opt/secret; chmod 711 opt/secret")),
    ("other first argument", "a", Case(path="/bin/sed", argv=("sed", "--help"))),
    ("no first argument", "a", Case(path="/bin/sed", argv=("sed",))),
    ("other second argument", "a", Case(path="/bin/sed", argv=("sed", "--quiet", "=", VERSION))),
    ("no second argument", "a", Case(path="/bin/sed", argv=("sed", "--quiet"))),
    ("excluded argument", "a", Case(path="/bin/bash", argv=("bash", "--version"))),
    ("excluded beginning", "a", Case(path="/bin/bash", argv=("bash", "-c", ":", "--dump-strings"))),
    ("library to load first", "e", cat(VERSION,
                                        env={"LD_PRELOAD": "/none.so"})),
    ("library path", "e", cat(VERSION,
                               env={"LD_LIBRARY_PATH": "/none"})),
    ("variable is taken", "e", Case(path="/bin/ls", argv=("ls", "/"), env={"TAKEN": "mine"})),
    ("twin missing", "t", Case(path="/usr/bin/wc", argv=("wc", "--help"))),
    ("twin folder missing", "t", cat("--help", tamper="umount twin; rmdir twin")),
    ("twin folder a file", "t", cat("--help", tamper="umount twin; rmdir twin; echo >twin")),
    ("twin folder a link elsewhere", "t", cat("--help",
                                              tamper="umount twin; rmdir twin; ln -s / twin")),
    ("twin without its dynamic loader", "nx", cat(VERSION,
                                                  tamper="mount -t tmpfs tmpfs twin/lib")),
    ("twin of another size", "t", cat("--help",
                                       tamper="sed -i 's,^/usr/bin/cat .*,/usr/bin/cat 1,' table")),
    ("twin of another user", "t", Case(path="/usr/bin/whoami", argv=("whoami", "--help"))),
    ("set-uid twin", "t", Case(path="/usr/bin/id", argv=("id", "--help"))),
    ("twin damaged", "nx", Case(path="/usr/bin/uname", argv=("uname", "-m"))),
    ("condition not understood", "q", cat("--help",
                                           tamper="sed -i '/cat /s/$/ later=x/' table")),
    ("no /proc", "q", cat("--help", tamper="umount ../../proc")),
    ("folder open to all", "", cat("--help", tamper="chmod 777 .")),
    ("folder of another user", "", cat("--help", tamper="chown 1000 .")),
    ("table that its user may not read", "", cat("--help", uid=ORDINARY_USER, tamper="chmod 600 table")),
    ("table a folder", "", cat("--help", tamper="rm table; mkdir table")),
    ("table a pipe", "", cat("--help", tamper="rm table; mkfifo table")),
    ("table of another user", "", cat("--help", tamper="chown 1000 table")),
    ("table open to the group", "", cat("--help", tamper="chmod 664 table")),
    ("table behind a link", "", cat("--help",
                                     tamper="mv table real; ln -s real table")),
    ("table empty", "", cat("--help", tamper=": >table")),
    ("table of another version", "", cat("--help",
                                          tamper="sed -i '1s/1/2/' table")),
    ("table cut off", "", cat("--help", tamper="truncate -s -1 table")),
    ("table missing", "", cat("--help", tamper="rm table")),
    ("table too long", "", cat("--help",
                                tamper="yes /usr/zz 1 | head -c 1048600 >>table; echo >>table")),
    ("no descriptor free", "", cat("--help", limits=[(resource.RLIMIT_NOFILE, 4)])),
)  # fmt: skip
"""Those that stay in qemu, with the ways that are recorded."""
