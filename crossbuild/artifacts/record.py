"""`image.json`: what an artifact set is, how that was proved, and how it was made.

docs/reference/image-json.md describes every key. All but `build` is the same in two builds of one thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from crossbuild.artifacts.storage import json_text, write_json
from crossbuild.artifacts.warewulf3 import choose_vnfs_format
from crossbuild.model.artifact import ArchProof, Artifact, EmulatorCrash, Kernel, OutputKind
from crossbuild.model.spec import ImageSpec
from crossbuild.model.survey import TreeSurvey

NAME = "image.json"
SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class BuildFacts:
    """What may differ between two builds of the same bytes."""

    venue: str
    """Where it ran: `local`, `slurm`, or the name of a node."""
    venue_reason: str
    """Why there."""
    executor: str
    reason: str
    """Why that executor was chosen."""
    tools: tuple[tuple[str, str], ...]
    """Programs and libraries that made the bytes, with their versions."""
    inputs: str
    """Digest of everything that decides the result, for recognising a build that has nothing to do."""
    programs_native: int
    """How many programs of the root were started as their twins; 0 in a build without acceleration."""
    programs_emulated: int
    """How many were started in qemu while the others were counted."""
    programs_timed: int
    """How many of both the times are of."""
    cpu_seconds_native: float | None
    cpu_seconds_emulated: float | None
    """CPU time of each; None where the kernel told none."""
    emulator_crash: EmulatorCrash | None
    started: str
    finished: str
    """Both in UTC, as RFC 3339 writes it."""
    seconds: float


@dataclass(frozen=True, kw_only=True)
class SetFacts:
    """What the record says besides what it lists."""

    spec: ImageSpec
    proof: ArchProof
    kernel: Kernel | None
    survey: TreeSurvey
    epoch: int
    """SOURCE_DATE_EPOCH."""
    packages: int
    build: BuildFacts


def write_record(facts: SetFacts, artifacts: Sequence[Artifact], directory: Path) -> Artifact:
    """Write `image.json` of the set in *directory*, which lists *artifacts* but not itself."""
    return write_json(record(facts, artifacts), directory, NAME)


def write_adopted(
    name: str,
    proof: ArchProof,
    kernel: Kernel | None,
    arguments: str,
    artifacts: Sequence[Artifact],
    directory: Path,
) -> Artifact:
    """Write `image.json` of a set of files that were made elsewhere: what is not known of them is null."""
    known = {
        "schema": SCHEMA,
        "name": name,
        "arch": proof.arch.value,
        "arch_proof": asdict(proof),
        "distro": None,
        "release": None,
        "kernel": _kernel(kernel, arguments),
        "spec_digest": None,
        "source_date_epoch": None,
        "packages": None,
        "capabilities": [],
        "unpacked_size": None,
        "services": [],
        "accounts": [],
        "checks": {},
        "formats": {},
        "files": _files(artifacts),
        "build": {"venue": "elsewhere"},
    }
    return write_json(known, directory, NAME)


def record(facts: SetFacts, artifacts: Sequence[Artifact]) -> dict[str, object]:
    """Return all of `image.json`."""
    spec = facts.spec
    return {
        "schema": SCHEMA,
        "name": spec.name,
        "arch": spec.arch.value,
        "arch_proof": asdict(facts.proof),
        "distro": spec.distro,
        "release": spec.release,
        "kernel": _kernel(facts.kernel, spec.kernel.args if spec.kernel else ""),
        "spec_digest": spec.digest,
        "source_date_epoch": facts.epoch,
        "packages": facts.packages,
        "unverified_repositories": list(spec.unverified),
        "capabilities": [
            {"path": json_text(capability.path), "value": capability.value.hex()}
            for capability in facts.survey.capabilities
        ],
        "unpacked_size": facts.survey.size,
        "services": list(spec.services.enable),
        "accounts": [
            {"name": account.name, "uid": account.uid, "gid": account.gid, "group": account.group}
            for account in spec.accounts
        ],
        "checks": {"commands": list(spec.checks), "tests": [asdict(test) for test in spec.tests]},
        "formats": _formats(facts),
        "files": _files(artifacts),
        "build": {**asdict(facts.build), "tools": dict(facts.build.tools)},
    }


def _files(artifacts: Sequence[Artifact]) -> list[dict[str, object]]:
    ordered = sorted(artifacts, key=lambda artifact: artifact.path)
    return [{"path": str(artifact.path), **asdict(artifact.digests)} for artifact in ordered]


def _kernel(kernel: Kernel | None, arguments: str) -> dict[str, object] | None:
    if kernel is None:
        return None
    return {
        "version": kernel.version,
        "path": str(kernel.path),
        "format": kernel.format.value,
        "gzipped": kernel.gzipped,
        "args": arguments,
    }


def _formats(facts: SetFacts) -> dict[str, object]:
    """Return the choices that were made for the provisioners, with their reasons."""
    formats: dict[str, object] = {}
    if OutputKind.WAREWULF3 in facts.spec.outputs:
        choice = choose_vnfs_format(facts.survey)
        formats["vnfs"] = {
            "archive": choice.format.value,
            "reason": choice.reason,
            "left_out": [json_text(path) for path in choice.left_out],
        }
    if OutputKind.WAREWULF4 in facts.spec.outputs and facts.survey.capabilities:
        formats["warewulf4"] = {
            "archive": "docker-archive",
            "reason": "Warewulf's own cpio loses file capabilities: restore-capabilities.sh gives them back",
        }
    if OutputKind.IMS in facts.spec.outputs and facts.survey.attributes:
        formats["ims"] = {
            "archive": "squashfs",
            "reason": "BOS boots squashfs, which carries file capabilities but no access control lists",
            "entries_with_attributes": [json_text(path) for path in facts.survey.attributes],
        }
    return formats
