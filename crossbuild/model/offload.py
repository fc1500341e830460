"""Where builds go that need not run here: the site's defaults."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

AUTO, LOCAL, NODES, SLURM = "auto", "local", "nodes", "slurm"
"""What `--on` takes besides the name of a node; no node is called so."""
VENUES = (AUTO, LOCAL, NODES, SLURM)


PATIENCE = 900
"""Seconds for which a host may be out of reach before its build is given up."""


class Fallback(enum.StrEnum):
    """What a build does that was to run elsewhere, and for which there is no place now."""

    FAIL = "fail"
    QUEUE = "queue"
    """It waits for a slot; it fails where no node could ever take it."""
    EMULATE = "emulate"
    """It runs on this host, and says so."""


@dataclass(frozen=True, kw_only=True)
class OffloadDefaults:
    """`offload:` of the site's configuration."""

    on: str = AUTO
    """One of VENUES, or the name of a node. The file says `to`: to YAML, `on` is another word for true."""
    fallback: Fallback = Fallback.QUEUE
    patience: int = PATIENCE
    """Seconds after which a build ends whose node cannot be reached; the work may go on there."""


@dataclass(frozen=True, kw_only=True)
class SlurmDefaults:
    """How jobs are submitted; what is empty is left to Slurm."""

    folder: Path | None = None
    """Shared by this host and the nodes: jobs are handed over in it. None where the site names none."""
    partition: str = ""
    constraint: str = ""
    account: str = ""
    time: str = ""
    """A limit as sbatch(1) takes it, such as `2:00:00`."""
    options: tuple[str, ...] = ()
    """Further options of sbatch, such as `--qos=builds`."""
