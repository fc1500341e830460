"""A node that HPE's BOS starts from IMS: kernel and initrd of the manifest, a live root over HTTP."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from crossbuild import resources
from crossbuild.artifacts.storage import storing
from crossbuild.booting.machine import HOST, WEB_PORT
from crossbuild.booting.ways import BootJob, Prepared, packed, startable, the_file, write_initrd
from crossbuild.errors import ArtifactError
from crossbuild.model.ims import MANIFEST, TYPES

BUCKET = "/boot-images"
HOOK = "usr/lib/dracut/hooks/pre-pivot/99-crossbuild.sh"
BESIDES = 512 << 20
"""Bytes for the kernel, the unpacked initrd, and what runs, besides both files."""


def prepare(job: BootJob) -> Prepared:
    """Find the files by the manifest, and put the probe behind the initrd."""
    files = _files(job)
    kernel = startable(files["kernel"], job.folder)
    extra = job.folder / "extra"
    hook = extra / HOOK
    hook.parent.mkdir(parents=True)
    hook.write_text(resources.render("booting/pre-pivot.sh"), encoding="utf-8")
    hook.chmod(0o755)
    shutil.move(job.handed, extra / job.handed.name)
    path = f"{BUCKET}/{job.artifacts.name}/rootfs"
    # BOS joins what the image, its boot set and the boot set's provider of root file systems say.
    root = f"root=live:http://{HOST}:{WEB_PORT}{path} rd.live.overlay.overlayfs=1 ip=dhcp rd.neednet=1"
    initrd = write_initrd([_blocks(files["initrd"]), packed(extra)], job.folder / "initrd")
    return Prepared(
        kernel=kernel,
        initrd=initrd,
        arguments=f"{_parameters(files, job)} {root} rd.shell=0 rd.emergency=poweroff",
        memory=files["rootfs"].stat().st_size + initrd.stat().st_size + BESIDES,
        files={path: files["rootfs"]},
    )


def _files(job: BootJob) -> dict[str, Path]:
    """Return the set's files by their names, as the types in the manifest tell them."""
    place = the_file(job.artifacts, f"ims/{MANIFEST}")
    names = {kind: name for name, kind in TYPES.items()}
    try:
        manifest = json.loads(place.read_bytes())
        found = {
            names[entry["type"]]: place.parent / entry["link"]["path"]
            for entry in manifest["artifacts"]
            if entry["type"] in names
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{place} is no manifest of IMS.", details=str(error)) from error
    missing = [name for name in ("kernel", "initrd", "rootfs") if name not in found]
    if missing:
        raise ArtifactError(f"{place} names no {missing[0]}, and BOS starts nothing without.")
    own = {job.artifacts.directory / file.path for file in job.artifacts.artifacts}
    if strange := [str(path) for path in found.values() if path not in own]:
        raise ArtifactError(f"{place} names files that are not of the set.", details=", ".join(strange))
    return found


def _parameters(files: dict[str, Path], job: BootJob) -> str:
    if "boot_parameters" not in files:
        return job.arguments
    return " ".join(files["boot_parameters"].read_text(encoding="utf-8").split())


def _blocks(path: Path) -> Iterator[bytes]:
    with storing(path), path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block
