"""What a build will do, where, in which order and why: a pure value."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass
from functools import cached_property

from crossbuild.model.spec import Account, ImageSpec, digest_of

ROOT = "@ROOT@"
"""Stands in a step's words for the root that is being built; the executor puts its place there."""
WORK = "@WORK@"
"""Stands for the scratch folder beside the root, with what the package manager needs."""

BASE = "@BASE@"
"""Stands for what a spec names as its base, so that keys do not depend on where that lies."""

ACCELERATE = "accelerate"
"""Below the scratch folder: the twin and its table, where a build is accelerated."""
COUNT = "count"
"""In there: the record of what ran."""


class Place(enum.StrEnum):
    """Where a step runs."""

    OUTSIDE = "outside"
    """On the build host's own programs, at native speed, with the root as data."""
    INSIDE = "inside"
    """On the root's programs, with the root for `/`."""


class ExecutorKind(enum.StrEnum):
    """Which two machines run the steps outside and inside the root."""

    HYBRID = "hybrid"
    """Outside steps on this host, inside steps in a sandbox on the root, under emulation."""
    NATIVE = "native"
    """The same on a host whose own architecture is the root's."""

    REMOTE = "remote"
    """Both on another host whose architecture is the root's."""


@dataclass(frozen=True, kw_only=True)
class ExecutorChoice:
    """The executor of a plan."""

    kind: ExecutorKind
    reason: str


class VenueKind(enum.StrEnum):
    """Where a root is made."""

    LOCAL = "local"
    NODE = "node"
    SLURM = "slurm"


@dataclass(frozen=True, kw_only=True)
class Venue:
    """The place of a build, which was decided before it began."""

    kind: VenueKind
    reason: str
    node: str = ""
    """The name of the node, where it is one."""

    @property
    def name(self) -> str:
        """`local`, `slurm`, or the name of the node."""
        return self.node or self.kind.value


@dataclass(frozen=True, kw_only=True)
class CommandStep:
    """Run a program, and fail the build if it fails."""

    place: Place
    argv: tuple[str, ...]
    reason: str
    env: tuple[tuple[str, str], ...] = ()
    binds: tuple[tuple[str, str], ...] = ()
    """Folders shown elsewhere while it runs: (source, target), for outside steps."""
    mounts_itself: bool = False
    """Whether an outside program makes its own mounts in the root and must find none there."""
    bare: bool = False
    """Whether an outside program makes the folders of the root that are mounted on later, such as /proc."""


@dataclass(frozen=True, kw_only=True)
class WriteStep:
    """Write a file of the root, replacing what is there."""

    path: str
    content: bytes
    mode: int
    reason: str
    owner: str = "root"
    group: str = "root"


@dataclass(frozen=True, kw_only=True)
class LinkStep:
    """Make a symbolic link in the root, replacing what is there."""

    path: str
    target: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RemoveStep:
    """Remove a file of the root if it is there."""

    path: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class AccountsStep:
    """Make system accounts with given ids in the root's account files."""

    accounts: tuple[Account, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class ImportStep:
    """Make the root of one that is there already, whatever form it has."""

    digest: str
    """Of what it holds."""
    reason: str
    source: str = BASE


Step = CommandStep | WriteStep | LinkStep | RemoveStep | AccountsStep | ImportStep


LAYER_FORMAT = 5
"""Another one makes kept trees stale: for when equal steps come to give another tree."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Steps whose result can be kept: the same digest, the same tree."""

    key: str
    title: str
    steps: tuple[Step, ...]
    identity: str
    """What, besides its steps, decides the result: the layer below and the package versions."""
    packages: int
    """How many packages it installs, for progress; 0 where it installs none."""
    kept: bool
    """Whether the tree is worth keeping for later builds."""

    @cached_property
    def digest(self) -> str:
        """Cache key of the tree after this layer."""
        return digest_of([LAYER_FORMAT, self.identity, [asdict(step) for step in self.steps]])


@dataclass(frozen=True, kw_only=True)
class PinnedPackage:
    """A package at the version that the sources have now."""

    name: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What the package manager would install, before anything is installed."""

    base: tuple[PinnedPackage, ...]
    """The packages of the smallest root of this distribution."""
    added: tuple[PinnedPackage, ...]
    """What the spec adds, dependencies included."""
    sources: str
    """Digest of the signed index files; it changes whenever the sources publish anything."""
    epoch: int
    """SOURCE_DATE_EPOCH: from the environment, else when the newest of the sources was published."""
    settings: str = ""
    """Digest of what a kept tree has of the sources beside packages: apt's list of them; the keys, and the
    time, in an RPM database."""

    def has(self, name: str) -> bool:
        """Tell whether a package of that name will be installed."""
        return any(package.name == name for package in (*self.base, *self.added))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a build will do."""

    spec: ImageSpec
    executor: ExecutorChoice
    venue: Venue
    resolution: Resolution
    layers: tuple[Layer, ...]
    initramfs: str
    """Where in the root it will lie; `{version}` stands for the kernel's."""
    squashfs_compression: str
    tools: str = ""
    """Whose package manager runs outside, where it is not this host's."""

    @property
    def digest(self) -> str:
        """Same plan, same bytes."""
        return digest_of([self.spec.digest, self.layers[-1].digest, self.resolution.epoch])
