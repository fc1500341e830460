"""Artifact sets that are packed as real ones are, of a root of a few files."""

from __future__ import annotations

import shutil
from pathlib import Path

from crossbuild.artifacts.packing import PACKERS
from crossbuild.artifacts.record import SetFacts, write_record
from crossbuild.model.artifact import OutputKind
from tests.unit.artifacts.jobs import EPOCH, KERNEL_SPEC, TREE, make_job, no_progress
from tests.unit.artifacts.sets import BUILD, PROOF
from tests.unit.specs import make_spec
from tests.unit.trees import LOADER, make_elf

ARGUMENTS = KERNEL_SPEC.args


def small_set(folder: Path, kind: OutputKind, *, content: bytes = b"node\n") -> Path:
    """Pack a set for *kind* below the new *folder*; another *content* of a file gives another set."""
    folder.mkdir()
    spec = make_spec(kernel=KERNEL_SPEC, outputs=(kind,))
    programs = {"bin/sh": make_elf(), "sbin/init": make_elf(), f"usr{LOADER}": make_elf()}
    job = make_job(folder, {**TREE, **programs, "etc/hostname": content}, spec=spec)
    directory = folder / job.spec.name
    directory.mkdir()
    packed = PACKERS[kind](job, directory, no_progress)
    facts = SetFacts(
        spec=job.spec,
        proof=PROOF,
        kernel=job.kernel,
        survey=job.survey,
        epoch=EPOCH,
        packages=0,
        build=BUILD,
    )
    write_record(facts, packed, directory)
    return directory


def copied(packed: Path, folder: Path) -> Path:
    """Copy the set *packed* into the new *folder* and return it there."""
    return Path(shutil.copytree(packed, folder / packed.name))


def receipts(directory: Path) -> list[Path]:
    """Return the files of all receipts of a set."""
    return sorted((directory / "receipts").glob("*.json"))
