"""What was packed is what was verified: right architecture, whole archives, file capabilities arrived."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from crossbuild.errors import CommandFailedError
from crossbuild.formats.capability import to_text
from crossbuild.formats.elf import DamagedElfError
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import ArchProof, FileCapability
from crossbuild.model.survey import TreeSurvey
from crossbuild.verification.archives import DAMAGE, Member, read_layers, read_packed
from crossbuild.verification.findings import Complaint, Finding, Verification, collect
from crossbuild.verification.heads import header_of
from crossbuild.verification.machines import is_data, wrong_machine
from crossbuild.verification.squashfs import read_squashfs

RESTORE_SCRIPT = "restore-capabilities.sh"
"""Beside an archive: what sets the capabilities on a node that the way there loses."""


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """Archives of one kind."""

    pattern: str
    """Below the folder of an artifact set."""
    read: Callable[[Path, Sequence[PurePosixPath]], Iterator[Member]]
    """The sequence names the files whose capabilities are of interest."""
    is_root: bool
    """Whether it holds a whole root, and with it the capabilities."""
    loses_later: bool = False
    """Whether the provisioner packs it anew in a format without capabilities, so that a script must help."""


_WHOLE = PurePosixPath("/")
"""Stands for the archive itself."""

ARCHIVES = (
    _Kind(pattern="warewulf3/*.vnfs", read=lambda path, _: read_packed(path), is_root=True),
    _Kind(pattern="warewulf3/*.wwbs", read=lambda path, _: read_packed(path), is_root=False),
    _Kind(pattern="warewulf4/*.tar", read=lambda path, _: read_layers(path), is_root=True, loses_later=True),
    _Kind(
        pattern="ims/rootfs", read=lambda path, capable: read_squashfs(path, capable=capable), is_root=True
    ),
)


@dataclass
class _Tally:
    """What one pass through an archive learns."""

    arch: Architecture
    capable: frozenset[PurePosixPath]
    """Files whose capabilities are of interest."""
    elf_files: int = 0
    wrong: list[Complaint] = field(default_factory=list)
    capabilities: dict[PurePosixPath, bytes] = field(default_factory=dict)

    def add(self, member: Member) -> None:
        """Look at *member*."""
        source = member.path if member.same_as is None else member.same_as
        # Another name of a file comes behind it, and either of the two may be the one that is asked for.
        capability = member.capability or self.capabilities.get(source, b"")
        if capability:
            self.capabilities[member.path] = capability
        try:
            header = header_of(member.path.name, member.head)
        except DamagedElfError as error:
            if not is_data(member.path):
                self.wrong.append((member.path, f"is a damaged ELF file: {error}"))
            return
        if header is not None:
            self.elf_files += 1
            if wrong := wrong_machine(member.path, header, self.arch):
                self.wrong.append((member.path, wrong))


def verify_packed(
    directory: Path, survey: TreeSurvey, arch: Architecture, *, allow: tuple[str, ...] = ()
) -> Verification:
    """Read each packed archive of the artifact set in *directory* once and check what is in it.

    *survey* is that of the root before packing; *allow* as in `verify_root`, matched inside the archive.
    The path of a finding begins with that of the archive below *directory*. The proof counts the ELF files
    of all archives and leaves the rest to `verify_root`. Raises HostNotReadyError without unsquashfs.
    """
    capable = frozenset(capability.path for capability in survey.capabilities)
    findings: list[Finding] = []
    elf_files = 0
    for kind in ARCHIVES:
        for archive in sorted(directory.glob(kind.pattern)):
            tally = _Tally(arch, capable)
            damage = _pass_through(kind, archive, tally)
            expected = survey.capabilities if kind.is_root and not damage else ()
            lost = _lost(kind, archive, expected, tally)
            checks = (("archive", damage), ("architecture", tally.wrong), ("capabilities", lost))
            place = PurePosixPath(archive.relative_to(directory))
            findings += (
                replace(found, path=place / found.path.relative_to("/"))
                for found in collect(checks, allow=allow)
            )
            elf_files += tally.elf_files
    proof = ArchProof(elf_files=elf_files, arch=arch, interpreter="", init="", kernel_header="")
    return Verification(proof=proof, findings=tuple(findings))


def _pass_through(kind: _Kind, archive: Path, tally: _Tally) -> list[Complaint]:
    """Show every member of *archive* to *tally* and return what keeps it from being read to its end."""
    try:
        for member in kind.read(archive, sorted(tally.capable)):
            tally.add(member)
    except CommandFailedError as error:
        return [(_WHOLE, f"cannot be read to its end: {error.brief} {error.details}")]
    except DAMAGE as error:
        return [(_WHOLE, f"cannot be read to its end: {error}")]
    return []


def _lost(
    kind: _Kind, archive: Path, expected: Iterable[FileCapability], tally: _Tally
) -> Iterator[Complaint]:
    """Yield each file whose capabilities do not reach a node."""
    restored = _words(archive.with_name(RESTORE_SCRIPT))
    for capability in expected:
        arrived = tally.capabilities.get(capability.path, b"")
        helped = str(capability.path) in restored
        if arrived != capability.value and not (helped and not kind.loses_later):
            has = _text(arrived) if arrived else "nothing"
            yield capability.path, f"had {_text(capability.value)} in the root, and has {has} in the archive"
        elif kind.loses_later and not helped:
            yield (
                capability.path,
                f"loses {_text(capability.value)} later, and no {RESTORE_SCRIPT} restores it",
            )


def _words(script: Path) -> frozenset[str]:
    """Return the words of a shell script as the shell would see them, none if there is no such script."""
    if not script.is_file():
        return frozenset()
    text = script.read_text(encoding="utf-8", errors="surrogateescape")
    return frozenset(shlex.split(text, comments=True))


def _text(value: bytes) -> str:
    try:
        return to_text(value)
    except ValueError:
        return value.hex()
