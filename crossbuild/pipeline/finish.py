"""From a complete root to a verified one, and from that to an artifact set."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from crossbuild.acceleration.starts import Way
from crossbuild.acceleration.times import ProgramUse
from crossbuild.artifacts.contents import write_contents
from crossbuild.artifacts.kernel import find_kernel, write_kernel
from crossbuild.artifacts.packing import PackJob, pack
from crossbuild.artifacts.receipts import copy_receipts
from crossbuild.artifacts.record import NAME as RECORD
from crossbuild.artifacts.record import BuildFacts, SetFacts, write_record
from crossbuild.artifacts.sbom import write_packages, write_sbom
from crossbuild.artifacts.storage import write_json
from crossbuild.artifacts.store import load_set
from crossbuild.artifacts.tools import tool_versions
from crossbuild.distros import catalog
from crossbuild.errors import ArtifactError, BuildFailedError, UsageError
from crossbuild.executors import edits
from crossbuild.executors.finishing import clamp_times, clean
from crossbuild.host import rooted
from crossbuild.host.publish import publish
from crossbuild.host.survey import survey
from crossbuild.host.workspace import workspace
from crossbuild.model.artifact import ArchProof, ArtifactSet, Kernel, OutputKind
from crossbuild.model.plan import LinkStep, Plan
from crossbuild.model.root import Package, Root
from crossbuild.model.survey import TreeSurvey
from crossbuild.pipeline.inventory import OWNERS
from crossbuild.pipeline.narrator import Narrator
from crossbuild.verification.packed import verify_packed
from crossbuild.verification.tree import verify_root


@dataclass(frozen=True, kw_only=True)
class FinishedRoot:
    """A root that was cleaned and verified, and what was learned on the way."""

    plan: Plan
    root: Root
    kernel: Kernel | None
    initrd: PurePosixPath | None
    survey: TreeSurvey
    proof: ArchProof
    packages: tuple[Package, ...]
    owners: Mapping[str, str]
    """The package of each path that one brought."""


@dataclass(frozen=True, kw_only=True)
class SetPlaces:
    """Where an artifact set is made: neither folder is where anybody looks for it."""

    scratch: Path
    """On the file system of the root."""
    staging: Path
    """Will be the set; it does not exist yet."""


def finish_root(plan: Plan, path: Path, packages: tuple[Package, ...], narrator: Narrator) -> FinishedRoot:
    """Clean the root at *path*, which has *packages*, make its times reproducible, and verify it.

    Raises VerificationError listing what is wrong.
    """
    root = Root(path=path, arch=plan.spec.arch)
    own = tuple(file.target for file in plan.spec.files)
    # Before it is cleaned, for rpm leaves traces even where it only reads.
    owners = OWNERS[catalog.lookup(plan.spec.distro, plan.spec.release).family](path)
    clean(path, own)
    kernel = _bootable_kernel(root) if plan.spec.kernel else None
    clamp_times(path, plan.resolution.epoch)
    verification = verify_root(root, kernel=kernel, allow=own)
    verification.raise_for_findings()
    for note in verification.notes:
        narrator.line(note)
    return FinishedRoot(
        plan=plan,
        root=root,
        kernel=kernel,
        initrd=_initrd(root, plan.initramfs.format(version=kernel.version)) if kernel else None,
        survey=survey(path),
        proof=verification.proof,
        packages=packages,
        owners=owners,
    )


def _bootable_kernel(root: Root) -> Kernel:
    """Return the root's kernel, unpacked beside itself if it is in gzip, which arm64 iPXE cannot start."""
    kernel = find_kernel(root)
    if kernel is None:
        raise BuildFailedError(
            "The image has no kernel.",
            details="Nothing below /boot or /lib/modules is one.",
            resolution="Name a package that brings one as `kernel.package`, or say `kernel: false`.",
        )
    if not kernel.gzipped:
        return kernel
    image = rooted.resolve(root.path, f"/boot/Image-{kernel.version}")
    write_kernel(kernel, root, image)
    edits.apply(
        LinkStep(path="/boot/Image", target=image.name, reason="IMS takes it when it customizes"), root.path
    )
    return find_kernel(root) or kernel


