"""Recipes arrive in IMS with their architecture, or nothing of them does."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from crossbuild.host.command import CommandResult
from tests.fakes.ims.system import System
from tests.fakes.ims.web import problem
from tests.integration.ims_rig import ims, system, when

__all__ = ["system"]

DESCRIPTION = """\
<image schemaversion="7.4" name="barebones">
  <repository type="rpm-md"><source path="https://packages.local/repository/SLES/"/></repository>
</image>
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    folder = tmp_path / "recipe"
    (folder / "root/etc").mkdir(parents=True)
    (folder / "config.xml").write_text(DESCRIPTION)
    (folder / "root/etc/motd").write_text("hello\n")
    return folder


def upload(system: System, recipe: Path, *options: str) -> CommandResult:
    words = ("--name", "barebones", "--distribution", "sles15", *options)
    return ims(system, "upload-recipe", str(recipe), *words)


def test_a_recipe_is_uploaded_with_its_architecture_and_dkms(
    system: System, recipe: Path, tmp_path: Path
) -> None:
    assert upload(system, recipe, "--no-dkms").status == 0
    (record,) = system.ims.tables["recipes"].values()
    assert (record["arch"], record["require_dkms"], record["recipe_type"]) == ("aarch64", False, "kiwi-ng")
    key = f"recipes/{record['id']}/recipe.tar.gz"
    assert (record["link"]["path"], system.objects("ims")) == (f"s3://ims/{key}", [key])
    stored = system.s3.get_object(Bucket="ims", Key=key)
    assert (len(stored["Metadata"]["md5sum"]), record["link"]["etag"]) == (32, stored["ETag"].strip('"'))
    archive = tmp_path / "got.tar.gz"
    archive.write_bytes(stored["Body"].read())
    with tarfile.open(archive) as members:
        assert members.getnames() == ["config.xml", "root", "root/etc", "root/etc/motd"]
    assert upload(system, recipe).status == 4  # the name is taken


def test_values_for_template_files_go_as_the_list_that_ims_wants(system: System, recipe: Path) -> None:
    (recipe / ".ims_recipe_template.yaml").write_text("template_files: [config.xml]\n")
    assert upload(system, recipe).status == 2
    assert upload(system, recipe, "--value", "CSM=1.5.1", "--value", "URL=a=b").status == 0
    (record,) = system.ims.tables["recipes"].values()
    assert record["template_dictionary"] == [{"key": "CSM", "value": "1.5.1"}, {"key": "URL", "value": "a=b"}]


SPOILED: dict[str, Callable[[Path], object]] = {
    "no description": lambda at: (at / "config.xml").unlink(),
    "no XML": lambda at: (at / "config.xml").write_text("<image"),
    "no repository that IMS can wait for": lambda at: (at / "config.xml").write_text(
        DESCRIPTION.replace("https://packages.local/repository/SLES/", "dir:///repos")
    ),
}


@pytest.mark.parametrize("fault", SPOILED)
def test_a_recipe_that_a_job_would_refuse_is_refused_before(system: System, recipe: Path, fault: str) -> None:
    SPOILED[fault](recipe)
    assert upload(system, recipe).status == 2
    assert system.is_empty()


def test_an_archive_that_leads_out_of_itself_is_refused(system: System, tmp_path: Path) -> None:
    archive = tmp_path / "recipe.tgz"
    with tarfile.open(archive, "w:gz") as members:
        members.add(tmp_path, "../config.xml", recursive=False)
    assert upload(system, archive).status == 2
    assert system.is_empty()


@pytest.mark.parametrize("wanted", ["POST /v3/recipes", "PATCH /v3/recipes"])
def test_a_recipe_that_fails_leaves_nothing(system: System, recipe: Path, wanted: str) -> None:
    system.gateway.before = when(wanted, lambda: problem(422, "Unprocessable Entity", "no"))
    assert upload(system, recipe).status == 4
    assert system.is_empty()
