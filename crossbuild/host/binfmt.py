"""The kernel's table of handlers for foreign executables: read it, add to it, take out again.

Format of the entries and of the line that registers one: Linux, Documentation/admin-guide/binfmt-misc.rst.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from crossbuild.errors import HostNotReadyError
from crossbuild.host.command import capture, find
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import Handler, elf_header

MOUNT_POINT = Path("/proc/sys/fs/binfmt_misc")
HANDLER_NAME = "crossbuild-aarch64"
# systemd-binfmt sorts the files of all its folders by name and the kernel prefers the entry that came last,
# so this name keeps crossbuild's handler in front of `qemu-aarch64*.conf` after the next boot, too.
HANDLER_FILE = Path("/etc/binfmt.d/zz-crossbuild-aarch64.conf")

_MASK = bytes.fromhex("ffffffffffffff00fffffffffffffffffeffffff")
"""Any OS ABI, and ET_DYN as well as ET_EXEC; QEMU, scripts/qemu-binfmt-conf.sh compares the same bits."""
_FLAG_ORDER = "POCF"


def aarch64_handler(interpreter: str, flags: str) -> Handler:
    """Return crossbuild's own handler for aarch64; raise HostNotReadyError for a path it cannot name."""
    if not interpreter.startswith("/") or any(character in interpreter for character in ":\n\\"):
        raise HostNotReadyError(
            f"binfmt_misc cannot hold the interpreter path {interpreter!r}.",
            details="It must be absolute and without colons, backslashes and line breaks.",
            resolution="Give qemu another place and name it with `crossbuild setup --qemu PATH`.",
        )
    return Handler(
        name=HANDLER_NAME,
        interpreter=interpreter,
        flags=sorted_flags(flags),
        offset=0,
        magic=elf_header(Architecture.AARCH64),
        mask=_MASK,
    )


def sorted_flags(flags: str) -> str:
    """Return *flags* in the kernel's order, with the O that C implies."""
    return "".join(flag for flag in _FLAG_ORDER if flag in flags or (flag == "O" and "C" in flags))


def render_line(handler: Handler) -> str:
    """Return the line that registers *handler*, for the kernel as well as for binfmt.d(5)."""
    magic, mask = ("".join(f"\\x{byte:02x}" for byte in pattern) for pattern in (handler.magic, handler.mask))
    return f":{handler.name}:M:{handler.offset}:{magic}:{mask}:{handler.interpreter}:{handler.flags}"


def parse_handler(name: str, text: str) -> Handler | None:
    """Return the entry that the kernel prints as *text*, None for one that goes by file name."""
    lines = text.splitlines()
    fields = dict(line.replace(":", " ", 1).split(maxsplit=1) for line in lines if len(line.split()) == 2)
    if "magic" not in fields:
        return None
    magic = bytes.fromhex(fields["magic"])
    return Handler(
        name=name,
        interpreter=_interpreter(lines),
        flags=fields.get("flags", ""),
        offset=int(fields.get("offset", "0")),
        magic=magic,
        mask=bytes.fromhex(fields["mask"]) if "mask" in fields else b"\xff" * len(magic),
        enabled="enabled" in lines[:1],
    )


def read_handlers(mount_point: Path = MOUNT_POINT) -> tuple[Handler, ...]:
    """Return every handler that goes by magic, by name; none where binfmt_misc is not mounted."""
    found = []
    try:
        entries = sorted(mount_point.iterdir())
    except OSError:
        return ()
    for entry in entries:
        if entry.name not in {"register", "status"}:
            try:
                found.append(parse_handler(entry.name, entry.read_text()))
            except OSError:  # another process took it out just now
                continue
    return tuple(handler for handler in found if handler)


def read_handler(name: str, mount_point: Path = MOUNT_POINT) -> Handler | None:
    """Return the handler called *name*, None where there is none."""
    return next((handler for handler in read_handlers(mount_point) if handler.name == name), None)


def is_mounted(mount_point: Path = MOUNT_POINT) -> bool:
    """Say whether binfmt_misc is mounted; systemd's automount point counts once it is looked into."""
    return (mount_point / "register").exists()


def first_asked(
    handlers: Iterable[Handler], arch: Architecture, mount_point: Path = MOUNT_POINT
) -> Handler | None:
    """Return the one of *handlers* that gets the programs of *arch*: what was registered last comes first."""

    def registered(handler: Handler) -> int:
        try:
            return (mount_point / handler.name).stat().st_mtime_ns
        except OSError:  # another process took it out just now
            return 0

    serving = [handler for handler in handlers if handler.enabled and handler.serves(arch)]
    return max(serving, key=registered, default=None)


def is_outdated(handler: Handler, mount_point: Path = MOUNT_POINT) -> bool:
    """Say whether the file that *handler* holds open by flag F was replaced since it was registered."""
    try:
        replaced = Path(handler.interpreter).stat().st_ctime_ns
        registered = (mount_point / handler.name).stat().st_mtime_ns
    except OSError:
        return False
    return "F" in handler.flags and replaced > registered


def mount(mount_point: Path = MOUNT_POINT) -> None:
    """Mount binfmt_misc; raise HostNotReadyError where the kernel has none."""
    done = capture(["mount", "--types", "binfmt_misc", "binfmt_misc", os.fspath(mount_point)], check=False)
    if done.status:
        raise HostNotReadyError(
            "binfmt_misc cannot be mounted.",
            details=done.stderr.strip(),
            resolution="Load its module with `modprobe binfmt_misc`; in a container, do this on its host.",
        )


def unmount(mount_point: Path = MOUNT_POINT) -> None:
    """Unmount binfmt_misc; raise CommandFailedError where it is in use."""
    capture(["umount", os.fspath(mount_point)])


def register(handler: Handler, mount_point: Path = MOUNT_POINT) -> None:
    """Put *handler* before all others; raise HostNotReadyError where the kernel refuses."""
    _write(
        mount_point / "register", render_line(handler), f"The kernel refuses the handler `{handler.name}`."
    )


def register_by_systemd(file: Path) -> bool:
    """Let systemd-binfmt register what *file* holds; say whether it did.

    With a file's name it reads that file alone. Without one, as in its service, it first removes every
    handler that no file describes, those of container tools among them: so it is never restarted here.
    """
    program = find("/usr/lib/systemd/systemd-binfmt") or find("/lib/systemd/systemd-binfmt")
    return bool(program) and not capture([program or "", os.fspath(file)], check=False).status


def unregister(name: str, mount_point: Path = MOUNT_POINT) -> None:
    """Take the handler called *name* out; programs that it started keep running."""
    _write(mount_point / name, "-1", f"The kernel keeps the handler `{name}`.")


def _write(file: Path, text: str, complaint: str) -> None:
    try:
        file.write_text(text)
    except OSError as error:
        raise HostNotReadyError(
            complaint,
            details=f"Writing {text!r} to {file}: {error.strerror}",
            resolution="Run this as root, outside of any container, and look at `crossbuild doctor`.",
        ) from error


def _interpreter(lines: list[str]) -> str:
    """Return the interpreter's path, in which blanks are allowed."""
    prefix = "interpreter "
    return next((line.removeprefix(prefix) for line in lines if line.startswith(prefix)), "")
