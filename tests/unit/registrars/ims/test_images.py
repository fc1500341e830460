"""Records of IMS, of this and of older versions."""

from __future__ import annotations

from typing import Any, cast

import pytest

from crossbuild.errors import ProvisionerError
from crossbuild.registrars.ims.gateway import Gateway
from crossbuild.registrars.ims.images import Images, Link

ID = "0c2a7b9e-3f4d-4a55-9a0e-2f4f6e6c1b11"
LINK = {"path": "s3://b/k", "etag": "e", "type": "s3"}


class Told:
    """A gateway that has one answer."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def get(self, _: str) -> object:
        return self._answer

    find = get


def images(answer: object) -> Images:
    return Images(cast("Gateway", Told(answer)), "https://ims.test")


@pytest.mark.parametrize(
    ("record", "arch", "link"),
    [
        ({"arch": "aarch64", "link": LINK}, "aarch64", Link(path="s3://b/k", etag="e")),
        ({"arch": "aarch64", "link": None, "metadata": {}}, "aarch64", None),
        ({"link": {"path": "s3://b/k", "type": "s3"}}, "x86_64", Link(path="s3://b/k", etag="")),
    ],
    ids=["now", "without a link", "before architectures"],
)
def test_a_record_is_read(record: dict[str, Any], arch: str, link: Link | None) -> None:
    found = images({"id": ID, "name": "n", "created": "2026-11-20T12:22:34.266335", **record}).find(ID)
    assert found
    assert (found.arch, found.link) == (arch, link)


@pytest.mark.parametrize(
    "answer", [{}, [], "page", {"id": "../x", "name": "n"}, {"id": ID}, {"id": ID, "name": "n", "link": "x"}]
)
def test_what_is_no_record_is_an_error(answer: object) -> None:
    with pytest.raises(ProvisionerError, match="no image record"):
        images(answer).find(ID)


def test_a_link_always_has_its_etag() -> None:
    assert Link(path="s3://b/k", etag="e").body == LINK
