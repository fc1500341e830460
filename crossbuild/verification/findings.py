"""What verification says: how ARCH was proved, and each path that is not what it must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from crossbuild.errors import VerificationError
from crossbuild.model.artifact import ArchProof

MAX_LISTED = 50
"""Findings that an error lists one by one; the others are counted."""

Complaint = tuple[PurePosixPath, str]
"""A path, absolute inside the root, and what is wrong there."""


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """One path that is not what it must be; findings sort by path."""

    path: PurePosixPath
    """Absolute inside the root, or that below the name of a packed archive."""
    check: str
    """The key of the check in its table."""
    message: str
    """What is wrong, as the end of a sentence that begins with the path."""


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The outcome of all checks."""

    proof: ArchProof
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    """What was taken on trust, and why: whole sentences."""

    def raise_for_findings(self) -> None:
        """Raise VerificationError, listing the findings by path, if there are any."""
        if not self.findings:
            return
        kinds = Counter(finding.check for finding in self.findings)
        lines = [f"{_printable(found.path)}: {found.message}" for found in self.findings[:MAX_LISTED]]
        if len(self.findings) > MAX_LISTED:
            lines.append(f"… and {len(self.findings) - MAX_LISTED} more")
        raise VerificationError(
            f"Verification found {_count(len(self.findings), 'thing')} wrong: "
            + ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))
            + ".",
            details="\n".join(lines),
            resolution="Mend what is listed: add the missing package, or a command to the spec that removes "
            "what does not belong in the image. A file that is right as it is can be allowed by its path.",
        )


def collect(
    checks: Iterable[tuple[str, Iterable[Complaint]]], *, allow: tuple[str, ...]
) -> tuple[Finding, ...]:
    """Return the findings of all *checks*, sorted, without paths that a shell pattern of *allow* matches.

    In these patterns, as in Python's fnmatch, `*` also matches `/`.
    """
    findings = {
        Finding(path=path, check=check, message=message)
        for check, complaints in checks
        for path, message in complaints
        if not any(fnmatchcase(str(path), pattern) for pattern in allow)
    }
    return tuple(sorted(findings))


def _printable(path: PurePosixPath) -> str:
    return str(path).encode("utf-8", "backslashreplace").decode().replace("\n", "\\n")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
