"""Names of programs that may change packages; `changes.py` looks closer. Importing it costs nothing."""

from __future__ import annotations

APT = ("apt", "apt-get", "aptitude")
DNF = ("yum", "dnf", "dnf-3", "dnf4", "dnf5", "microdnf")
ZYPPER = ("zypper",)
RPM = ("rpm",)
DPKG = ("dpkg",)
PIP = ("pip", "pip3")

PREFIXES = ("sudo", "env", "nice", "ionice", "time", "timeout", "nohup", "exec", "command", "stdbuf")
"""They run another program, which is named behind their own words."""
SHELLS = ("sh", "bash", "dash")

NAMES = frozenset((*APT, *DNF, *ZYPPER, *RPM, *DPKG, *PIP, *PREFIXES, *SHELLS))


def is_suspect(program: str) -> bool:
    """Say whether *program*, by its file name, has to be looked at closer."""
    return program.rpartition("/")[2] in NAMES
