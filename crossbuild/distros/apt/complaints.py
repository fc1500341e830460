"""What apt and dpkg say when they fail, in words that name the cause and the remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from crossbuild.errors import BuildFailedError, CommandFailedError, CrossbuildError, SpecError, StorageError
from crossbuild.model.spec import ImageSpec

UNKNOWN = re.compile(
    r"E: (?:Unable to locate package|Package '|Couldn't find any package by \S+ ')\s*(?P<name>[^\s']+)"
)
VERSION = re.compile(r"E: Version '(?P<version>[^']+)' for '(?P<name>[^']+)' was not found")
UNSIGNED = (
    "NO_PUBKEY",
    "is not signed",
    "BADSIG",
    "EXPKEYSIG",
    "REVKEYSIG",
    "signatures were invalid",
    "NODATA",
)
UNREACHABLE = (
    "Could not resolve", "Could not connect", "Connection refused", "Connection timed out", "Failed to fetch",
    "Unable to connect", "does not have a Release file",
)  # fmt: skip
FULL = ("No space left on device", "You don't have enough free space", "Disk quota exceeded")


def explain(
    error: CommandFailedError, spec: ImageSpec, known_names: Callable[[], list[str]] = list
) -> CrossbuildError:
    """Return the error that a user should see instead of *error*."""
    text = error.details
    if match := UNKNOWN.search(text) or VERSION.search(text):
        return _unknown_package(match["name"], spec, text, known_names)
    if _says(text, FULL):
        return StorageError("The disk is full.", details=text, resolution="Free some space and run it again.")
    if _says(text, UNSIGNED):
        return BuildFailedError(
            "A package source is not signed by a key that may sign it.",
            details=text,
            resolution="Check `signed_by` of that source and this host's keyrings."
            " crossbuild never installs what is not signed.",
        )
    if "unmet dependencies" in text or "held broken packages" in text:
        return SpecError(
            "These packages cannot be installed together.",
            details=text,
            resolution="Correct `packages:`, or add the source that has what is missing.",
        )
    if _says(text, UNREACHABLE):
        return BuildFailedError(
            "A package source could not be reached.",
            details=text,
            resolution="Check the address and this host's proxy settings (apt.conf), then run it again.",
        )
    return error


def _says(text: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in text for phrase in phrases)


def _unknown_package(
    name: str, spec: ImageSpec, text: str, known_names: Callable[[], list[str]]
) -> CrossbuildError:
    place = f"packages[{spec.packages.index(name)}]" if name in spec.packages else "packages"
    if spec.kernel and spec.kernel.package == name:
        place = "kernel.package"
    similar = ", ".join(difflib.get_close_matches(name, known_names(), n=3))
    return SpecError(
        f"There is no package `{name}` for {spec.distro} {spec.release} on {spec.arch}.",
        details=f"{place}: {name}\n{text}",
        resolution=f"Did you mean {similar}?"
        if similar
        else "Correct the name, or add the source that has it.",
    )
