"""The steps that make a root of RPM packages: pure values, from the spec and what was resolved."""

from __future__ import annotations

from dataclasses import replace

from crossbuild.distros.release import DatabaseBackend, Release, RpmDatabase
from crossbuild.distros.rpm.managers import MANAGERS
from crossbuild.distros.rpm.repositories import CACHE
from crossbuild.model.plan import (
    ROOT,
    WORK,
    AccountsStep,
    CommandStep,
    Layer,
    LinkStep,
    Place,
    RemoveStep,
    Resolution,
    Step,
)
from crossbuild.model.spec import ImageSpec, RpmRepository, digest_of

RPM_CONFIGURATION = "/usr/lib/rpm"
"""Where rpm of a host keeps its macros: while it installs into a root, it finds the target's there."""
SHOWN = ((f"{WORK}/rpm/macros", RPM_CONFIGURATION), (f"{WORK}/rpm/cache", f"{ROOT}{CACHE}"))
FIRST = ("filesystem",)
"""Makes /proc, /sys and the like, which nothing may be mounted on then."""
KERNEL_HOOKS = (
    "/etc/kernel/install.d/50-dracut.install",
    "/etc/kernel/install.d/51-dracut-rescue.install",
)
"""Where a link to nothing keeps kernel-install(8) from making an initramfs."""
HEADERS = "/.crossbuild-headers"
EXPORT = 'rpmdb --root "$1" --exportdb > "$1$2"'
IMPORT = 'rm -rf "$1"/* "$1"/.rpm.lock; rpmdb --importdb < "$2"'
TAKE_OVER = 'rm -rf "$1$2"/* "$1$2"/.rpm.lock; rpmdb --root "$1" --dbpath "$2" --importdb < "$1$3"'


def wanted(spec: ImageSpec, release: Release) -> tuple[str, ...]:
    """Return what is installed on top of the base, in a fixed order."""
    kernel = (spec.kernel.package, *release.initramfs.packages) if spec.kernel else ()
    return tuple(dict.fromkeys((*spec.packages, *spec.openhpc, *kernel)))


def base_layer(spec: ImageSpec, release: Release, resolution: Resolution) -> Layer:
    """Return the layer that installs the smallest root."""
    return Layer(
        key="base",
        title="Base system",
        identity=digest_of(
            [spec.arch, release.distro, release.release, resolution.base, resolution.settings]
        ),
        packages=len(resolution.base),
        kept=True,
        steps=(
            replace(trust_keys(spec, release), bare=True),
            _install(FIRST, spec, release, reason="the folders that everything else lies in", bare=True),
            RemoveStep(path=CACHE, reason="packages were shown there"),
            _install(release.rpm.base, spec, release, reason=f"the smallest {release.title}"),
        ),
    )


def trust_keys(spec: ImageSpec, release: Release) -> CommandStep:
    """Return the step that has a root trust the keys of its repositories."""
    return CommandStep(
        place=Place.OUTSIDE,
        reason="rpm installs only what these keys have signed",
        binds=SHOWN,
        argv=trust(spec, release),
    )


def base_steps(spec: ImageSpec, release: Release) -> tuple[Step, ...]:
    """Return what lets packages be installed in a root that is there already."""
    return (*_database_of_host(release.rpm.database), trust_keys(spec, release))


def packages_layer(spec: ImageSpec, release: Release, below: Layer, resolution: Resolution) -> Layer:
    """Return the layer that installs what the spec asks for on top of *below*."""
    steps: list[Step] = []
    if spec.accounts:
        steps.append(
            AccountsStep(accounts=spec.accounts, reason="same ids on every host, before packages choose")
        )
    if resolution.added:
        reason = f"{release.family} resolves, fetches and checks natively; scriptlets run in the root"
        later = "the initramfs is made once, when all is in place"
        if spec.kernel:
            steps += [LinkStep(path=path, target="/dev/null", reason=later) for path in KERNEL_HOOKS]
        steps.append(_install(wanted(spec, release), spec, release, reason=reason))
        if spec.kernel:
            steps += [
                RemoveStep(path=path, reason="kernels of the node are its own") for path in KERNEL_HOOKS
            ]
    steps += _own_database(release.rpm.database)
    return Layer(
        key="packages",
        title="Packages",
        identity=digest_of([below.digest, resolution.added]),
        packages=len(resolution.added),
        kept=True,
        steps=tuple(steps),
    )


