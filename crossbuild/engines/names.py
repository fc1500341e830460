"""What builders are called in a container engine."""

from __future__ import annotations

import re

BASE = "base"
"""Tag of the image that a builder's container was started from."""
# distribution/reference, "path-component"; upper case and other separators are refused.
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")


def container_name(builder: str) -> str:
    """Return the name of the container of *builder*."""
    return f"crossbuild-{_component(builder)}"


def repository(builder: str) -> str:
    """Return the repository of the images of *builder*, on a host that no engine asks for images."""
    return f"localhost/crossbuild/{_component(builder)}"


def base_image(builder: str) -> str:
    """Return the name of the image that the container of *builder* was started from."""
    return f"{repository(builder)}:{BASE}"


def snapshot_image(builder: str, snapshot: str) -> str:
    """Return the name of the image that holds *snapshot*."""
    return f"{repository(builder)}:snapshot-{snapshot}"


def _component(name: str) -> str:
    """Return *name*, or where engines would refuse it, one that stands for it and for no other."""
    if _COMPONENT.fullmatch(name):
        return name
    import hashlib

    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:12]}".lstrip("-")
