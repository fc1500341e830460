"""The programs and libraries whose versions decide the bytes of artifacts."""

from __future__ import annotations

from collections.abc import Iterable

import deflate

from crossbuild import __version__
from crossbuild.host.command import capture
from crossbuild.model.artifact import OutputKind

_COMMANDS = {
    OutputKind.WAREWULF3: (("cpio", "--version"), ("depmod", "--version")),
    OutputKind.WAREWULF4: (),
    # It prints its version and, like most of its kind, ends with a status that says nothing.
    OutputKind.IMS: (("mksquashfs", "-version"),),
}


def tool_versions(outputs: Iterable[OutputKind]) -> tuple[tuple[str, str], ...]:
    """Return (name, what it says its version is) of all that packs *outputs*; raise HostNotReadyError."""
    commands = [command for output in outputs for command in _COMMANDS[output]]
    libraries = (("crossbuild", __version__), ("deflate", deflate.__version__))
    return (*libraries, *((command[0], _first_line(command)) for command in commands))


def _first_line(command: tuple[str, ...]) -> str:
    return capture(command, check=False).stdout.partition("\n")[0]
