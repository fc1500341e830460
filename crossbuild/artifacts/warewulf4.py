"""A docker-archive for `wwctl image import`, and what a node's profile must say.

The archive's format is in host/docker_archive.py. Warewulf 4 does not decompress kernels.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from crossbuild import resources
from crossbuild.artifacts.job import PackJob, ProgressSink, counted
from crossbuild.artifacts.storage import write_blocks, write_text
from crossbuild.errors import ArtifactError
from crossbuild.formats.capability import decode, encode, to_text
from crossbuild.host.docker_archive import docker_archive, plain_config, root_layer
from crossbuild.host.rooted import resolve
from crossbuild.model.artifact import Artifact, FileCapability

DRACUT_MODULE = PurePosixPath("/usr/lib/dracut/modules.d/90wwinit")
"""What the package warewulf-dracut brings; only with it can a node boot through dracut."""


def pack(job: PackJob, directory: Path, on_progress: ProgressSink) -> tuple[Artifact, ...]:
    """Write `warewulf4/NAME.tar`, `profile.yaml`, and `restore-capabilities.sh` if the tree has any."""
    path = f"warewulf4/{job.spec.name}.tar"
    archive = write_blocks(counted(_archive(job), path, job.survey.size, on_progress), directory, path)
    profile = write_text(_profile(job), directory, "warewulf4/profile.yaml")
    if not job.survey.capabilities:
        return archive, profile
    script = write_text(_restore_script(job), directory, "warewulf4/restore-capabilities.sh")
    return archive, profile, script


def repository_tag(name: str, arch: str) -> str:
    """Return the image reference for *name*; readers refuse an archive whose tag has other characters.

    Syntax: distribution, reference/reference.go: lower-case words joined by single separators.
    """
    return f"{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}:{arch}"


def setcap_arguments(capability: FileCapability) -> str:
    """Return what follows `setcap` in a shell to give the file what it has; raise ArtifactError."""
    try:
        rights = decode(capability.value)
    except ValueError as error:
        raise ArtifactError(
            f"The capabilities of {capability.path} are damaged.",
            details=str(error),
            resolution="Reinstall the package that owns the file.",
        ) from error
    owner = ("-n", str(rights.root_id)) if rights.root_id else ()
    return shlex.join([*owner, to_text(encode(replace(rights, root_id=0))), str(capability.path)])


def _archive(job: PackJob) -> Iterator[bytes]:
    return docker_archive(
        [root_layer(job.root.path)],
        lambda layers: plain_config(job.spec.arch, layers, job.epoch),
        tag=repository_tag(job.spec.name, job.spec.arch),
        epoch=job.epoch,
    )


def _profile(job: PackJob) -> str:
    kernel_args = job.spec.kernel.args.split() if job.spec.kernel else []
    dracut = job.initrd is not None and resolve(job.root.path, DRACUT_MODULE).is_dir()
    # A JSON string is a YAML string (YAML 1.2, section 1.3), so no value can become syntax.
    return resources.render(
        "warewulf4/profile.yaml.j2",
        name=job.spec.name,
        archive=f"{job.spec.name}.tar",
        comment=json.dumps(f"{job.spec.distro} {job.spec.release} for {job.spec.arch}, made by crossbuild"),
        kernel_version=json.dumps(job.kernel.version) if job.kernel else "",
        kernel_args=[json.dumps(argument) for argument in kernel_args],
        dracut=dracut,
        capabilities=len(job.survey.capabilities),
        odd_names=len(job.survey.odd_names),
    )


def _restore_script(job: PackJob) -> str:
    return resources.render(
        "warewulf4/restore-capabilities.sh.j2",
        name=job.spec.name,
        capabilities=[setcap_arguments(capability) for capability in job.survey.capabilities],
    )
