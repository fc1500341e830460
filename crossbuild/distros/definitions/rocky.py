"""Rocky Linux."""

from __future__ import annotations

from crossbuild.distros.definitions.enterprise_linux import MAJORS, enterprise_linux, is_minor, major_of
from crossbuild.distros.release import KnownRepository, Release

TOP = "https://dl.rockylinux.org"
FINGERPRINTS = {
    "8": "7051C470A929F454CEBE37B715AF5DAC6D745A60",
    "9": "21CB256AE16FC54C6E652949702D426D350D275D",
    "10": "FC226859C0860BF0DDB95B085B106C736FEDFC85",
}


def _repository(folder: str, release: str, *, enabled: bool = True) -> KnownRepository:
    major = major_of(release)
    return KnownRepository(
        id=folder.lower(),
        uris=(f"{TOP}/pub/rocky/$releasever/{folder}/$basearch/os/",),
        vault=f"{TOP}/vault/rocky/$releasever/{folder}/$basearch/os/" if is_minor(release) else "",
        key=f"{TOP}/pub/rocky/RPM-GPG-KEY-Rocky-{major}",
        fingerprints=(FINGERPRINTS[major],),
        signs_metadata=False,
        enabled=enabled,
    )


def _release(release: str) -> Release:
    return enterprise_linux(
        "rocky",
        "Rocky Linux",
        release,
        (
            _repository("BaseOS", release),
            _repository("AppStream", release),
            _repository("extras", release),
            _repository(MAJORS[major_of(release)].builder, release, enabled=False),
        ),
    )


RELEASES = (_release("8"), _release("9"), _release("10"))
