"""Whether the programs at hand can fill a root of some release."""

from __future__ import annotations

import re

from crossbuild.distros.release import DatabaseBackend, Release, RpmDatabase
from crossbuild.errors import HostNotReadyError
from crossbuild.host import command, requirements
from crossbuild.host.programs import Programs

WITH_SQLITE = (4, 16)
"""The first rpm that writes this form."""


def require_manager(program: str, release: Release, programs: Programs) -> None:
    """Raise HostNotReadyError unless *programs* has the package manager *program*, and rpm."""
    if programs.has(program) and programs.has("rpm"):
        return
    family = requirements.family_of(requirements.read_os_release())
    install = requirements.install_command(family, (requirements.package_for(program, family),))
    raise HostNotReadyError(
        f"{release.title} needs `{program}` on this host.",
        details=f"`{program}` installs natively into the aarch64 root; it was not found on PATH.",
        resolution=f"Install it: {install}; or name a root that has it as `tools` in the configuration.",
    )


def require_rpm(database: RpmDatabase, programs: Programs) -> None:
    """Raise HostNotReadyError unless the rpm of *programs* can write what the root's own is to read."""
    said = command.capture(programs.argv(["rpm", "--version"])).stdout
    version = tuple(int(number) for number in re.findall(r"\d+", said)[:2])
    if database.backend is DatabaseBackend.SQLITE and version < WITH_SQLITE:
        raise HostNotReadyError(
            "This host's rpm is too old for that distribution.",
            details=f"{said.strip()} cannot write a database in SQLite; 4.16 is the first that can.",
            resolution="Build on a host with a newer rpm, such as Debian 12 or Enterprise Linux 9.",
        )
