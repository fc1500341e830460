"""crossbuild-exec against plain qemu: what starts a program must not be able to tell which of them ran."""

from __future__ import annotations

import dataclasses
import os
import resource
import signal
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from crossbuild.acceleration.build import compile_command
from crossbuild.acceleration.table import Rule
from crossbuild.host.command import capture
from crossbuild.host.interpreter import NAME, write_interpreter
from crossbuild.host.qemu import choose_emulator, find_emulators
from crossbuild.host.rooted import resolve
from crossbuild.model.site import Site
from tests.integration.exec_cases import EMULATED, NATIVE, ORDINARY_USER, UNRECORDED
from tests.integration.exec_rig import Case, Rig, make_twin

pytestmark = pytest.mark.real

CHECKOUT = Path(__file__).parents[2]
TWINS = (
    *(f"bin/{name}" for name in ("bash", "cat", "dash", "env", "id", "ls", "sed", "sort", "true", "whoami")),
    "sbin/chroot",
)
CONDITIONS: dict[str, dict[str, Any]] = {
    "bash": {"none": ("--version", "--dump*"), "sets": ("HOSTTYPE",)},
    "ls": {"owns": ("TAKEN",)},
    "sort": {"absent": (PurePosixPath("/opt/modules"), PurePosixPath("/opt/more"))},
    "sed": {"first": ("-n", "-nf", "s/*", "--quiet p*")},
}
DAMAGED = b"no program"


@pytest.fixture(scope="module")
def rig(site: Site, small_root: str, tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """A rig whose twin also holds files that must not be started."""
    folder = tmp_path_factory.mktemp("exec")
    front, joined = folder / "front", folder / NAME
    capture(compile_command(front))
    qemu = Path(choose_emulator(find_emulators(), kernel=(6, 7)).emulator.path)
    write_interpreter(joined, front=front, qemu=qemu)
    root = site.roots / small_root
    rules = [
        dataclasses.replace(
            rule, original=resolve(root, rule.path).stat().st_size, **CONDITIONS.get(rule.path.name, {})
        )
        for rule in make_twin(folder / "twin", {f"/usr/{name}": f"/usr/{name}" for name in TWINS})
    ]
    binaries = folder / "twin/usr/bin"
    os.chown(binaries / "whoami", ORDINARY_USER, ORDINARY_USER)
    (binaries / "id").chmod(0o4755)
    (binaries / "uname").write_bytes(DAMAGED)
    (binaries / "uname").chmod(0o755)
    rules += [Rule(path=PurePosixPath(f"/usr/bin/{name}"), size=len(DAMAGED)) for name in ("uname", "wc")]
    folder.chmod(0o755)
    return Rig(
        root=root,
        twin=folder / "twin",
        qemu=qemu,
        joined=joined,
        checkout=CHECKOUT,
        rules=tuple(rules),
    )


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in NATIVE])
def test_a_twin_behaves_as_the_emulated_program(rig: Rig, case: Case) -> None:
    emulated, accelerated = rig.both(case)
    assert accelerated.seen == emulated.seen
    assert {way for _path, way in accelerated.ways} == {"n"}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in UNRECORDED])
def test_a_start_that_cannot_be_recorded_is_a_start_all_the_same(rig: Rig, case: Case) -> None:
    emulated, accelerated = rig.both(case)
    assert accelerated.seen == emulated.seen
    assert accelerated.ways == ()


@pytest.mark.parametrize(
    ("ways", "case"), [pytest.param(ways, case, id=name) for name, ways, case in EMULATED]
)
def test_what_may_not_be_replaced_runs_in_qemu_as_ever(rig: Rig, ways: str, case: Case) -> None:
    emulated, accelerated = rig.both(case)
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


def test_a_twin_starts_where_the_process_table_is_too_full_for_qemu(rig: Rig) -> None:
    """qemu needs a thread of its own, and gives up without."""
    full = [(resource.RLIMIT_NPROC, 1)]
    case = Case(path="/bin/sh", argv=("sh", "-c", "cat /none"), uid=ORDINARY_USER, limits=full)
    accelerated, emulated = rig.run(case), rig.run(case, plain=True)
    assert accelerated.seen == (2, "", "sh: 1: Cannot fork\n")
    assert accelerated.ways == (("/usr/bin/dash", "n"),)
    assert emulated.status == -signal.SIGABRT, "qemu now starts without a thread: compare as the others"


def test_a_twin_without_its_libraries_is_one_clear_error(rig: Rig) -> None:
    loader = "ld-linux-x86-64.so.2"
    keep = f"cp twin/lib/{loader} .; mount -t tmpfs tmpfs twin/lib; mv {loader} twin/lib"
    outcome = rig.run(Case(path="/bin/cat", argv=("cat", "/etc/debian_version"), tamper=keep))
    assert (outcome.status, outcome.stdout) == (127, "")
    assert outcome.stderr.startswith("cat: error while loading shared libraries: libc.so.6:")


def test_where_the_kernel_does_not_open_the_program_everything_runs_in_qemu(rig: Rig) -> None:
    case = Case(path="/bin/cat", argv=("cat", "/etc/debian_version"))
    accelerated = rig.run(case, flags="PF")
    assert accelerated.seen == rig.run(case, plain=True, flags="PF").seen
    assert accelerated.ways == ()


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