def _own_database(database: RpmDatabase) -> tuple[Step, ...]:
    """Return what has the root's own rpm write its database, in a form that hosts seldom can write."""
    if database.backend is DatabaseBackend.SQLITE:
        return ()
    reason = f"the root's own rpm writes its database: {database.backend}, as on a node that it installed"
    return (
        CommandStep(
            place=Place.OUTSIDE,
            reason="headers of all packages, for the root's own rpm",
            binds=SHOWN,
            argv=("/bin/sh", "-e", "-c", EXPORT, "export", ROOT, HEADERS),
        ),
        CommandStep(
            place=Place.INSIDE,
            reason=reason,
            argv=("/bin/sh", "-e", "-c", IMPORT, "import", database.path, HEADERS),
        ),
        RemoveStep(path=HEADERS, reason="the database has them"),
    )


def _database_of_host(database: RpmDatabase) -> tuple[Step, ...]:
    """Return what gives a root the form of database that this host's rpm writes."""
    if database.backend is DatabaseBackend.SQLITE:
        return ()
    return (
        CommandStep(
            place=Place.INSIDE,
            reason="headers of all packages, for this host's rpm",
            argv=own_headers(),
        ),
        CommandStep(
            place=Place.OUTSIDE,
            reason=f"this host's rpm keeps its database otherwise than {database.backend}",
            binds=SHOWN,
            argv=taken_over(ROOT, database),
        ),
        RemoveStep(path=HEADERS, reason="the database has them"),
    )


def own_headers() -> tuple[str, ...]:
    """Return the command by which a root's own rpm writes the headers of all its packages, in that root."""
    return ("/bin/sh", "-e", "-c", EXPORT, "export", "/", HEADERS)


def taken_over(root: str, database: RpmDatabase) -> tuple[str, ...]:
    """Return the command by which this host's rpm makes a new database of these headers in *root*."""
    return ("/bin/sh", "-e", "-c", TAKE_OVER, "import", root, database.path, HEADERS)


def trust(spec: ImageSpec, release: Release) -> tuple[str, ...]:
    """Return the command that makes a new root trust the keys of its repositories."""
    signed = (
        repository.id
        for repository in spec.repositories
        if isinstance(repository, RpmRepository)
        and spec.arch in repository.arches
        and (repository.gpgcheck or repository.repo_gpgcheck)
    )
    keys = tuple(f"{WORK}/rpm/keys/{id_}.asc" for id_ in signed)
    where = ("--root", ROOT, "--dbpath", release.rpm.database.path)
    return ("rpmkeys", *where, "--import", *keys) if keys else ("rpmdb", *where, "--initdb")


def environment() -> dict[str, str]:
    """Return what tells zypper its settings, wherever it runs; dnf has them in its words."""
    return {
        "ZYPP_CONF": f"{WORK}/rpm/zypp.conf",
        "ZYPP_LOGFILE": "/dev/null",
        "ZYPPTMPDIR": "/tmp",  # noqa: S108 -- its own choice, /var/tmp, is read-only in the sandbox
    }


def _install(
    packages: tuple[str, ...], spec: ImageSpec, release: Release, *, reason: str, bare: bool = False
) -> CommandStep:
    manager = MANAGERS[release.family]
    return CommandStep(
        place=Place.OUTSIDE,
        reason=reason,
        env=(
            *environment().items(),
            ("TMPDIR", "/tmp"),  # noqa: S108 -- the root's own, for scripts that run in it
            ("DRACUT", "/bin/true"),  # so openSUSE's kernel packages leave the initramfs to us, too
            ("DRACUT_NO_MKNOD", "1"),  # for packages that make one all the same; the sandbox has no mknod(2)
        ),
        binds=SHOWN,
        bare=bare,
        argv=(*manager.common(spec, release), *manager.install, *packages),
    )
