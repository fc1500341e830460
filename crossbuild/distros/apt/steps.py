"""The steps that make a Debian or Ubuntu root: pure values, from the spec and what apt resolved."""

from __future__ import annotations

from crossbuild.distros.release import Release
from crossbuild.model.plan import (
    ACCELERATE,
    COUNT,
    ROOT,
    WORK,
    AccountsStep,
    CommandStep,
    Layer,
    Place,
    RemoveStep,
    Resolution,
    Step,
    WriteStep,
)
from crossbuild.model.spec import ImageSpec, digest_of

# What mmdebstrap's variant `minbase` installs, as patterns of apt (apt-patterns(7)).
BASE = ("?essential", "?priority(required)", "apt")

POLICY = "/usr/sbin/policy-rc.d"
APT_INSIDE = f"{ROOT}/var/cache/apt/archives"

# Runs before mmdebstrap's first use of apt: $1 is the root. Links, not copies: both lie on one file system.
SETUP_HOOK = (
    'mkdir -p "$1/var/lib/apt" "$1/var/cache/apt"'
    ' && cp --recursive --link "$CROSSBUILD_WORK/apt/lists" "$1/var/lib/apt/"'
    ' && cp --recursive --link "$CROSSBUILD_WORK/apt/archives" "$1/var/cache/apt/"'
    # The same hook with and without acceleration: both give the same tree, and so the same cache key.
    f' && if [ -d "$CROSSBUILD_WORK/{ACCELERATE}" ]; then mkdir -p "$1/run/crossbuild"'
    f' && mount --bind "$CROSSBUILD_WORK/{ACCELERATE}" "$1/run/crossbuild"'
    ' && mount -o remount,bind,ro,nosuid,nodev "$1/run/crossbuild"'
    f' && mount --bind "$CROSSBUILD_WORK/{ACCELERATE}/{COUNT}" "$1/run/crossbuild/{COUNT}"; fi'
)
KEEP_HOOK = (
    'cp --link --no-clobber "$1"/var/cache/apt/archives/*.deb "$CROSSBUILD_WORK/apt/archives/"'
    ' && if [ -d "$1/run/crossbuild" ]; then'
    ' umount --recursive "$1/run/crossbuild" && rmdir "$1/run/crossbuild"; fi'
)


def wanted(spec: ImageSpec, release: Release) -> tuple[str, ...]:
    """Return what is installed on top of the base, in a fixed order."""
    kernel = (spec.kernel.package, *release.initramfs.packages) if spec.kernel else ()
    return tuple(dict.fromkeys((*spec.packages, *kernel)))


def base_layer(spec: ImageSpec, release: Release, resolution: Resolution) -> Layer:
    """Return the layer that unpacks and configures the smallest root."""
    bootstrap = CommandStep(
        place=Place.OUTSIDE,
        mounts_itself=True,
        reason=f"the smallest {release.title} that installs packages; only dpkg and its scripts are emulated",
        env=(("CROSSBUILD_WORK", WORK), ("TMPDIR", f"{WORK}/scratch")),
        argv=(
            "mmdebstrap",
            "--mode=root",
            "--format=directory",
            "--variant=minbase",
            f"--architectures={spec.arch.debian}",
            "--verbose",
            f"--aptopt={WORK}/apt/acquire.conf",
            "--dpkgopt=force-unsafe-io",  # scratch until it is published whole: no fsync for every file
            # Indexes come through the hook: one build sees one state of the sources from beginning to end.
            "--skip=update",
            "--skip=essential/unlink",
            f"--setup-hook={SETUP_HOOK}",
            f"--customize-hook={KEEP_HOOK}",
            release.apt.codename,
            ROOT,
            f"{WORK}/apt/sources.sources",
        ),
    )
    leftovers = ("/etc/apt/apt.conf.d/99mmdebstrap", "/etc/dpkg/dpkg.cfg.d/99mmdebstrap")
    return Layer(
        key="base",
        title="Base system",
        identity=digest_of([spec.arch, release.apt.codename, resolution.base, resolution.settings]),
        packages=len(resolution.base),
        kept=True,
        steps=(
            bootstrap,
            *(RemoveStep(path=path, reason="settings of the build host's apt") for path in leftovers),
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
        steps += _installation(wanted(spec, release))
    return Layer(
        key="packages",
        title="Packages",
        identity=digest_of([below.digest, resolution.added]),
        packages=len(resolution.added),
        kept=True,
        steps=tuple(steps),
    )


def _installation(packages: tuple[str, ...]) -> tuple[Step, ...]:
    install = CommandStep(
        place=Place.OUTSIDE,
        reason="apt resolves, fetches and checks natively; dpkg and its scripts run in the root",
        env=(
            ("APT_CONFIG", f"{WORK}/apt/apt.conf"),
            ("DEBIAN_FRONTEND", "noninteractive"),
            ("TMPDIR", "/tmp"),  # noqa: S108 -- the root's own, for scripts that run in it
            # The hooks of kernel packages leave the initramfs to us: it is made once, when all is in place.
            ("INITRD", "No"),
        ),
        binds=((f"{WORK}/apt/archives", APT_INSIDE),),
        argv=("apt-get", "install", *packages),
    )
    return (
        WriteStep(
            path=POLICY,
            content=b"#!/bin/sh\nexit 101\n",
            mode=0o755,
            reason="no service starts inside a root that is being built",
        ),
        install,
        RemoveStep(path=POLICY, reason="services do start on the node"),
    )
