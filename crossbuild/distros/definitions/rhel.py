"""Red Hat Enterprise Linux, whose own servers ask for a certificate: a site needs a mirror of them."""

from __future__ import annotations

from crossbuild.distros.definitions.enterprise_linux import MAJORS, enterprise_linux, major_of
from crossbuild.distros.release import KnownRepository, Release

TOP = "https://cdn.redhat.com/content/dist"
KEY = "https://www.redhat.com/security/data/fd431d51.txt"
FINGERPRINT = "567E347AD0044ADE55BA8A5F199E2F91FD431D51"


def _repository(id_: str, folder: str, release: str, *, enabled: bool = True) -> KnownRepository:
    return KnownRepository(
        id=id_,
        uris=(f"{TOP}/rhel{major_of(release)}/$releasever/$basearch/{folder}/os/",),
        key=KEY,
        fingerprints=(FINGERPRINT,),
        signs_metadata=False,
        enabled=enabled,
    )


def _release(release: str) -> Release:
    return enterprise_linux(
        "rhel",
        "Red Hat Enterprise Linux",
        release,
        (
            _repository("baseos", "baseos", release),
            _repository("appstream", "appstream", release),
            # By the id that the others have, so that one spec fits all.
            _repository(
                MAJORS[major_of(release)].builder.lower(), "codeready-builder", release, enabled=False
            ),
        ),
    )


RELEASES = (_release("8"), _release("9"), _release("10"))
