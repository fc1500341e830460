"""How crossbuild-exec is compiled.

hatch_build.py runs this as a file of its own while the wheel is made, when nothing of crossbuild can be
imported: it needs the standard library only.
"""

from __future__ import annotations

import os
from pathlib import Path

SOURCE = Path(__file__).with_name("exec.c")
FRONT = Path(__file__).with_name("crossbuild-exec")
"""Where the compiled program lies, in a wheel as in a checkout. It serves once it is joined with a qemu."""


def compile_command(target: Path, compiler: str = "cc") -> list[str]:
    """Return the command that compiles exec.c to *target*; gcc and clang for x86_64 know all flags."""
    return [
        compiler,
        "-std=c11",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        # qemu's C library will set up this process; a second one must not have begun to.
        "-ffreestanding",
        "-nostdlib",
        "-fno-stack-protector",
        # Position-independent and without relocations: it is put beside qemu, wherever that lies.
        "-fpie",
        "-static-pie",
        "-Wl,--no-dynamic-linker",
        # Nothing in it that nobody reads: each segment is a mapping more at every start.
        "-fno-asynchronous-unwind-tables",
        "-fcf-protection=none",
        "-Wl,--build-id=none",
        "-Wl,-z,norelro",
        "-Wl,-z,noexecstack",
        "-Wl,-z,max-page-size=4096",
        "-o",
        os.fspath(target),
        os.fspath(SOURCE),
    ]
