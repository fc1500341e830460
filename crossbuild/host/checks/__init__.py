"""What `crossbuild doctor` tries on this host; nothing here changes it."""

from __future__ import annotations

from pathlib import Path

from crossbuild.host.checks.emulation import emulation_checks
from crossbuild.host.checks.programs import engine_check, manager_check, optional_check, program_check
from crossbuild.host.checks.speed import speed_check
from crossbuild.host.checks.storage import capability_check, clock_check, space_checks
from crossbuild.model.host import Check, HostFacts


def run_checks(facts: HostFacts, *, roots: Path, qemu: str = "") -> tuple[Check, ...]:
    """Try everything that builds need; *roots* is the place for roots, *qemu* a configured emulator."""
    return (
        *emulation_checks(facts, qemu),
        *space_checks(facts.places),
        capability_check(roots, root=facts.root),
        clock_check(),
        program_check(facts),
        speed_check(facts),
        manager_check(facts),
        *(engine_check(engine) for engine in facts.engines),
        optional_check(facts),
    )
