"""Whether the programs, package managers and container engines are here that builds start."""

from __future__ import annotations

from crossbuild.host.requirements import EMULATOR, REQUIREMENTS, Requirement, install_command, package_for
from crossbuild.model.host import Check, Engine, HostFacts, Status

MANAGERS = ("apt-get", "mmdebstrap", "dnf", "zypper")


def program_check(facts: HostFacts) -> Check:
    """Judge the programs that every build starts; the emulator has a check of its own."""
    missing = _missing(facts, "core")
    if not missing:
        return Check(name="programs", status=Status.OK, brief="Every program that builds start is installed.")
    return Check(
        name="programs",
        status=Status.FAILED,
        brief="Programs are missing: " + ", ".join(row.program for row in missing) + ".",
        details=_uses(missing),
        remedy=_install(facts, missing),
    )


def manager_check(facts: HostFacts) -> Check:
    """Judge the package managers: one family is enough, and it decides which images can be built here."""
    present = [row for row in REQUIREMENTS if row.program in MANAGERS and facts.tool(row.program)]
    absent = [row for row in REQUIREMENTS if row.program in MANAGERS and not facts.tool(row.program)]
    apt_ready = not _missing(facts, "apt")
    if apt_ready or _rpm_ready(facts):
        brief = "Package managers: " + ", ".join(f"{row.program} {row.use}" for row in present) + "."
        details = "Not installed: " + _uses(absent).replace("\n", "; ") if absent else ""
        return Check(name="package managers", status=Status.OK, brief=brief, details=details)
    lacking = _missing(facts, "apt")
    return Check(
        name="package managers",
        status=Status.FAILED,
        brief="No package manager is complete, so no image can be built here.",
        details=_uses(lacking),
        remedy=_install(facts, lacking),
    )


def _rpm_ready(facts: HostFacts) -> bool:
    return not _missing(facts, "rpm") and any(not _missing(facts, purpose) for purpose in ("dnf", "zypper"))


def engine_check(engine: Engine) -> Check:
    """Judge a container engine; builds can do without."""
    name = engine.name
    if engine.reachable:
        return Check(name=name, status=Status.OK, brief=f"{name} answers at {engine.socket}.")
    if not engine.client:
        return Check(name=name, status=Status.SKIPPED, brief=f"{name} is not installed.")
    return Check(name=name, status=Status.WARNING, brief=f"{name} is installed but does not answer.",
                 details=engine.reason, remedy=_start(engine))  # fmt: skip


def optional_check(facts: HostFacts) -> Check:
    """Judge what only `crossbuild boot` needs."""
    missing = _missing(facts, "boot")
    if not missing:
        return Check(name="boot", status=Status.OK, brief="Finished images can be booted here.")
    return Check(
        name="boot",
        status=Status.SKIPPED,
        brief="Finished images cannot be booted here: "
        + ", ".join(row.program for row in missing)
        + " is missing.",
        remedy=_install(facts, missing),
    )


def _missing(facts: HostFacts, purpose: str) -> list[Requirement]:
    rows = (row for row in REQUIREMENTS if row.purpose == purpose and row.program != EMULATOR)
    return [row for row in rows if not facts.tool(row.program)]


def _uses(rows: list[Requirement]) -> str:
    return "\n".join(f"{row.program} {row.use}" for row in rows)


def _install(facts: HostFacts, rows: list[Requirement]) -> str:
    family = facts.system.family.value
    names = tuple(dict.fromkeys(package_for(row.program, family) for row in rows))
    return install_command(family, tuple(name for name in names if name))


def _start(engine: Engine) -> str:
    if "may not open" in engine.reason:
        return "Run crossbuild with sudo, or join the engine's group"
    return f"sudo systemctl enable --now {'podman.socket' if engine.name == 'podman' else 'docker'}"
