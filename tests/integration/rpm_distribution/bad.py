"""Repositories with which something is wrong; a package manager must say what, and install nothing of it."""

from __future__ import annotations

import enum
import shutil
from collections.abc import Mapping
from pathlib import Path

from crossbuild.host.command import capture
from crossbuild.model.architecture import Architecture
from tests.integration.rpm_distribution.signing import Signer
from tests.integration.rpm_distribution.spec import reproducible, rpmbuild_command

SPEC = Path(__file__).with_name("bad") / "bad.spec"


class Bad(enum.StrEnum):
    """What is wrong with a repository."""

    UNSIGNED = "unsigned"
    FOREIGN_PACKAGE = "foreign-package"
    FOREIGN_METADATA = "foreign-metadata"
    HALF = "half"
    DAMAGED = "damaged"
    SCRIPTLETS = "scriptlets"
    CONFLICT = "conflict"
    UNRESOLVABLE = "unresolvable"
    OTHER_ARCHITECTURE = "other-architecture"
    WRONG_PROGRAMS = "wrong-programs"


SCRIPTLETS = (
    "fails-in-pretrans",
    "fails-in-pre",
    "fails-in-post",
    "fails-in-posttrans",
    "fails-for-want-of-a-program",
    "fails-for-want-of-a-shell",
    "fails-by-a-signal",
    "fails-in-a-trigger",
    "fails-in-a-file-trigger",
    "fails-in-a-transaction-file-trigger",
)
PACKAGES: Mapping[Bad, tuple[str, ...]] = {
    Bad.UNSIGNED: ("unsigned",),
    Bad.FOREIGN_PACKAGE: ("signed-by-others",),
    Bad.FOREIGN_METADATA: ("in-metadata-of-others",),
    Bad.HALF: ("not-there",),
    Bad.DAMAGED: ("damaged",),
    Bad.SCRIPTLETS: SCRIPTLETS,
    Bad.CONFLICT: ("conflicts-one", "conflicts-other"),
    Bad.UNRESOLVABLE: ("needs-what-nobody-has",),
    Bad.OTHER_ARCHITECTURE: ("only-for-x86_64",),
    Bad.WRONG_PROGRAMS: ("holds-x86-programs",),
}
"""What each of them has to offer."""
FROM_X86_64 = frozenset({"only-for-x86_64", "conflicts-other"})
"""All others are from the build for aarch64."""


def make_bad_repositories(work: Path, target: Path, trusted: Signer, foreign: Signer) -> None:
    """Write a repository for each member of `Bad` below *target*, all for aarch64."""
    built = {arch: _build(work / arch, arch) for arch in Architecture}
    for bad, names in PACKAGES.items():
        folder = target / bad
        folder.mkdir(parents=True)
        for name in names:
            arch = Architecture.X86_64 if name in FROM_X86_64 else Architecture.AARCH64
            shutil.copy(next(built[arch].glob(f"{name}-1-1.*.rpm")), folder)
        _spoil(bad, folder, trusted, foreign)


def _spoil(bad: Bad, folder: Path, trusted: Signer, foreign: Signer) -> None:
    packages = sorted(folder.glob("*.rpm"))
    if bad is not Bad.UNSIGNED:
        (foreign if bad is Bad.FOREIGN_PACKAGE else trusted).sign_packages(packages)
    (foreign if bad is Bad.FOREIGN_METADATA else trusted).index(folder)
    if bad is Bad.HALF:
        packages[0].unlink()
    if bad is Bad.DAMAGED:
        content = bytearray(packages[0].read_bytes())
        content[-9] ^= 1  # in the payload, whose size stays the same
        packages[0].write_bytes(content)


def _build(work: Path, arch: Architecture) -> Path:
    work.mkdir(parents=True)
    argv = rpmbuild_command(SPEC, work, work / "rpms", arch)
    # This very host's: it is x86_64, which no package for aarch64 may hold.
    capture([*argv[:-1], "--define", f"foreign_program {shutil.which('true')}", argv[-1]], env=reproducible())
    return work / "rpms"
