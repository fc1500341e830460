"""Images of an engine: loaded, pulled, built, committed, and refused where they are for other processors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossbuild.engines.connection import EngineSession, told
from crossbuild.errors import ArtifactError, BuildFailedError
from crossbuild.model.architecture import Architecture

TAIL_LINES = 25
"""How many of the last lines of a failed build its error carries."""


@dataclass(frozen=True, kw_only=True)
class ImageBuild:
    """What a Dockerfile is built with."""

    dockerfile: Path
    """Its folder is the context, and holds nothing that a Dockerfile copies."""
    tag: str
    arguments: Mapping[str, str]
    """Its ARGs. Proxies may be among them: the names that engines predefine leave no trace in an image."""
    labels: Mapping[str, str]


def load(session: EngineSession, archive: Iterable[bytes], tag: str, arch: Architecture) -> None:
    """Load the docker-archive of one image called *tag*; raise ArtifactError unless it is for *arch*."""
    with told(session.kind):
        for _ in session.client.api.load_image(archive, quiet=True):
            pass
    require_arch(session, tag, arch)


def acquire(session: EngineSession, reference: str, arch: Architecture) -> str:
    """Return the id of the image *reference*, pulled where this host does not have it for *arch*.

    Raises ArtifactError where the registry has none for *arch*, or cannot be reached.
    """
    if (found := inspect(session, reference)) is None:
        _pull(session, reference, arch)
        return require_arch(session, reference, arch)
    if recorded(found) != arch.oci and "@" in reference:
        # A digest may be that of an index: it stands for an image of each architecture.
        _pull(session, reference, arch)
        found = inspect(session, reference) or found
    if recorded(found) != arch.oci:
        # The user's own: it is refused and stays.
        raise wrong_arch(reference, recorded(found), arch)
    return str(found["Id"])


def digest_of(session: EngineSession, reference: str) -> str:
    """Return `NAME@sha256:…` of a pulled image, empty for one that came from no registry."""
    found = inspect(session, reference)
    digests = (found or {}).get("RepoDigests") or [""]
    return str(digests[0])


def build(session: EngineSession, request: ImageBuild, arch: Architecture) -> str:
    """Build an image and return its id; raise BuildFailedError with the end of what was said."""
    from docker.errors import BuildError

    with told(session.kind):
        try:
            session.client.images.build(
                path=str(request.dockerfile.parent),
                dockerfile=request.dockerfile.name,
                tag=request.tag,
                platform=platform(arch),
                buildargs=dict(request.arguments),
                labels=dict(request.labels),
                network_mode="host",  # mirrors and proxies of this host, as `crossbuild run` reaches them
                rm=True,
                forcerm=True,
            )
        except BuildError as error:
            raise _build_failed(request, error) from error
    return require_arch(session, request.tag, arch)


def commit(session: EngineSession, container: str, tag: str, arch: Architecture) -> str:
    """Keep the present files of *container* as the image *tag*; return its id."""
    repository, _, version = tag.rpartition(":")
    with told(session.kind):
        session.client.api.commit(container, repository=repository, tag=version)
    return require_arch(session, tag, arch)


def tag(session: EngineSession, image: str, name: str) -> None:
    """Give *image* the further name *name*."""
    repository, _, version = name.rpartition(":")
    with told(session.kind):
        session.client.api.tag(image, repository, version, force=True)


def tags_of(session: EngineSession, repository: str) -> tuple[str, ...]:
    """Return the names of all images of *repository*, such as `localhost/crossbuild/x:base`."""
    with told(session.kind):
        found = session.client.images.list(name=repository)
    names = (name for image in found for name in image.tags)
    return tuple(sorted(name for name in names if name.rpartition(":")[0] == repository))


def remove(session: EngineSession, name: str) -> None:
    """Remove the image *name*, or only that name where others use it; none is no error."""
    from docker.errors import NotFound

    with told(session.kind), contextlib.suppress(NotFound):
        session.client.images.remove(name)


def inspect(session: EngineSession, name: str) -> Mapping[str, Any] | None:
    """Return what the engine records about the image *name*, None where it has none."""
    from docker.errors import NotFound

    with told(session.kind):
        try:
            return dict(session.client.api.inspect_image(name))
        except NotFound:
            return None


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How large an image is."""

    size: int
    """Bytes of all its layers together."""
    layers: int


def measure(session: EngineSession, name: str) -> Measure:
    """Return how large the image *name* is; nothing where the engine has none or does not tell."""
    found = inspect(session, name) or {}
    layers = (found.get("RootFS") or {}).get("Layers") or ()
    return Measure(size=int(found.get("Size") or 0), layers=len(layers))


def require_arch(session: EngineSession, name: str, arch: Architecture) -> str:
    """Return the id of the image *name*; remove it and raise ArtifactError where it is not for *arch*."""
    found = inspect(session, name)
    if found is None:
        raise ArtifactError(f"The engine did not keep the image {name}.")
    if recorded(found) != arch.oci:
        remove(session, name)
        raise wrong_arch(name, recorded(found), arch)
    return str(found["Id"])


def recorded(image: Mapping[str, Any]) -> str:
    """Return the architecture that the answer of `inspect` records, as Go spells it."""
    return str(image.get("Architecture") or "nothing")


def wrong_arch(name: str, found: str, arch: Architecture) -> ArtifactError:
    """Return the error of an image that is for *found*."""
    return ArtifactError(
        f"{name} is no image for {arch}.",
        details=f"It records the architecture {found}; {arch.oci} is wanted.",
        resolution=f"Name one that was made for {platform(arch)}. An image that this host already has under "
        "that name hides the right one: remove it first.",
    )


def platform(arch: Architecture) -> str:
    """Return *arch* as engines name platforms."""
    return f"linux/{arch.oci}"


def _pull(session: EngineSession, reference: str, arch: Architecture) -> None:
    from docker.errors import APIError

    with told(session.kind):
        try:
            session.client.images.pull(reference, platform=platform(arch))
        except APIError as error:
            raise ArtifactError(
                f"{session.kind.value.title()} cannot get the image {reference}.",
                details=str(error.explanation or error),
                resolution="Check the name, and that the engine reaches the registry (the proxy in its own "
                "settings counts). Without a registry, make the builder from a root or from a file.",
            ) from error


def _build_failed(request: ImageBuild, error: Any) -> BuildFailedError:
    return BuildFailedError(
        f"{request.dockerfile.name} could not be built.",
        details="\n".join([str(error.msg), *list(_lines(error.build_log))[-TAIL_LINES:]]),
        resolution="The last lines say which step failed; `crossbuild doctor` checks the emulation.",
    )


def _lines(log: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for entry in log:
        yield from str(entry.get("stream", "")).splitlines()
