"""Starts aarch64 programs in a private user namespace, under plain qemu or under crossbuild-exec.

The test's side prepares a twin of a few of this host's programs and asks for outcomes. The other side is this
file run as a program: as root of a namespace of its own, where binfmt_misc is empty at first, it makes the
sandbox, starts one program, exactly as told, and prints what came of it.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from crossbuild.acceleration.starts import read_starts
from crossbuild.acceleration.table import Rule, Setting, render_table
from crossbuild.host import binfmt
from tests.integration.private_host import run_privately

TWIN = PurePosixPath("/run/crossbuild/twin")
LOADER = TWIN / "lib/ld-linux-x86-64.so.2"
SETTINGS = (Setting(name="HOSTTYPE", value="aarch64"), Setting(name="TAKEN", value="twin"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One start: what is executed, and the state of the process that does it."""

    path: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})
    stdin: str = ""
    folder: str = "/"
    prepare: str = ""
    """A script for this host's sh, run in the root's folder before anything is mounted there."""
    tamper: str = ""
    """A script for this host's sh, run in /run/crossbuild of the root once it is furnished."""
    uid: int = 0
    opened: Literal["", "execveat", "proc"] = ""
    """Execute the open file, not its name: by execveat(2), or as /proc/self/fd/N."""
    inherited: bool = True
    """Leave that open file to the program."""
    lost: Literal["", "deleted", "renamed", "replaced"] = ""
    """What befalls the file between its opening and its start."""
    ignored: Sequence[int] = ()
    blocked: Sequence[int] = ()
    limits: Sequence[tuple[int, int]] = ()
    """Resource and value."""
    closed: Sequence[int] = ()
    """Of the standard streams."""
    filler: int = 0
    """So many bytes of further arguments."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a start."""

    status: int
    """Minus the signal's number if one ended it."""
    stdout: str
    stderr: str
    ways: tuple[tuple[str, str], ...]
    """Path and way of each recorded start."""

    @property
    def seen(self) -> tuple[int, str, str]:
        """All that a caller can see."""
        return self.status, self.stdout, self.stderr


@dataclass(frozen=True, kw_only=True)
class Rig:
    """A root, a twin of some of its programs, and both interpreters."""

    root: Path
    twin: Path
    qemu: Path
    joined: Path
    checkout: Path
    rules: tuple[Rule, ...]

    def run(self, case: Case, *, plain: bool = False, flags: str = "POF") -> Outcome:
        """Start *case* under plain qemu or under crossbuild-exec."""
        (outcome,) = self._outcomes(case, [self.qemu if plain else self.joined], flags)
        return outcome

    def both(self, case: Case) -> tuple[Outcome, Outcome]:
        """Start *case* under plain qemu, then under crossbuild-exec: sooner done than each by itself."""
        emulated, accelerated = self._outcomes(case, [self.qemu, self.joined], "POF")
        return emulated, accelerated

    def _outcomes(self, case: Case, interpreters: Sequence[Path], flags: str) -> list[Outcome]:
        order = {
            "root": os.fspath(self.root),
            "twin": os.fspath(self.twin),
            "interpreters": [os.fspath(interpreter) for interpreter in interpreters],
            "flags": flags,
            "table": render_table(self.rules, SETTINGS).decode(),
            "case": asdict(case),
        }
        argv = [sys.executable, "-m", "tests.integration.exec_rig", json.dumps(order)]
        done = run_privately(f"exec {shlex.join(argv)}", cwd=self.checkout)
        assert done.returncode == 0, done.stderr
        return [
            Outcome(**{**answer, "ways": tuple((path, way) for path, way in answer["ways"])})
            for answer in json.loads(done.stdout)
        ]


def make_twin(folder: Path, programs: Mapping[str, str]) -> tuple[Rule, ...]:
    """Put x86_64 programs of this host at their *programs* names in *folder*, with rules for all."""
    (folder / "lib").mkdir(parents=True)
    rules = []
    for name, source in programs.items():
        target = folder / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        for library in _libraries(source):
            shutil.copy(library, folder / "lib")
        patchelf = [
            "patchelf",
            "--force-rpath",
            "--set-rpath",
            f"{TWIN}/lib",
            "--set-interpreter",
            str(LOADER),
        ]
        subprocess.run(
            [*patchelf, target], check=True, env={"PATH": f"{Path(sys.executable).parent}:/usr/bin"}
        )
        rules.append(Rule(path=PurePosixPath(name), size=target.stat().st_size))
    return tuple(rules)


def _libraries(program: str) -> list[str]:
    listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True)
    return re.findall(r"(/\S+) \(0x", listed.stdout)


