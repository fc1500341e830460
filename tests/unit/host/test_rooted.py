"""Paths inside a root are resolved as a process in it would see them."""

from pathlib import Path

import pytest

from crossbuild.host.rooted import os_release, resolve


@pytest.mark.parametrize(
    ("links", "path", "expected"),
    [
        ({}, "/a/b", "a/b"),
        ({"a": "/c"}, "/a/b", "c/b"),
        ({"a": "c/d"}, "/a/b", "c/d/b"),
        ({"x/a": "../c"}, "/x/a", "c"),
        ({"a": "../../../../etc"}, "/a/b", "etc/b"),
        ({}, "/../../a", "a"),
        ({"a": "b", "b": "/c"}, "a", "c"),
    ],
)
def test_links_are_followed_inside_the_root(
    tmp_path: Path, links: dict[str, str], path: str, expected: str
) -> None:
    for name, target in links.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(target)
    assert resolve(tmp_path, path) == tmp_path / expected


def test_the_last_link_can_be_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/etc/passwd")
    assert resolve(tmp_path, "/a", last_link=False) == tmp_path / "a"


def test_a_chain_without_an_end_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="Too many levels"):
        resolve(tmp_path, "/a")


@pytest.mark.parametrize("target", ["/usr/lib/os-release", "../usr/lib/os-release", "nothing"])
def test_os_release_is_that_of_the_root_wherever_its_link_seems_to_lead(tmp_path: Path, target: str) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "etc/os-release").symlink_to(target)
    (tmp_path / "usr/lib/os-release").write_bytes(b"ID=of-the-root\nNAME=\xff\n")
    assert os_release(tmp_path)["ID"] == "of-the-root"


def test_a_root_without_os_release_says_nothing(tmp_path: Path) -> None:
    assert os_release(tmp_path) == {}
