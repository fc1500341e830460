"""What in an artifact set matters to Warewulf 4 besides the archive."""

from __future__ import annotations

from crossbuild.config.document import read_document
from crossbuild.errors import ArtifactError, ProvisionerError, SpecError
from crossbuild.model.artifact import Artifact, ArtifactSet
from crossbuild.registrars.warewulf4.nodes import MENU


def restore_script(artifacts: ArtifactSet) -> Artifact | None:
    """Return the script that restores capabilities, None for an image without any."""
    return next((one for one in artifacts.artifacts if one.path.match("warewulf4/*.sh")), None)


def menu_entry(artifacts: ArtifactSet) -> str:
    """Return the entry of the iPXE menu that the set's profile names, empty where it names none."""
    path = artifacts.directory / "warewulf4/profile.yaml"
    if not path.exists():
        # A set of files that were made elsewhere has none.
        return ""
    try:
        profiles = read_document(path).get("nodeprofiles")
    except SpecError as error:
        raise ArtifactError(f"{path} cannot be read.", details=error.details) from error
    profile = profiles.get(artifacts.name) if isinstance(profiles, dict) else None
    tags = profile.get("tags") if isinstance(profile, dict) else None
    return str(tags.get(MENU) or "") if isinstance(tags, dict) else ""


def require_bootable(artifacts: ArtifactSet) -> None:
    """Raise ProvisionerError for a kernel that nodes could not start."""
    kernel = artifacts.record.get("kernel")
    if isinstance(kernel, dict) and kernel.get("gzipped"):
        raise ProvisionerError(
            "arm64 iPXE cannot start the kernel of this image.",
            details=f"{kernel.get('path')} is in gzip, and Warewulf 4 sends it as it is.",
            resolution="Build the image again: crossbuild unpacks such kernels.",
        )
