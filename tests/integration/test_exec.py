"""crossbuild-exec against plain qemu: what starts a program must not be able to tell which of them ran."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from crossbuild.acceleration.build import compile_command
from crossbuild.acceleration.table import Rule
from crossbuild.host.command import capture
from crossbuild.host.interpreter import NAME, write_interpreter
from crossbuild.host.qemu import choose_emulator, find_emulators
from crossbuild.model.site import Site
from tests.integration.exec_rig import Case, Rig, make_twin

pytestmark = pytest.mark.real

CHECKOUT = Path(__file__).parents[2]
TWINS = ("bash", "cat", "dash", "env", "id", "ls", "sed", "sort", "true", "whoami")
CONDITIONS: dict[str, dict[str, Any]] = {
    "bash": {"none": ("--version", "--dump*"), "sets": ("HOSTTYPE",)},
    "ls": {"owns": ("TAKEN",)},
    "sed": {"first": ("-n", "-nf", "s/*")},
}
DAMAGED = b"no program"
ORDINARY_USER = 1000
VERSION = "/etc/debian_version"


@pytest.fixture(scope="module")
def rig(site: Site, small_root: str, tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """A rig whose twin also holds files that must not be started."""
    folder = tmp_path_factory.mktemp("exec")
    front, joined = folder / "front", folder / NAME
    capture(compile_command(front))
    qemu = Path(choose_emulator(find_emulators(), kernel=(6, 7)).emulator.path)
    write_interpreter(joined, front=front, qemu=qemu)
    made = make_twin(folder / "twin", {f"/usr/bin/{name}": f"/usr/bin/{name}" for name in TWINS})
    rules = [dataclasses.replace(rule, **CONDITIONS.get(rule.path.name, {})) for rule in made]
    binaries = folder / "twin/usr/bin"
    os.chown(binaries / "whoami", ORDINARY_USER, ORDINARY_USER)
    (binaries / "id").chmod(0o4755)
    (binaries / "uname").write_bytes(DAMAGED)
    (binaries / "uname").chmod(0o755)
    rules += [Rule(path=PurePosixPath(f"/usr/bin/{name}"), size=len(DAMAGED)) for name in ("uname", "wc")]
    folder.chmod(0o755)
    return Rig(
        root=site.roots / small_root,
        twin=folder / "twin",
        qemu=qemu,
        joined=joined,
        checkout=CHECKOUT,
        rules=tuple(rules),
    )


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
    ("count cannot be written", dataclasses.replace(sh("echo fine"), tamper="chmod 0 count")),
    ("a shell's idea of the machine", bash("echo $HOSTTYPE; env | sort; /bin/sh -c 'echo [$HOSTTYPE]'")),
    ("the caller's idea of the machine", dataclasses.replace(bash("echo $HOSTTYPE; env | sort"),
                                                             env={**ENV, "HOSTTYPE": "mine"})),
    ("first argument as the rule wants it", Case(path="/bin/sed", argv=("sed", "s/a/b/"), stdin="a")),
)  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in NATIVE])
def test_a_twin_behaves_as_the_emulated_program(rig: Rig, case: Case) -> None:
    emulated, accelerated = rig.run(case, plain=True), rig.run(case)
    assert accelerated.seen == emulated.seen
    assert {way for _path, way in accelerated.ways} == {"n"}


EMULATED: Sequence[tuple[str, str, Case]] = (
    ("no rule", "q", Case(path="/usr/bin/nproc", argv=("nproc", "--help"))),
    ("same name elsewhere", "q", Case(path="/opt/cat", argv=("cat", "--help"),
                                      prepare="cp usr/bin/tac opt/cat")),
    ("deleted", "q", cat(VERSION, opened="execveat", unlinked=True)),
    ("not readable", "q", Case(path="/opt/secret", argv=("s",), uid=ORDINARY_USER,
                               prepare="cp usr/bin/tty opt/secret; chmod 711 opt/secret")),
    ("other first argument", "a", Case(path="/bin/sed", argv=("sed", "--help"))),
    ("no first argument", "a", Case(path="/bin/sed", argv=("sed",))),
    ("excluded argument", "a", Case(path="/bin/bash", argv=("bash", "--version"))),
    ("excluded beginning", "a", Case(path="/bin/bash", argv=("bash", "-c", ":", "--dump-strings"))),
    ("library to load first", "e", cat(VERSION,
                                        env={"LD_PRELOAD": "/none.so"})),
    ("library path", "e", cat(VERSION,
                               env={"LD_LIBRARY_PATH": "/none"})),
    ("variable is taken", "e", Case(path="/bin/ls", argv=("ls", "/"), env={"TAKEN": "mine"})),
    ("twin missing", "t", Case(path="/usr/bin/wc", argv=("wc", "--help"))),
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
    ("no descriptor free", "", cat("--help", open_files=4)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("ways", "case"), [pytest.param(ways, case, id=name) for name, ways, case in EMULATED]
)
def test_what_may_not_be_replaced_runs_in_qemu_as_ever(rig: Rig, ways: str, case: Case) -> None:
    emulated, accelerated = rig.run(case, plain=True), rig.run(case)
    assert accelerated.seen == emulated.seen
    assert "".join(way for _path, way in accelerated.ways) == ways


def test_a_program_with_the_rights_of_its_file_is_never_replaced_and_qemu_takes_no_orders(rig: Rig) -> None:
    case = Case(
        path="/bin/cat",
        argv=("cat", "/opt/secret"),
        env={"A": "1", "QEMU_STRACE": "1", "B": "2"},
        uid=ORDINARY_USER,
        prepare="chmod 4755 usr/bin/cat; echo secret >opt/secret; chmod 600 opt/secret",
    )
    outcome = rig.run(case, flags="POCF")
    assert (outcome.seen, outcome.ways) == ((0, "secret\n", ""), ())
    assert "read(" in rig.run(case, plain=True, flags="POCF").stderr, "plain qemu no longer obeys: simplify"


def test_the_interpreter_called_by_hand_is_qemu(rig: Rig, tmp_path: Path) -> None:
    by_hand = tmp_path / "qemu-aarch64"
    by_hand.symlink_to(rig.joined)
    assert capture([str(by_hand), "--version"]).stdout == capture([str(rig.qemu), "--version"]).stdout


def test_without_qemu_it_says_so_and_ends_as_a_shell_does(rig: Rig) -> None:
    outcome = capture([str(rig.joined.with_name("front")), "/bin/true"], check=False)
    assert (outcome.status, outcome.stdout) == (126, "")
    assert "no qemu is joined" in outcome.stderr


@pytest.mark.parametrize("kind", ["-static-pie", "-no-pie", "-Wl,-z,max-page-size=0x200000"])
def test_any_static_program_can_be_joined(rig: Rig, tmp_path: Path, kind: str) -> None:
    source, program, joined = (tmp_path / name for name in ("source.s", "program", "joined"))
    source.write_text(".globl _start\n_start: mov $60, %eax\nmov $42, %edi\nsyscall\n")
    capture(["cc", "-nostdlib", "-static", kind, "-o", str(program), str(source)])
    write_interpreter(joined, front=rig.joined.with_name("front"), qemu=program)
    assert capture([str(joined)], check=False).status == 42
