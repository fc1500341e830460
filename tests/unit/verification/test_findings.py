from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from crossbuild.errors import VerificationError
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import ArchProof
from crossbuild.verification.findings import MAX_LISTED, Finding, Verification, collect

P = PurePosixPath
PROOF = ArchProof(elf_files=1, arch=Architecture.AARCH64, interpreter="", init="", kernel_header="")


def verification(number: int) -> Verification:
    findings = tuple(
        Finding(path=P(f"/f{i:03}"), check="libraries", message="is wrong") for i in range(number)
    )
    return Verification(proof=PROOF, findings=findings)


def test_nothing_found_raises_nothing() -> None:
    verification(0).raise_for_findings()


@pytest.mark.parametrize(
    ("number", "lines", "last"),
    [
        (1, 1, "/f000: is wrong"),
        (MAX_LISTED, MAX_LISTED, "/f049: is wrong"),
        (MAX_LISTED + 7, MAX_LISTED + 1, "… and 7 more"),
    ],
)
def test_the_error_lists_findings_by_path_and_counts_the_rest(number: int, lines: int, last: str) -> None:
    with pytest.raises(VerificationError) as caught:
        verification(number).raise_for_findings()
    assert f"libraries {number}" in caught.value.brief
    assert len(caught.value.details.splitlines()) == lines
    assert caught.value.details.splitlines()[-1] == last
    assert caught.value.resolution


def test_odd_names_stay_on_their_line() -> None:
    odd = Finding(path=P("/two\nlines\udce9"), check="residue", message="is odd")
    with pytest.raises(VerificationError) as caught:
        Verification(proof=PROOF, findings=(odd,)).raise_for_findings()
    assert caught.value.details == "/two\\nlines\\udce9: is odd"


def test_findings_are_sorted_unique_and_without_what_is_allowed() -> None:
    checks = [
        ("b", [(P("/z"), "1"), (P("/a"), "2"), (P("/a"), "2")]),
        ("a", [(P("/a"), "2"), (P("/opt/x/y"), "3")]),
    ]
    assert collect(checks, allow=("/opt/*",)) == (
        Finding(path=P("/a"), check="a", message="2"),
        Finding(path=P("/a"), check="b", message="2"),
        Finding(path=P("/z"), check="b", message="1"),
    )
