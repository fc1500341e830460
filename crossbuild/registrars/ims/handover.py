"""Files for what stands around IMS, ready to use: for BOS, CFS, remote build nodes and bulk imports."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from crossbuild import resources
from crossbuild.errors import ArtifactError, StorageError, UsageError
from crossbuild.host.addresses import parse_address
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import OutputKind
from crossbuild.model.ims import MANIFEST, TYPES
from crossbuild.model.receipt import Receipt, RegisteredObject
from crossbuild.registrars.ims.content import ImageFile
from crossbuild.registrars.ims.images import ID
from crossbuild.registrars.ims.nodes import refuse_name

COMMIT = re.compile(r"[0-9a-f]{40}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,126}")
"""Of things in BOS and CFS."""


@dataclass(frozen=True, kw_only=True)
class BootWish:
    """Which node boots an image, and under which names."""

    node: str
    template: str
    configuration: str
    """Of CFS."""


@dataclass(frozen=True, kw_only=True)
class NodeWish:
    """An image and a node that are to become a remote build node."""

    node: str
    image: str
    """The id of the image that is customised."""
    new_image: str
    configuration: str
    session: str
    clone_url: str
    commit: str
    playbook: str
    arch: Architecture
    dns_server: str
    service_pack: int
    size: str
    """Of the Ceph device, as `rbd create --size` takes it."""


def boot_files(receipt: Receipt, wish: BootWish) -> dict[str, str]:
    """Return a session template of BOS for the image of *receipt*, and the commands that boot it."""
    image, manifest = _image_of(receipt)
    refuse_name(wish.node)
    _refuse_words({"the template": wish.template, "the configuration": wish.configuration})
    rootfs = f"{manifest.place.removesuffix(MANIFEST)}rootfs"
    return {
        "bos-template.json": resources.render(
            "ims/bos-template.json.j2",
            kernel_parameters=kernel_parameters(rootfs, manifest.id),
            etag=manifest.id,
            arch=(image.arch or Architecture.AARCH64).bos,
            path=manifest.place,
        ),
        "boot.sh": resources.render(
            "ims/boot.sh.j2",
            name=image.name,
            node=shlex.quote(wish.node),
            session_template=shlex.quote(wish.template),
            configuration=shlex.quote(wish.configuration),
        ),
    }


def kernel_parameters(rootfs: str, etag: str) -> str:
    """Return what the boot set adds to the image's own parameters, whose etag is the manifest's here.

    The vendor's procedure for remote build nodes has it so in both places.
    """
    words = ("ip=dhcp", "quiet", "spire_join_token=${SPIRE_JOIN_TOKEN}")
    return " ".join((*words, f"root=live:{rootfs}", f"nmd_data=url={rootfs},etag={etag}"))


def node_files(wish: NodeWish, gateway: str) -> dict[str, str]:
    """Return what turns an image and a node into a remote build node of the system behind *gateway*."""
    _refuse_node_wish(wish)
    values = {key: shlex.quote(str(value)) for key, value in vars(wish).items()}
    return {
        "cfs-configuration.json": resources.render(
            "ims/cfs-configuration.json.j2",
            clone_url=inside_mesh(wish.clone_url, gateway),
            commit=wish.commit,
            playbook=wish.playbook,
        ),
        "customize.sh": resources.render("ims/customize.sh.j2", **values),
        "prepare-management.sh": resources.render("ims/prepare-management.sh.j2", **values),
        "prepare-node.sh": resources.render("ims/prepare-node.sh.j2", **values),
    }


def inside_mesh(clone_url: str, gateway: str) -> str:
    """Return *clone_url* as jobs reach it: the product catalog names the host that people use."""
    return urlunsplit(urlsplit(clone_url)._replace(netloc=urlsplit(gateway).netloc))


def import_manifest(name: str, arch: Architecture, files: Sequence[ImageFile], base_url: str = "") -> str:
    """Return the manifest with which load-artifacts imports *files* into IMS.

    They are fetched below *base_url*, else from where they lie on this host.
    """
    base = base_url.rstrip("/")
    entries = [
        {
            "path": f"{base}/{file.name}" if base else os.fspath(file.source.absolute()),
            "md5": file.digests.md5,
            "type": TYPES[file.name],
        }
        for file in files
    ]
    link_type = "http" if base else "file"
    return resources.render(
        "ims/load-artifacts.yaml.j2", name=name, arch=arch.value, files=entries, link_type=link_type
    )


def write_files(files: Mapping[str, str], folder: Path) -> None:
    """Write *files* into *folder*, scripts so that they can be run; raise StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
            if name.endswith(".sh"):
                (folder / name).chmod(0o755)
    except OSError as error:
        raise StorageError(f"Cannot write into {folder}.", details=str(error)) from error


def _image_of(receipt: Receipt) -> tuple[RegisteredObject, RegisteredObject]:
    found = {item.name: item for item in receipt.objects if item.kind == "object"}
    if receipt.provisioner is not OutputKind.IMS or MANIFEST not in found:
        raise ArtifactError(
            "This is no receipt of an image that is registered in IMS.",
            resolution="Name one that `crossbuild register ims` wrote, such as out/NAME/receipts/ims-1.json.",
        )
    return receipt.objects[0], found[MANIFEST]


def _refuse_node_wish(wish: NodeWish) -> None:
    refuse_name(wish.node)
    words = {
        "the configuration": wish.configuration,
        "the image": wish.new_image,
        "the session": wish.session,
    }
    _refuse_words({**words, "the size": wish.size, "the playbook": wish.playbook})
    if parse_address(wish.dns_server).is_loopback:
        raise UsageError(f"No node asks itself for names: {wish.dns_server} is this host.")
    if not ID.fullmatch(wish.image):
        raise UsageError(f"{wish.image!r} is no id of an image.", resolution="Run `crossbuild ims images`.")
    if not COMMIT.fullmatch(wish.commit) or urlsplit(wish.clone_url).scheme not in {"http", "https"}:
        raise UsageError(
            "The configuration needs a repository's URL and a whole commit.",
            details=f"clone_url: {wish.clone_url}\ncommit: {wish.commit}",
            resolution="Both are in the ConfigMap cray-product-catalog.",
        )


def _refuse_words(words: Mapping[str, str]) -> None:
    for what, word in words.items():
        if not NAME.fullmatch(word):
            raise UsageError(
                f"{word!r} is no name for {what}.",
                resolution="Take letters, digits, `_`, `.` and `-`, and begin with a letter or digit.",
            )
