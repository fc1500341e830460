"""Every package of an image: as a plain list, and as a CycloneDX document for scanners.

Formats: CycloneDX 1.6 (JSON); package-url/purl-spec, PURL-SPECIFICATION and PURL-TYPES for `deb` and `rpm`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from crossbuild import __version__
from crossbuild.artifacts.storage import write_json
from crossbuild.model.artifact import Artifact
from crossbuild.model.root import Package
from crossbuild.model.spec import ImageSpec, digest_of

SPEC_VERSION = "1.6"


def write_packages(packages: Sequence[Package], directory: Path) -> Artifact:
    """Write `packages.json`: one object for each package, sorted by name, version and architecture."""
    return write_json([asdict(package) for package in sorted(packages)], directory, "packages.json")


def write_sbom(spec: ImageSpec, packages: Sequence[Package], epoch: int, directory: Path) -> Artifact:
    """Write `sbom.cdx.json`."""
    return write_json(sbom(spec, packages, epoch), directory, "sbom.cdx.json")


def sbom(spec: ImageSpec, packages: Sequence[Package], epoch: int) -> dict[str, object]:
    """Return the document; the same packages give the same one, its serial number included."""
    components = [_component(spec, package) for package in sorted(packages)]
    image = {"type": "operating-system", "bom-ref": spec.name, "name": spec.name, "version": spec.release}
    serial = uuid.UUID(hex=digest_of([spec.name, spec.release, epoch, components])[:32], version=4)
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": serial.urn,
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "crossbuild", "version": __version__}]},
            "component": image,
        },
        "components": components,
    }


def package_url(spec: ImageSpec, package: Package) -> str:
    """Return the package URL, such as `pkg:deb/debian/curl@7.88.1-10?arch=arm64&distro=debian-12`."""
    epoch, separator, rest = package.version.partition(":")
    # A deb's epoch is part of its version; an rpm's is a qualifier.
    in_qualifier = package.kind == "rpm" and bool(separator)
    qualifiers = {
        "arch": package.arch,
        "distro": f"{spec.distro}-{spec.release}",
        **({"epoch": epoch} if in_qualifier else {}),
    }
    version = rest if in_qualifier else package.version
    query = "&".join(f"{key}={_quoted(value)}" for key, value in sorted(qualifiers.items()))
    name = package.name.lower() if package.kind == "deb" else package.name
    return f"pkg:{package.kind}/{_quoted(spec.distro.lower())}/{_quoted(name)}@{_quoted(version)}?{query}"


def _component(spec: ImageSpec, package: Package) -> dict[str, str]:
    url = package_url(spec, package)
    return {
        "type": "library",
        "bom-ref": url,
        "name": package.name,
        "version": package.version,
        "purl": url,
    }


def _quoted(text: str) -> str:
    return quote(text, safe="")
