"""AlmaLinux OS."""

from __future__ import annotations

from crossbuild.distros.definitions.enterprise_linux import Rebuild

TOP = "https://repo.almalinux.org/almalinux"
KEYS = f"{TOP}/RPM-GPG-KEY-AlmaLinux"
ALMALINUX = Rebuild(
    distro="almalinux",
    title="AlmaLinux",
    top=TOP,
    vault="https://vault.almalinux.org",
    keys={
        # Packages from before 2024 have the first signature, later ones the second; one file has both keys.
        "8": (
            KEYS,
            ("5E9B8F5617B5066CE92057C3488FCF7C3ABB34F8", "BC5EDDCADF502C077F1582882AE81E8ACED7258B"),
        ),
        "9": (f"{KEYS}-9", ("BF18AC2876178908D6E71267D36CB86CB86B3716",)),
        "10": (f"{KEYS}-10", ("EE6DB7B98F5BF5EDD9DA0DE5DEE5C11CC2A1E572",)),
    },
)

RELEASES = (ALMALINUX.release("8"), ALMALINUX.release("9"), ALMALINUX.release("10"))
