"""A qemu that crashes, in a namespace of the tests' own: the build goes on with the one that is installed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from crossbuild.acceleration.build import FRONT
from crossbuild.host.binfmt import MOUNT_POINT, aarch64_handler, render_line
from crossbuild.host.command import capture
from crossbuild.host.interpreter import NAME, write_interpreter
from crossbuild.host.qemu import find_emulators
from tests.integration.conftest import CROSSBUILD, SMALL
from tests.integration.private_host import run_privately

CRASHING = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

__asm__(".section .rodata\nqemu: .incbin \"QEMU\"\nqemu_end: .previous");
extern const char qemu[], qemu_end[];

/* The real qemu, but for one program, at which it crashes, and for its version. */
int main(int argc, char **argv, char **environment)
{
    const char *program = argc > 1 ? strrchr(argv[1], '/') : NULL;
    int file = memfd_create("qemu", MFD_CLOEXEC);

    if (argc == 2 && !strcmp(argv[1], "--version"))
        return puts("qemu-aarch64 version 9.99.0") < 0;
    if (program && !strcmp(program, "/getent"))
        *(volatile int *)8 = 1;
    for (const char *at = qemu; at < qemu_end;) {
        ssize_t written = write(file, at, qemu_end - at);
        if (written <= 0)
            return 1;
        at += written;
    }
    fexecve(file, argv, environment);
    return 127;
}
"""


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A static qemu for which one program is too much."""
    folder = tmp_path_factory.mktemp("crashing")
    real = next(one for one in find_emulators() if one.usable)
    source = folder / "crashing.c"
    source.write_text(CRASHING.replace("QEMU", str(Path(real.path).resolve())))
    capture(["cc", "-static", "-O1", "-o", str(folder / "qemu-aarch64"), str(source)])
    return folder / "qemu-aarch64"


def build(folder: Path, site_config: Path, crashing: Path, command: str) -> tuple[int, str]:
    """Build the small image with *command* where that qemu is the handler; return status and output."""
    write_interpreter(folder / NAME, front=FRONT, qemu=crashing)
    line = render_line(aarch64_handler(str(folder / NAME), "POF"))
    config = folder / "config.yaml"
    config.write_text(f"{site_config.read_text()}qemu: {crashing}\n")
    (folder / "small.yaml").write_text(f"{SMALL}commands: [{json.dumps(command)}]\n")
    words = [CROSSBUILD, "--config", config, "build", folder / "small.yaml", "--output", folder / "out"]
    done = run_privately(
        f"mount -t binfmt_misc binfmt_misc {MOUNT_POINT}\n"
        f"printf %s {shlex.quote(line)} > {MOUNT_POINT}/register\n{shlex.join(map(str, words))}\n",
        cwd=folder,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.usefixtures("small_root")  # its layers serve here
def test_the_build_goes_on_with_another_qemu_and_says_so(
    tmp_path: Path, site_config: Path, crashing: Path
) -> None:
    status, said = build(tmp_path, site_config, crashing, "getent passwd root > /etc/found")
    assert status == 0, said
    crash = json.loads((tmp_path / "out/small/image.json").read_text())["build"]["emulator_crash"]
    assert crash["emulator"] == "9.99.0"
    assert crash["second"] != "9.99.0"
    assert crash["said"] in " ".join(said.split())


@pytest.mark.usefixtures("small_root")
def test_what_crashes_in_both_fails_the_build(tmp_path: Path, site_config: Path, crashing: Path) -> None:
    status, said = build(tmp_path, site_config, crashing, "sh -c 'kill -SEGV $$'")
    assert (status, "once more with" in said) == (1, True), said
    assert not (tmp_path / "out/small").exists()