def main() -> None:
    """Do what the order in argv[1] says and print the outcomes as JSON."""
    order = json.loads(sys.argv[1])
    binfmt.mount()
    json.dump([_outcome(order, interpreter) for interpreter in order["interpreters"]], sys.stdout)


def _outcome(order: Mapping[str, Any], interpreter: str) -> Mapping[str, object]:
    """Start the case of *order* where *interpreter* is the handler, and take that back."""
    case = Case(**order["case"])
    handler = binfmt.aarch64_handler(interpreter, order["flags"])
    binfmt.register(handler)
    with tempfile.TemporaryDirectory() as scratch:
        root = _furnish(Path(scratch), order, case)
        status, stdout, stderr = _start(root, case)
        ways = _ways(root / "run/crossbuild/count")
        subprocess.run(["umount", "--recursive", root], check=True)
        subprocess.run(["umount", scratch], check=True)
    binfmt.unregister(handler.name)
    return {"status": status, "stdout": stdout, "stderr": stderr, "ways": ways}


def _furnish(scratch: Path, order: Mapping[str, str], case: Case) -> Path:
    """Make the sandbox's mounts; what is written goes to memory."""
    _run("mount", "-t", "tmpfs", "tmpfs", scratch)
    for name in ("upper", "work", "root"):
        (scratch / name).mkdir()
    root = scratch / "root"
    layers = f"lowerdir={order['root']},upperdir={scratch}/upper,workdir={scratch}/work,userxattr"
    _run("mount", "-t", "overlay", "overlay", "-o", layers, root)
    subprocess.run(["sh", "-euc", case.prepare], cwd=root, check=True)
    _run("mount", "-t", "proc", "proc", root / "proc")
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", root / "run")
    folder = root / "run/crossbuild"
    (folder / "twin").mkdir(parents=True)
    _run("mount", "--bind", "-o", "nosuid", order["twin"], folder / "twin")
    (folder / "table").write_text(order["table"])
    (folder / "count").touch()
    (folder / "count").chmod(0o622)
    subprocess.run(["sh", "-euc", case.tamper], cwd=folder, check=True)
    return root


def _run(*argv: str | Path) -> None:
    subprocess.run(argv, check=True)


def _start(root: Path, case: Case) -> tuple[int, str, str]:
    """Fork, become what *case* says, execute; return the status and both outputs."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        stdin.write(case.stdin.encode())
        stdin.seek(0)
        child = os.fork()
        if child == 0:
            _become(root, case, (stdin.fileno(), out.fileno(), err.fileno()))
        _, status = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        texts = [stream.read().decode(errors="backslashreplace") for stream in (out, err)]
    return os.waitstatus_to_exitcode(status), texts[0], texts[1]


def _become(root: Path, case: Case, streams: tuple[int, int, int]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 100)
    os.chroot(root)
    os.chdir(case.folder)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        # Python ignores them, and a program would inherit that.
        signal.signal(number, signal.SIG_DFL)
    for number in case.ignored:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, case.blocked)
    target = os.open(case.path, os.O_PATH) if case.opened else -1
    _lose(Path(case.path), case.lost)
    if case.uid:
        os.setgroups([])
        os.setgid(case.uid)
        os.setuid(case.uid)
    for kind, limit in case.limits:
        resource.setrlimit(kind, (limit, limit))
    for stream in case.closed:
        os.close(stream)
    _execute(target, case)


def _lose(program: Path, how: str) -> None:
    match how:
        case "deleted":
            program.unlink()
        case "renamed":
            program.rename(program.with_name("other"))
        case "replaced":
            program.with_name("new").write_bytes(b"another program")
            program.with_name("new").rename(program)


def _execute(target: int, case: Case) -> None:
    """Call execve(2) itself: Python's refuses an empty argv, and one whose first word is empty."""
    argv = [*case.argv, *["x" * 1000] * (case.filler // 1000)]
    words = (ctypes.c_char_p * (len(argv) + 1))(*[word.encode() for word in argv], None)
    env = [f"{name}={value}".encode() for name, value in case.env.items()]
    variables = (ctypes.c_char_p * (len(env) + 1))(*env, None)
    libc = ctypes.CDLL(None, use_errno=True)
    if target >= 0:
        os.set_inheritable(target, case.inherited)
    if case.opened == "execveat":
        libc.fexecve(target, words, variables)
    else:
        path = f"/proc/self/fd/{target}" if case.opened else case.path
        libc.execve(path.encode(), words, variables)
    os.write(2, f"execve: {os.strerror(ctypes.get_errno())}\n".encode())
    os._exit(99)


def _ways(count: Path) -> list[tuple[str, str]]:
    if not count.is_file():
        return []
    with count.open("rb") as file:
        return [(start.path, start.way.value) for start in read_starts(file)]


if __name__ == "__main__":
    main()
