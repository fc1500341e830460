"""Dockerfiles and the arguments that recipes hand to them."""

from __future__ import annotations

import re

import pytest

from crossbuild import resources
from crossbuild.distros.builder_images import RECIPES, find_recipe
from crossbuild.engines.recipes import arguments
from crossbuild.model.recipe import Recipe, RecipeSettings

SHA256 = "ab" * 32


def settings(recipe: Recipe) -> RecipeSettings:
    return RecipeSettings(openhpc=recipe.openhpc, openhpc_sha256=SHA256, repositories="[x]", proxies={})


def dockerfile(recipe: Recipe) -> str:
    return (resources.data_folder() / "dockerfiles" / f"{recipe.dockerfile}.Dockerfile").read_text()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_dockerfile_knows_every_argument_that_it_gets(recipe: Recipe) -> None:
    known = set(re.findall(r"^ARG (\w+)", dockerfile(recipe), re.MULTILINE))
    assert set(arguments(recipe, settings(recipe), "base:1")) <= known


def test_every_dockerfile_belongs_to_a_recipe() -> None:
    files = (resources.data_folder() / "dockerfiles").glob("*.Dockerfile")
    assert {file.stem for file in files} == {recipe.dockerfile for recipe in RECIPES}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_dockerfile_needs_nothing_but_the_classic_builder(recipe: Recipe) -> None:
    text = dockerfile(recipe)
    assert "--mount" not in text
    assert not re.search(r"^(COPY|ADD)\b", text, re.MULTILINE)


def test_the_arguments_bring_openhpc_with_its_checksum() -> None:
    recipe = find_recipe("rocky9")
    filled = arguments(recipe, settings(recipe), "base:1")
    assert (filled["OHPC_RELEASE"], filled["OHPC_RELEASE_SHA256"]) == (recipe.openhpc, SHA256)
    assert (filled["ENABLE"], filled["PACKAGES"]) == ("crb", "ohpc-base ohpc-warewulf")


def test_a_site_may_do_without_openhpc() -> None:
    without = RecipeSettings(proxies={})
    assert arguments(find_recipe("rocky9"), without, "base:1") == {"BASE_IMAGE": "base:1"}


@pytest.mark.parametrize(
    ("openhpc", "sha256", "unchecked"),
    [
        ("http://a/b.rpm", "", True),
        ("http://a/b.rpm", SHA256, False),
        ("https://a/b.rpm", "", False),
        ("", "", False),
    ],
)
def test_a_package_that_came_without_tls_and_checksum_is_unchecked(
    openhpc: str, sha256: str, unchecked: bool
) -> None:
    chosen = RecipeSettings(openhpc=openhpc, openhpc_sha256=sha256, proxies={})
    assert chosen.unchecked is unchecked
