"""CentOS 7, of which only the vault is left."""

from __future__ import annotations

from crossbuild.distros.definitions.enterprise_linux import enterprise_linux
from crossbuild.distros.release import KnownRepository, Release
from crossbuild.model.architecture import Architecture

VAULT = "https://vault.centos.org"
LAST = "7.9.2009"
KEYS = "https://www.centos.org/keys"
SOURCES = (
    # Its aarch64 packages come from elsewhere than those for x86_64, with a key of their own.
    (
        Architecture.AARCH64,
        f"{VAULT}/altarch/{LAST}",
        f"{KEYS}/RPM-GPG-KEY-CentOS-7-aarch64",
        "EF8F3CA66EFDF32B36CDADF76C7CB6EF305D49D6",
    ),
    (
        Architecture.X86_64,
        f"{VAULT}/{LAST}",
        f"{KEYS}/RPM-GPG-KEY-CentOS-7",
        "6341AB2753D78A78A7C27BB124C6A8A7F4A80EB5",
    ),
)


def _repositories() -> tuple[KnownRepository, ...]:
    return tuple(
        KnownRepository(
            id=folder,
            uris=(f"{top}/{folder}/$basearch/",),
            key=key,
            fingerprints=(fingerprint,),
            signs_metadata=False,
            enabled=True,
            arches=(arch,),
        )
        for arch, top, key, fingerprint in SOURCES
        for folder in ("os", "updates", "extras")
    )


RELEASES: tuple[Release, ...] = (enterprise_linux("centos", "CentOS", "7", _repositories()),)
