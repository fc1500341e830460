"""Builder images, as data that can be wrong."""

from __future__ import annotations

import pytest

from crossbuild.distros.builder_images import RECIPES, find_recipe
from crossbuild.errors import UsageError

OPENEULER_24_03 = "https://repos.openhpc.community/OpenHPC/4/openEuler_24.03"


@pytest.mark.parametrize(
    ("name", "package", "enable", "packages"),
    [
        (
            "rocky9",
            "https://repos.openhpc.community/OpenHPC/3/EL_9/aarch64/ohpc-release-3-1.el9.aarch64.rpm",
            ("crb",),
            ("ohpc-base", "ohpc-warewulf"),
        ),
        (
            "centos7",
            "http://build.openhpc.community/OpenHPC:/1.3/CentOS_7/aarch64/ohpc-release-1.3-1.el7.aarch64.rpm",
            (),
            ("ohpc-base", "ohpc-warewulf"),
        ),
        (
            "openeuler24.03",
            f"{OPENEULER_24_03}/aarch64/ohpc-release-4-1.oe2403.aarch64.rpm",
            (),
            ("ohpc-base", "warewulf-ohpc"),
        ),
    ],
)
def test_openhpc_comes_from_the_tree_of_its_series(
    name: str, package: str, enable: tuple[str, ...], packages: tuple[str, ...]
) -> None:
    recipe = find_recipe(name)
    assert (recipe.openhpc, recipe.enable, recipe.packages) == (package, enable, packages)


def test_base_images_are_asked_for_by_digest_where_it_is_known() -> None:
    digest = "sha256:8101994123cf3d0a8fee517bee7f39e555c7d92bd2d9eb3303cc988a0eeed00f"
    assert find_recipe("rocky9").base == f"rockylinux/rockylinux@{digest}"
    assert find_recipe("openeuler22.03").base == "openeuler/openeuler:22.03-lts"
    assert {recipe.name for recipe in RECIPES if not recipe.digest} == {
        "leap15-openhpc2",
        "openeuler22.03",
        "openeuler24.03",
    }


def test_names_are_unique_and_an_unknown_one_is_told_with_those_that_are() -> None:
    assert len({recipe.name for recipe in RECIPES}) == len(RECIPES)
    with pytest.raises(UsageError) as caught:
        find_recipe("windows")
    assert "rocky9" in caught.value.details
