from __future__ import annotations

import re

import pytest

from crossbuild import resources
from crossbuild.engines.recipes import RECIPES, Recipe, RecipeSettings, arguments, find_recipe
from crossbuild.errors import UsageError

PLAIN = RecipeSettings(proxies={})
SERVER = RecipeSettings(openhpc_server="https://openhpc.example/", openhpc_sha256="ab" * 32, proxies={})


def dockerfile(recipe: Recipe) -> str:
    return (resources.data_folder() / "dockerfiles" / f"{recipe.dockerfile}.Dockerfile").read_text()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_dockerfile_knows_every_argument_that_it_gets(recipe: Recipe) -> None:
    known = set(re.findall(r"^ARG (\w+)", dockerfile(recipe), re.MULTILINE))
    assert set(arguments(recipe, SERVER, "base:1")) <= known


def test_every_dockerfile_belongs_to_a_recipe() -> None:
    files = (resources.data_folder() / "dockerfiles").glob("*.Dockerfile")
    assert {file.stem for file in files} == {recipe.dockerfile for recipe in RECIPES}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_dockerfile_needs_nothing_but_the_classic_builder(recipe: Recipe) -> None:
    text = dockerfile(recipe)
    assert "--mount" not in text
    assert not re.search(r"^(COPY|ADD)\b", text, re.MULTILINE)


def test_openhpc_comes_from_the_server_of_the_site() -> None:
    filled = arguments(find_recipe("rocky9"), SERVER, "base:1")
    assert filled["OHPC_RELEASE"] == (
        "https://openhpc.example/OpenHPC/3/EL_9/aarch64/ohpc-release-3-1.el9.aarch64.rpm"
    )
    assert filled["OHPC_RELEASE_SHA256"] == "ab" * 32
    assert filled["ENABLE"] == "crb"
    assert filled["PACKAGES"] == "ohpc-base ohpc-warewulf"


def test_without_a_mirror_openhpc_comes_from_its_own_server_and_nothing_checks_it() -> None:
    centos = arguments(find_recipe("centos7"), PLAIN, "base:1")
    assert centos["OHPC_RELEASE"].startswith("http://build.openhpc.community/OpenHPC:/1.3/")
    assert (PLAIN.unchecked(find_recipe("centos7")), SERVER.unchecked(find_recipe("centos7"))) == (
        True,
        False,
    )


def test_a_site_may_do_without_openhpc() -> None:
    without = RecipeSettings(openhpc_server="", proxies={})
    assert arguments(find_recipe("rocky9"), without, "base:1") == {"BASE_IMAGE": "base:1"}
    assert not without.unchecked(find_recipe("rocky9"))


def test_a_pinned_base_is_named_with_its_digest() -> None:
    recipe = Recipe(name="x", title="X", dockerfile="dnf", image="x:1", digest="sha256:00")
    assert recipe.reference == "x:1@sha256:00"


def test_names_are_unique_and_an_unknown_one_is_told_with_those_that_are() -> None:
    assert len({recipe.name for recipe in RECIPES}) == len(RECIPES)
    with pytest.raises(UsageError) as caught:
        find_recipe("windows")
    assert "rocky9" in caught.value.details
