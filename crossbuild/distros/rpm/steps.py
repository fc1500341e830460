"""The steps that make a root of RPM packages: pure values, from the spec and what was resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crossbuild.distros.release import Family, Release
from crossbuild.model.plan import ROOT, WORK, AccountsStep, CommandStep, Layer, Place, Resolution, Step
from crossbuild.model.spec import ImageSpec, digest_of

RPM_CONFIGURATION = "/usr/lib/rpm"
"""Where rpm of a host keeps its macros: while it installs into a root, it finds the target's there."""
FIRST = ("filesystem",)
"""Makes /proc, /sys and the like, which nothing may be mounted on then."""


def wanted(spec: ImageSpec, release: Release) -> tuple[str, ...]:
    """Return what is installed on top of the base, in a fixed order."""
    kernel = (spec.kernel.package, *release.initramfs.packages) if spec.kernel else ()
    return tuple(dict.fromkeys((*spec.packages, *kernel)))


def base_layer(spec: ImageSpec, release: Release, resolution: Resolution) -> Layer:
    """Return the layer that installs the smallest root."""
    return Layer(
        key="base",
        title="Base system",
        identity=digest_of([spec.arch, release.distro, release.release, resolution.base]),
        packages=len(resolution.base),
        kept=True,
        steps=(
            _install(FIRST, spec, release, reason="the folders that everything else lies in", bare=True),
            _install(release.rpm.base, spec, release, reason=f"the smallest {release.title}"),
        ),
    )


def packages_layer(spec: ImageSpec, release: Release, below: Layer, resolution: Resolution) -> Layer:
    """Return the layer that installs what the spec asks for on top of *below*."""
    steps: list[Step] = []
    if spec.accounts:
        steps.append(
            AccountsStep(accounts=spec.accounts, reason="same ids on every host, before packages choose")
        )
    if resolution.added:
        reason = f"{release.family} resolves, fetches and checks natively; scriptlets run in the root"
        steps.append(_install(wanted(spec, release), spec, release, reason=reason))
    return Layer(
        key="packages",
        title="Packages",
        identity=digest_of([below.digest, resolution.added]),
        packages=len(resolution.added),
        kept=True,
        steps=tuple(steps),
    )


def dnf(spec: ImageSpec, release: Release) -> tuple[str, ...]:
    """Return how every command line of dnf begins; its configuration says the rest."""
    return (
        "dnf",
        f"--config={WORK}/rpm/dnf.conf",
        f"--installroot={ROOT}",
        f"--forcearch={spec.arch}",
        f"--releasever={release.rpm.releasever}",
        "--noplugins",  # the host's may change what is installed
        "--assumeyes",
        "install",
    )


def zypper(_spec: ImageSpec, release: Release) -> tuple[str, ...]:
    """Return how every command line of zypper begins; its configuration says the rest."""
    return (
        "zypper",
        f"--root={ROOT}",
        f"--reposd-dir={WORK}/rpm/repos.d",
        f"--cache-dir={WORK}/rpm/cache",
        f"--releasever={release.rpm.releasever}",
        "--non-interactive",
        "--no-refresh",  # one build sees one state of the repositories from beginning to end
        "install",
        "--auto-agree-with-licenses",
        "--no-recommends",
    )


INSTALLERS: Mapping[Family, Callable[[ImageSpec, Release], tuple[str, ...]]] = {
    Family.DNF: dnf,
    Family.ZYPPER: zypper,
}


def _install(
    packages: tuple[str, ...], spec: ImageSpec, release: Release, *, reason: str, bare: bool = False
) -> CommandStep:
    return CommandStep(
        place=Place.OUTSIDE,
        reason=reason,
        env=(
            ("ZYPP_CONF", f"{WORK}/rpm/zypp.conf"),
            ("TMPDIR", "/tmp"),  # noqa: S108 -- the root's own, for scripts that run in it
        ),
        binds=((f"{WORK}/rpm/macros", RPM_CONFIGURATION),),
        bare=bare,
        argv=(*INSTALLERS[release.family](spec, release), *packages),
    )
