"""The layer that a root or an image that is there already takes the place of a base system with."""

from __future__ import annotations

from crossbuild.model.plan import ImportStep, Layer, Resolution, Step
from crossbuild.model.spec import ImageSpec, ImportedBase, digest_of


def imported_layer(
    spec: ImageSpec, base: ImportedBase, resolution: Resolution, further: tuple[Step, ...] = ()
) -> Layer:
    """Return the layer that makes the root of *base* and then carries out *further*."""
    reason = f"what is there already, {len(resolution.base)} packages, in place of the smallest root"
    return Layer(
        key="base",
        title="Base system",
        identity=digest_of([spec.arch, base.digest, resolution.settings]),
        packages=0,
        # It lies on this disk as it is, and what is installed on top of it is kept.
        kept=False,
        steps=(ImportStep(digest=base.digest, reason=reason), *further),
    )
