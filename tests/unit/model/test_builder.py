"""Mounts as people write them, and origins in words."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from crossbuild.model.builder import Mount, Origin, OriginKind


@pytest.mark.parametrize(
    ("text", "source", "target", "read_only"),
    [
        ("/srv:/data", "/srv", "/data", False),
        ("/srv/a b:/data/x:ro", "/srv/a b", "/data/x", True),
        ("/:/host:ro", "/", "/host", True),
    ],
)
def test_a_mount_is_read_as_it_is_written(text: str, source: str, target: str, read_only: bool) -> None:
    wanted = Mount(source=Path(source), target=PurePosixPath(target), read_only=read_only)
    assert Mount.parse(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/srv",
        "/srv:",
        ":/data",
        "srv:/data",
        "/srv:data",
        "/srv:/",
        "/srv:/a/../b",
        "/srv:/data:rw",
        "/a:/b:ro:x",
    ],
)
def test_what_is_no_mount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        Mount.parse(text)


@pytest.mark.parametrize(
    ("origin", "title"),
    [
        (Origin(kind=OriginKind.PACKAGES, distro="debian", release="12"), "debian 12"),
        (Origin(kind=OriginKind.RECIPE, reference="rocky9"), "recipe rocky9"),
    ],
)
def test_an_origin_has_a_title(origin: Origin, title: str) -> None:
    assert origin.title == title
