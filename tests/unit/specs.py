"""A small valid spec, of which tests change what they are about."""

from typing import Any

from crossbuild.model.architecture import Architecture
from crossbuild.model.spec import ImageSpec, ServiceSpec


def make_spec(**changes: Any) -> ImageSpec:
    """Return a spec without anything, but for *changes*."""
    values: dict[str, Any] = {
        "name": "node",
        "distro": "debian",
        "release": "12",
        "arch": Architecture.AARCH64,
        "repositories": (),
        "packages": (),
        "kernel": None,
        "mounts": (),
        "accounts": (),
        "services": ServiceSpec(enable=(), disable=()),
        "files": (),
        "commands": (),
        "outputs": (),
    }
    return ImageSpec(**(values | changes))
