"""AlmaLinux OS."""

from __future__ import annotations

from crossbuild.distros.definitions.enterprise_linux import MAJORS, enterprise_linux, is_minor, major_of
from crossbuild.distros.release import KnownRepository, Release

TOP = "https://repo.almalinux.org/almalinux"
VAULT = "https://vault.almalinux.org"
KEYS = {
    # Packages from before 2024 have the first signature, later ones the second; both keys are in one file.
    "8": (
        "RPM-GPG-KEY-AlmaLinux",
        ("5E9B8F5617B5066CE92057C3488FCF7C3ABB34F8", "BC5EDDCADF502C077F1582882AE81E8ACED7258B"),
    ),
    "9": ("RPM-GPG-KEY-AlmaLinux-9", ("BF18AC2876178908D6E71267D36CB86CB86B3716",)),
    "10": ("RPM-GPG-KEY-AlmaLinux-10", ("EE6DB7B98F5BF5EDD9DA0DE5DEE5C11CC2A1E572",)),
}


def _repository(folder: str, release: str, *, enabled: bool = True) -> KnownRepository:
    key, fingerprints = KEYS[major_of(release)]
    return KnownRepository(
        id=folder.lower(),
        uris=(f"{TOP}/$releasever/{folder}/$basearch/os/",),
        vault=f"{VAULT}/$releasever/{folder}/$basearch/os/" if is_minor(release) else "",
        key=f"{TOP}/{key}",
        fingerprints=fingerprints,
        signs_metadata=False,
        enabled=enabled,
    )


def _release(release: str) -> Release:
    return enterprise_linux(
        "almalinux",
        "AlmaLinux",
        release,
        (
            _repository("BaseOS", release),
            _repository("AppStream", release),
            _repository("extras", release),
            _repository(MAJORS[major_of(release)].builder, release, enabled=False),
        ),
    )


RELEASES = (_release("8"), _release("9"), _release("10"))
