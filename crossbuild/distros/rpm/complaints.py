"""What dnf, zypper and rpm say when they fail, in words that name the cause and the remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass

from crossbuild.errors import BuildFailedError, CommandFailedError, CrossbuildError, SpecError, StorageError
from crossbuild.model.architecture import Architecture
from crossbuild.model.spec import ImageSpec

UNKNOWN = re.compile(
    r"No match for argument: (?P<dnf>\S+)|No provider of '(?P<zypper>[^']+)' found"
    r"|Package '(?P<name>[^']+)' not found"
    # Where one repository has packages of both architectures.
    r"|package (?P<foreign>\S+)-[^-\s]+-[^-\s]+\.x86_64 does not have a compatible architecture"
)
SCRIPTS = (
    re.compile(
        r"(?P<script>%?\w+)\((?P<package>[^()\s]+)\) scriptlet failed, (?P<how>(?:exit status|signal) \d+)"
    ),
    # libzypp runs these itself, when all packages are there.
    re.compile(r"(?P<package>\S+?)(?:\.rpm)? (?P<script>%\w+) script failed \((?P<how>returned \d+)\)"),
    re.compile(r'(?P<how>lua script failed): \[string "(?P<script>%?\w+)\((?P<package>[^()\s]+)\)'),
)
ALARM = re.compile(
    r"scriptlet failed, (?:exit status|signal)|lua script failed|%\w+ script failed|Error in \S+ scriptlet"
    r"|exec format error|qemu: uncaught target signal|cpio: .* failed|unpacking of archive failed",
    re.IGNORECASE,
)
FULL = (
    "No space left on device", "Disk quota exceeded", "more space needed on the", "more space on the",
    "Not enough disk space",
)  # fmt: skip
CONFLICT = ("conflicts with file from package", "conflicts between attempted installs", "file conflict")
UNSIGNED = (
    "is not signed", "is unsigned", "GPG check FAILED", "signature verification error",
    "Signature verification failed", "Bad GPG signature", "is not installed. Failing package",
    "is signed with an unknown key", "not correct for this package", "NOKEY", "NOT OK", "repomd.xml.asc",
)  # fmt: skip
IMPOSSIBLE = ("nothing provides", "conflicting requests", "Problem: ", "problem with installed package")
MISSING = (
    "Status code: 404", "repomd.xml' not found", "Valid metadata not found", "No such file or directory",
    "Couldn't open file",
)  # fmt: skip
DAMAGED = ("checksum", "Digest verification failed", "digest mismatch", "digest: BAD")
UNREACHABLE = (
    "Failed to connect", "Couldn't connect", "Couldn't resolve", "Could not resolve", "Connection refused",
    "Connection failed", "Timeout exceeded", "timed out",
)  # fmt: skip
FETCHING = ("Curl error", "Failed to download metadata", "Cannot download", "Download (curl) error")
HALF = ("Error downloading packages", "Can't provide", "Cannot download Packages", "not found on medium")


def alarms(line: str) -> bool:
    """Tell whether *line* says that something failed, though the package manager goes on."""
    return ALARM.search(line) is not None


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """What can be asked of the repositories where something is missing."""

    names: Callable[[], list[str]] = list
    """Every package that they have."""
    elsewhere: Callable[[str], list[str]] = lambda _name: []
    """Those that have a package of this name for x86_64."""


def explain(error: CommandFailedError, spec: ImageSpec, known: Knowledge) -> CrossbuildError:
    """Return the error that a user should see instead of *error*."""
    text = "\n".join(line for line in error.details.splitlines() if not line.startswith("Command: "))
    if _says(text, FULL):
        return StorageError("The disk is full.", details=text, resolution="Free some space and run it again.")
    if match := next(filter(None, (script.search(text) for script in SCRIPTS)), None):
        return _failed_script(match, text)
    if match := UNKNOWN.search(text):
        return _unknown_package(match[match.lastgroup or 0], spec, text, known)
    for phrases, brief, resolution in CAUSES:
        if _says(text, phrases):
            return BuildFailedError(brief, details=text, resolution=resolution)
    if _says(text, IMPOSSIBLE):
        return SpecError(
            "These packages cannot be installed together.",
            details=text,
            resolution="Correct `packages:`, or add the repository that has what is missing.",
        )
    return error


CAUSES = (
    (
        # Before signatures: no signature fits what is damaged.
        DAMAGED,
        "A repository does not have what its metadata promises.",
        "Its mirror may be changing or damaged: run it again later, or name another one.",
    ),
    (
        UNSIGNED,
        "A repository or a package is not signed by a key that may sign it.",
        "Check `signed_by` and `fingerprints` of that repository.",
    ),
    (
        CONFLICT,
        "Two packages bring different files of the same name.",
        "Leave one of the packages out.",
    ),
    (
        HALF,
        "A repository does not have all packages that its metadata lists.",
        "Its mirror may be changing or damaged: run it again later, or name another one.",
    ),
    (
        UNREACHABLE,
        "A repository could not be reached.",
        "Check the address and this host's proxy settings, then run it again.",
    ),
    (
        MISSING,
        "A repository is not at its address.",
        "Check the release and the address: releases that are no longer maintained move to a vault.",
    ),
    (
        FETCHING,
        "A repository could not be read.",
        "Check the address and this host's proxy settings, then run it again.",
    ),
)
"""What is said, the cause, and the remedy; the first that fits counts."""


def _says(text: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in text for phrase in phrases)


def _failed_script(match: re.Match[str], text: str) -> BuildFailedError:
    return BuildFailedError(
        f"A script of the package {match['package']} failed.",
        details=f"{match['script']}: {match['how']}\n{text}",
        resolution="The log shows what the script said.",
    )


def _unknown_package(name: str, spec: ImageSpec, text: str, known: Knowledge) -> CrossbuildError:
    place = f"packages[{spec.packages.index(name)}]" if name in spec.packages else "packages"
    if name in spec.openhpc:
        place = "openhpc.groups"
    if spec.kernel and spec.kernel.package == name:
        place = "kernel.package"
    if others := ", ".join(known.elsewhere(name)) if spec.arch is Architecture.AARCH64 else "":
        return SpecError(
            f"The package `{name}` is there for x86_64 only.",
            details=f"{place}: {name}\nThe repository that has it for x86_64: {others}\n{text}",
            resolution="Leave it out, or add a repository that has it for aarch64.",
        )
    similar = ", ".join(difflib.get_close_matches(name, known.names(), n=3))
    return SpecError(
        f"There is no package `{name}` for {spec.distro} {spec.release} on {spec.arch}.",
        details=f"{place}: {name}\n{text}",
        resolution=f"Did you mean {similar}?"
        if similar
        else "Correct the name, or add the repository that has it.",
    )
