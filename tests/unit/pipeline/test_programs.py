"""A builder's distribution is found by what its files say, also where they say more than crossbuild knows."""

from pathlib import Path

import pytest

from crossbuild.pipeline.programs import RootPrograms


@pytest.mark.parametrize(
    ("distro", "version", "release"),
    [
        ("rocky", "9.4", "9"),
        ("opensuse-leap", "15.6", "15.6"),
        ("openEuler", "22.03", "22.03"),
        ("debian", "12", "12"),
        ("haiku", "1", "1"),
    ],
)
def test_a_minor_release_counts_as_the_one_that_is_known(
    tmp_path: Path, distro: str, version: str, release: str
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(f'ID="{distro}"\nVERSION_ID="{version}"\n')
    found = RootPrograms.of(tmp_path)
    assert (found.distro, found.release, found.versions) == (distro.lower(), release, {})
