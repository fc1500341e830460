"""A small artifact set on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossbuild.artifacts.record import BuildFacts, SetFacts, write_record
from crossbuild.artifacts.sbom import write_packages
from crossbuild.artifacts.storage import write_text
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import ArchProof, OutputKind
from crossbuild.model.root import Package
from tests.unit.artifacts.jobs import EPOCH, KERNEL_SPEC, make_job
from tests.unit.specs import make_spec

PROOF = ArchProof(
    elf_files=1234,
    arch=Architecture.AARCH64,
    interpreter="/lib/ld-linux-aarch64.so.1",
    init="/usr/lib/systemd/systemd",
    kernel_header="arm64 Image",
)
BUILD = BuildFacts(
    venue="local",
    venue_reason="this host is aarch64 itself",
    executor="hybrid",
    reason="this host runs aarch64 programs",
    tools=(("cpio", "cpio (GNU cpio) 2.13"),),
    inputs="ab12",
    programs_native=3,
    programs_emulated=1,
    programs_timed=4,
    cpu_seconds_native=0.012,
    cpu_seconds_emulated=0.5,
    emulator_crash=None,
    started="2023-11-14T22:00:00Z",
    finished="2023-11-14T22:13:20Z",
    seconds=800.0,
)
CURL = Package(name="curl", version="7.88.1-10", arch="arm64", kind="deb")


def make_facts(folder: Path, **changes: Any) -> SetFacts:
    """Return what a record says about a small root made below *folder*, but for *changes*."""
    folder.mkdir(parents=True)
    job = make_job(folder)
    values: dict[str, Any] = {
        "spec": make_spec(kernel=KERNEL_SPEC, outputs=tuple(OutputKind)),
        "proof": PROOF,
        "kernel": job.kernel,
        "survey": job.survey,
        "epoch": EPOCH,
        "packages": 1,
        "build": BUILD,
    }
    return SetFacts(**(values | changes))


def make_set(
    folder: Path, *, kernel: str = "kernel", packages: tuple[Package, ...] = (CURL,), **changes: Any
) -> Path:
    """Write a set of two files below *folder* and return its folder."""
    directory = folder / "set"
    facts = make_facts(folder / "scratch", **changes)
    directory.mkdir()
    files = (write_text(kernel, directory, "ims/kernel"), write_packages(packages, directory))
    write_record(facts, files, directory)
    (directory / "build.log").write_text("never compared")
    return directory
