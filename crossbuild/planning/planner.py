"""The whole plan of one build, and why it is so."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crossbuild.distros.apt import steps as apt
from crossbuild.distros.release import Family, Release
from crossbuild.distros.rpm import steps as rpm
from crossbuild.errors import HostNotReadyError
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import HostFacts
from crossbuild.model.plan import ExecutorChoice, ExecutorKind, Layer, Plan, Resolution, Venue, VenueKind
from crossbuild.model.spec import ImageSpec
from crossbuild.planning.configuration import configuration_layer
from crossbuild.planning.imported import imported_layer

InstalledLayers = Callable[[ImageSpec, Release, Resolution], tuple[Layer, ...]]


def _apt_layers(spec: ImageSpec, release: Release, resolution: Resolution) -> tuple[Layer, ...]:
    base = (
        imported_layer(spec, spec.base, resolution)
        if spec.base
        else apt.base_layer(spec, release, resolution)
    )
    return base, apt.packages_layer(spec, release, base, resolution)


def _rpm_layers(spec: ImageSpec, release: Release, resolution: Resolution) -> tuple[Layer, ...]:
    base = (
        imported_layer(spec, spec.base, resolution, rpm.base_steps(spec, release))
        if spec.base
        else rpm.base_layer(spec, release, resolution)
    )
    return base, rpm.packages_layer(spec, release, base, resolution)


INSTALLED_LAYERS: Mapping[Family, InstalledLayers] = {
    Family.APT: _apt_layers,
    Family.DNF: _rpm_layers,
    Family.ZYPPER: _rpm_layers,
}


def choose_executor(arch: Architecture, host: HostFacts, venue: Venue) -> ExecutorChoice:
    """Return how programs of *arch* will run; raise HostNotReadyError where nothing at *venue* runs them."""
    if venue.kind is not VenueKind.LOCAL:
        reason = f"programs of {arch} run on a processor of their own on {venue.name}"
        return ExecutorChoice(kind=ExecutorKind.REMOTE, reason=reason)
    if host.native(arch):
        reason = f"this host is {arch} itself"
        return ExecutorChoice(kind=ExecutorKind.NATIVE, reason=reason)
    handler = host.handler_for(arch)
    if handler is not None:
        reason = f"package managers run natively; binfmt_misc gives {arch} programs to {handler.interpreter}"
        return ExecutorChoice(kind=ExecutorKind.HYBRID, reason=reason)
    raise HostNotReadyError(
        f"This host cannot run {arch} programs.",
        details=f"It is {host.machine}, and binfmt_misc has no enabled handler for {arch}.",
        resolution="Run `sudo crossbuild setup`; `crossbuild doctor` shows what is missing.",
    )


def plan_build(
    spec: ImageSpec,
    release: Release,
    resolution: Resolution,
    host: HostFacts,
    venue: Venue,
    tools: str = "",
) -> Plan:
    """Return the plan: a pure function of its arguments; *tools* says whose package manager it is."""
    installed = INSTALLED_LAYERS[release.family](spec, release, resolution)
    return Plan(
        spec=spec,
        executor=choose_executor(spec.arch, host, venue),
        venue=venue,
        tools=tools,
        resolution=resolution,
        layers=(*installed, configuration_layer(spec, release, installed[-1], resolution)),
        initramfs=f"/boot/{release.initramfs.name}",
        squashfs_compression=release.squashfs_compression,
    )
