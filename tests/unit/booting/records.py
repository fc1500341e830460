"""A record of a boot, of which tests change what they are about."""

from __future__ import annotations

from crossbuild.model.artifact import OutputKind
from crossbuild.model.boot import BootCheck, BootRecord, CheckResult, Stage, StageReached, Verdict

RECORD = BootRecord(
    way=OutputKind.WAREWULF3,
    verdict=Verdict.BOOTED,
    reason=None,
    at="2026-01-02T03:04:05+00:00",
    seconds=31.5,
    memory_bytes=1 << 30,
    emulator="qemu-system-aarch64 7.2.22 (TCG)",
    image_digest="ab12",
    stages=(StageReached(stage=Stage.KERNEL, seconds=1.2),),
    checks=(BootCheck(check="architecture", result=CheckResult.OK, found="aarch64"),),
    console="warewulf3.log",
)
