"""Root file system, kernel, initrd, boot parameters and manifest for HPE's Image Management Service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crossbuild.artifacts.job import PackJob, ProgressSink, counted
from crossbuild.artifacts.kernel import unpacked
from crossbuild.artifacts.squashfs import write_squashfs
from crossbuild.artifacts.storage import adopt, write_blocks, write_json, write_text
from crossbuild.errors import ArtifactError
from crossbuild.host.rooted import resolve
from crossbuild.model.artifact import Artifact, Kernel
from crossbuild.model.ims import LINK_TYPE, MANIFEST, MANIFEST_VERSION, TYPES, created_text

READ = 1 << 20


def pack(job: PackJob, directory: Path, on_progress: ProgressSink) -> tuple[Artifact, ...]:
    """Write `ims/rootfs`, `kernel`, `initrd`, `boot_parameters` and `manifest.json`."""
    kernel, initrd = _accepted(job)
    files = (
        _pack_rootfs(job, directory, on_progress),
        write_blocks(
            counted(unpacked(kernel, job.root), "ims/kernel", 0, on_progress), directory, "ims/kernel"
        ),
        write_blocks(counted(_read(initrd), "ims/initrd", 0, on_progress), directory, "ims/initrd"),
        write_text(boot_parameters(job), directory, "ims/boot_parameters"),
    )
    return *files, write_json(manifest(files, job.epoch), directory, f"ims/{MANIFEST}")


def boot_parameters(job: PackJob) -> str:
    """Return the kernel's arguments on one line without an end, as BOS reads and splits them.

    `root=` is not among them: BOS appends that from the boot set's `rootfs_provider`, and the parameters of
    the boot set behind these, so that a later one wins (Cray-HPE/bos, session_setup.py).
    """
    return " ".join(job.spec.kernel.args.split()) if job.spec.kernel else ""


def manifest(files: tuple[Artifact, ...], epoch: int) -> dict[str, object]:
    """Return the manifest as it can be before the image has an id.

    Each `path` is the key below `s3://boot-images/IMAGE_ID/` and each `etag` is empty: IMS gives out the id
    and S3 the etag. Whoever registers puts both in and uploads that manifest, not this file.
    """
    return {
        "version": MANIFEST_VERSION,
        "created": created_text(epoch),
        "artifacts": [
            {
                "type": TYPES[file.path.name],
                "md5": file.digests.md5,
                "link": {"path": file.path.name, "etag": "", "type": LINK_TYPE},
            }
            for file in files
        ],
    }


def _accepted(job: PackJob) -> tuple[Kernel, Path]:
    if job.kernel is None:
        raise _missing("a kernel", "Name its package under `kernel.package` in the spec")
    if job.initrd is None:
        raise _missing("an initrd", "Add the distribution's initrd tool, such as `dracut`, to `packages`")
    return job.kernel, resolve(job.root.path, job.initrd)


def _missing(what: str, remedy: str) -> ArtifactError:
    return ArtifactError(
        f"An IMS image needs {what}, and the root has none.",
        details="BOS starts nodes from the kernel and initrd that the image's manifest lists.",
        resolution=f"{remedy}, or leave `ims` out of `outputs`.",
    )


def _pack_rootfs(job: PackJob, directory: Path, on_progress: ProgressSink) -> Artifact:
    total = job.survey.size
    write_squashfs(
        job.root.path,
        directory / "ims/rootfs",
        compression=job.squashfs_compression,
        epoch=job.epoch,
        on_bytes=lambda done: on_progress("ims/rootfs", min(done, total), total),
    )
    return adopt(directory, "ims/rootfs")


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(READ):
            yield block