def _initrd(root: Root, name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if not rooted.resolve(root.path, path).is_file():
        raise BuildFailedError("The image has no initramfs.", details=f"{path} was not made.")
    return path


def write_set(made: FinishedRoot, places: SetPlaces, inputs: str, narrator: Narrator) -> None:
    """Make the artifact set of *made* in the new folder `places.staging`, and check what was packed.

    Raises ArtifactError, StorageError or VerificationError.
    """
    directory = places.staging
    directory.mkdir()
    spec, epoch = made.plan.spec, made.plan.resolution.epoch
    job = PackJob(
        spec=spec,
        root=made.root,
        kernel=made.kernel,
        initrd=made.initrd,
        survey=made.survey,
        epoch=epoch,
        work=places.scratch,
        squashfs_compression=made.plan.squashfs_compression,
    )
    if OutputKind.IMS in spec.outputs and made.survey.attributes:
        paths = ", ".join(str(path) for path in made.survey.attributes[:3])
        narrator.notice(f"The squashfs of IMS cannot carry access control lists; these lose theirs: {paths}.")
    packed = pack(job, directory, lambda what, done, total: narrator.progress(done, total, "bytes", what))
    own = tuple(file.target for file in spec.files)
    verify_packed(directory, made.survey, made.root.arch, allow=own).raise_for_findings()
    lists = (
        write_packages(made.packages, directory),
        write_sbom(spec, made.packages, epoch, directory),
        write_contents(made.root.path, made.owners, directory),
    )
    facts = SetFacts(
        spec=spec,
        proof=made.proof,
        kernel=made.kernel,
        survey=made.survey,
        epoch=epoch,
        packages=len(made.packages),
        build=_build_facts(made.plan, inputs, narrator),
    )
    write_record(facts, (*packed, *lists), directory)


def publish_set(made: FinishedRoot, target: Path, scratch: Path, inputs: str, narrator: Narrator) -> None:
    """Make the artifact set of *made* at *target*, whole or not at all.

    *scratch* is a folder beside the root, *inputs* the digest of what decided it.
    """
    scratch.mkdir(exist_ok=True)
    # On the same file system as its place, so that it gets there by rename.
    with workspace(target.parent / ".crossbuild", target.name) as staging:
        places = SetPlaces(scratch=scratch, staging=staging / "set")
        with narrator.phase("packing"):
            write_set(made, places, inputs, narrator)
        complete_records(places.staging, target, narrator)
        publish(places.staging, target)


def complete_records(directory: Path, former: Path, narrator: Narrator) -> None:
    """Add to the set in *directory* the timeline and the log of its build, and receipts of the *former* set.

    What an earlier build registered is registered still, and only its receipts can take it back.
    """
    copy_receipts(former, directory)
    programs = [program_entry(use) for use in narrator.programs]
    write_json({"phases": narrator.timeline, "programs": programs}, directory, "timeline.json")
    shutil.copyfile(narrator.log_path, directory / "build.log")


def program_entry(use: ProgramUse) -> dict[str, object]:
    """Return how `timeline.json` lists *use* (docs/reference/artifact-set.md)."""
    return {
        "program": use.program,
        "native": use.way is Way.NATIVE,
        "way": use.way.name.lower(),
        "starts": use.starts,
        "timed": use.timed,
        "seconds": round(use.seconds, 3) if use.timed else None,
        "cpu_seconds": round(use.cpu_seconds, 3) if use.timed else None,
    }


def _cpu_seconds(uses: Sequence[ProgramUse]) -> float | None:
    """Return what all of *uses* took, None where none of their starts was timed."""
    if not any(use.timed for use in uses):
        return None
    return round(sum(use.cpu_seconds for use in uses), 3)


def _build_facts(plan: Plan, inputs: str, narrator: Narrator) -> BuildFacts:
    now = datetime.now(UTC)
    native = [use for use in narrator.programs if use.way is Way.NATIVE]
    emulated = [use for use in narrator.programs if use.way is not Way.NATIVE]
    return BuildFacts(
        venue=plan.venue.name,
        venue_reason=plan.venue.reason,
        executor=plan.executor.kind.value,
        reason=plan.executor.reason,
        tools=tool_versions(plan.spec.outputs),
        inputs=inputs,
        programs_native=sum(use.starts for use in native),
        programs_emulated=sum(use.starts for use in emulated),
        programs_timed=sum(use.timed for use in narrator.programs),
        cpu_seconds_native=_cpu_seconds(native),
        cpu_seconds_emulated=_cpu_seconds(emulated),
        emulator_crash=narrator.crash,
        started=(now - timedelta(seconds=narrator.seconds)).isoformat(timespec="seconds"),
        finished=now.isoformat(timespec="seconds"),
        seconds=round(narrator.seconds, 3),
    )


def unchanged_set(target: Path, inputs: str) -> ArtifactSet | None:
    """Return the set at *target* if it was made from *inputs* and its files still have their sizes."""
    try:
        found = load_set(target)
        build = found.record.get("build")
        sizes_hold = all(
            (target / artifact.path).stat().st_size == artifact.digests.size for artifact in found.artifacts
        )
    except (ArtifactError, OSError):
        return None
    return found if sizes_hold and isinstance(build, dict) and build.get("inputs") == inputs else None


def refuse_foreign(target: Path) -> None:
    """Raise UsageError if something at *target* is not an artifact set, which a build would replace."""
    if target.exists() and not (target / RECORD).is_file() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(
            f"{target} is not an artifact set, and is not replaced.",
            details="Somebody else put it there.",
            resolution="Move it away, or choose another folder with `--output`.",
        )
