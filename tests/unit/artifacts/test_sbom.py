"""Lists of packages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from crossbuild.artifacts.sbom import package_url, sbom, write_packages, write_sbom
from crossbuild.model.root import Package
from tests.unit.artifacts.jobs import EPOCH
from tests.unit.specs import make_spec

CURL = Package(name="curl", version="7.88.1-10+deb12u8", arch="arm64", kind="deb", installed_size=500)
GXX = Package(name="g++-12", version="4:12.2.0-14~x", arch="arm64", kind="deb", source="gcc-12")
KERNEL = Package(name="kernel", version="1:5.14.0-70.el9", arch="aarch64", kind="rpm")
ROCKY = make_spec(distro="rocky", release="9")


@pytest.mark.parametrize(
    ("package", "url"),
    [
        pytest.param(CURL, "pkg:deb/debian/curl@7.88.1-10%2Bdeb12u8?arch=arm64&distro=debian-12", id="deb"),
        pytest.param(
            GXX, "pkg:deb/debian/g%2B%2B-12@4%3A12.2.0-14~x?arch=arm64&distro=debian-12", id="deb with epoch"
        ),
    ],
)
def test_package_url_of_a_deb(package: Package, url: str) -> None:
    assert package_url(make_spec(), package) == url


def test_package_url_of_an_rpm_has_the_epoch_for_itself() -> None:
    url = "pkg:rpm/rocky/kernel@5.14.0-70.el9?arch=aarch64&distro=rocky-9&epoch=1"
    assert package_url(ROCKY, KERNEL) == url


def test_document_is_valid_cyclonedx(tmp_path: Path) -> None:
    write_sbom(make_spec(), (CURL, GXX), EPOCH, tmp_path)
    text = (tmp_path / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert [component["name"] for component in json.loads(text)["components"]] == ["curl", "g++-12"]


def test_same_packages_in_any_order_give_the_same_document() -> None:
    assert sbom(make_spec(), (GXX, CURL), EPOCH) == sbom(make_spec(), (CURL, GXX), EPOCH)


def test_other_packages_give_another_serial_number() -> None:
    serials = {str(sbom(make_spec(), packages, EPOCH)["serialNumber"]) for packages in ((CURL,), (GXX,))}
    assert len(serials) == 2


def test_list_of_packages_is_complete(tmp_path: Path) -> None:
    write_packages((GXX, CURL), tmp_path)
    first, second = json.loads((tmp_path / "packages.json").read_text())
    assert Package(**first) == CURL
    assert Package(**second) == GXX
