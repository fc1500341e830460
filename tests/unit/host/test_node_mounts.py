from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml

from crossbuild.config.schema import MountSection
from crossbuild.host.node_mounts import UNIT, fstab_line, mount_of, spec_entry, unit_text
from crossbuild.model.spec import MountSpec

MOUNT = mount_of(ip_address("10.1.0.1"), Path("/srv/pub"), version=4)


def test_a_line_of_fstab_has_its_six_fields() -> None:
    assert fstab_line(MOUNT).split() == [
        "10.1.0.1:/srv/pub", "/opt/ohpc/pub", "nfs", "ro,nodev,nfsvers=4", "0", "0",
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["10.1.0.1", "fd00::1"])
def test_the_entry_for_a_spec_is_one_that_a_spec_takes(address: str) -> None:
    mount = mount_of(ip_address(address), Path("/srv/pub"), version=3)
    (value,) = yaml.safe_load(spec_entry(mount))
    assert MountSpec(**MountSection.model_validate(value).model_dump()) == mount


def test_an_ipv6_address_is_set_apart_from_the_path() -> None:
    assert mount_of(ip_address("fd00::1"), Path("/p"), version=4).source == "[fd00::1]:/p"


def test_the_unit_is_named_after_the_place_that_it_mounts() -> None:
    settings = dict(line.split("=", 1) for line in unit_text(MOUNT).splitlines() if "=" in line)
    assert f"{settings['Where'].strip('/').replace('/', '-')}.mount" == UNIT
    assert settings["What"] == "10.1.0.1:/srv/pub"
    assert settings["Options"] == "ro,nodev,nfsvers=4"
