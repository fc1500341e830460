"""Images of tools are made once, are what engines load, and blame no node where they cannot be made."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from crossbuild.config.site import load_site
from crossbuild.distros.release import Family
from crossbuild.errors import BuildFailedError, HostNotReadyError
from crossbuild.jobs.contained import ToolsImage
from crossbuild.model.architecture import Architecture
from crossbuild.model.site import Site
from crossbuild.model.spec import ImageSpec
from crossbuild.nodes.probe import FAMILIES
from crossbuild.pipeline.tool_images import PACKAGES, needed_for, tools_image
from tests.unit.specs import make_spec


@pytest.fixture
def site(tmp_path: Path) -> Site:
    config = tmp_path / "config.yaml"
    config.write_text(f"state: {tmp_path}/state\nprefix: {tmp_path}/prefix\n")
    return load_site(config)


class Maker:
    """Makes tiny roots, and counts them."""

    def __init__(self) -> None:
        self.asked: list[ImageSpec] = []

    def __call__(self, spec: ImageSpec, site: Site) -> Path:
        self.asked.append(spec)
        root = site.roots / spec.name
        root.mkdir(parents=True)
        (root / "made").write_text(" ".join(spec.packages))
        return root


def image(site: Site, make: Maker, family: Family = Family.APT) -> ToolsImage:
    return tools_image(family, Architecture.AARCH64, site, lambda _: None, make)


def test_an_image_is_made_once_for_each_family(site: Site) -> None:
    make = Maker()
    apt, dnf = image(site, make), image(site, make, Family.DNF)
    assert image(site, make) == apt
    assert [spec.name for spec in make.asked] == ["tools-apt-aarch64", "tools-dnf-aarch64"]
    assert apt.kind != dnf.kind
    assert set((site.cache / "tools").glob("*.tar.gz")) == {apt.archive, dnf.archive}


def test_an_image_is_an_archive_for_engines_with_the_name_that_nodes_are_told(site: Site) -> None:
    made = image(site, Maker())
    with tarfile.open(made.archive) as archive:
        files = {member.name: archive.extractfile(member) for member in archive}
        (manifest,) = json.load(files["manifest.json"])  # type: ignore[arg-type]
        config = json.load(files[manifest["Config"]])  # type: ignore[arg-type]
    assert (manifest["RepoTags"], config["architecture"]) == ([made.name], "arm64")


def test_other_content_has_another_name(site: Site) -> None:
    first = image(site, Maker())
    first.archive.unlink()

    def other(spec: ImageSpec, site: Site) -> Path:
        root = Maker()(spec, site)
        (root / "made").write_text("something else")
        return root

    second = tools_image(Family.APT, Architecture.AARCH64, site, lambda _: None, other)
    assert (second.kind, second.name != first.name) == (first.kind, True)


def test_what_this_host_cannot_make_is_no_fault_of_a_node(site: Site) -> None:
    def make(_spec: ImageSpec, _site: Site) -> Path:
        raise HostNotReadyError("`mmdebstrap` is not installed.", resolution="Install it.")

    with pytest.raises(BuildFailedError, match="tools for containers") as caught:
        tools_image(Family.APT, Architecture.AARCH64, site, lambda _: None, make)
    assert "mmdebstrap" in caught.value.details


def test_a_build_needs_the_programs_of_its_family(site: Site) -> None:
    make = Maker()
    spec = make_spec()
    needed = needed_for(spec, site, lambda _: None, make)
    assert (needed.programs, make.asked) == (FAMILIES["apt"], [])
    assert needed.image().archive.is_file()
    assert set(PACKAGES) == set(Family)
