"""Rocky Linux."""

from __future__ import annotations

from crossbuild.distros.definitions.enterprise_linux import Rebuild

TOP = "https://dl.rockylinux.org"
KEYS = f"{TOP}/pub/rocky/RPM-GPG-KEY-Rocky"
ROCKY = Rebuild(
    distro="rocky",
    title="Rocky Linux",
    top=f"{TOP}/pub/rocky",
    vault=f"{TOP}/vault/rocky",
    keys={
        "8": (f"{KEYS}-8", ("7051C470A929F454CEBE37B715AF5DAC6D745A60",)),
        "9": (f"{KEYS}-9", ("21CB256AE16FC54C6E652949702D426D350D275D",)),
        "10": (f"{KEYS}-10", ("FC226859C0860BF0DDB95B085B106C736FEDFC85",)),
    },
)

RELEASES = (ROCKY.release("8"), ROCKY.release("9"), ROCKY.release("10"))
