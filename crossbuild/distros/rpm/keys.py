"""The keys that may sign a repository: fetched where need be, and reduced to those that are trusted."""

from __future__ import annotations

import os
import re
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from crossbuild.errors import BuildFailedError, SpecError
from crossbuild.host import command
from crossbuild.model.spec import RpmRepository, digest_of, is_address

TIMEOUT = 30
MAX_SIZE = 1 << 20
PRIMARY = re.compile(r"^pub:.*\n(?:(?!fpr:).*\n)*fpr:+([0-9A-F]{40,64}):", re.MULTILINE)
"""The fingerprint of a primary key in `gpg --with-colons`."""


def trusted_keys(repository: RpmRepository, cache: Path) -> str:
    """Return, armoured, the keys that may sign *repository*; empty where nothing of it must be signed.

    What was fetched once is kept in the folder *cache*: its fingerprints were checked. Raises SpecError where
    the keys cannot be told, or where none of them is one of the repository's fingerprints.
    """
    if not (repository.gpgcheck or repository.repo_gpgcheck):
        return ""
    if not is_address(repository.signed_by):
        return _reduced(_material(repository), repository)
    kept = cache / f"{digest_of([repository.signed_by, repository.fingerprints])[:16]}.asc"
    if not kept.is_file():
        armoured = _reduced(_material(repository), repository)
        cache.mkdir(parents=True, exist_ok=True)
        scratch = kept.with_name(f".{kept.name}.{os.getpid()}")
        scratch.write_text(armoured, encoding="ascii")
        scratch.rename(kept)
    return kept.read_text(encoding="ascii")


def _reduced(material: bytes, repository: RpmRepository) -> str:
    """Return the keys of *material* that are trusted, and no others."""
    with tempfile.TemporaryDirectory(prefix="crossbuild-keys-") as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--no-options", "--no-autostart"]
        source = Path(home, "material")
        source.write_bytes(material)
        command.capture([*gpg, "--import", str(source)], check=False)
        listed = command.capture([*gpg, "--with-colons", "--fingerprint", "--list-keys"], check=False)
        present = PRIMARY.findall(listed.stdout)
        trusted = [one for one in present if one in (repository.fingerprints or present)]
        if not trusted:
            raise _untrusted(repository, present)
        return command.capture([*gpg, "--armor", "--export", *trusted]).stdout


def _material(repository: RpmRepository) -> bytes:
    key = repository.signed_by
    if "BEGIN PGP PUBLIC KEY BLOCK" in key:
        return key.encode()
    if is_address(key):
        if not repository.fingerprints:
            raise SpecError(
                f"Nothing says which keys may sign the repository `{repository.id}`.",
                details=f"Its keys are at {key}, but their fingerprints are not known to crossbuild.",
                resolution="Describe the repository in `repositories:`, with `signed_by` and `fingerprints`.",
            )
        return _fetched(repository)
    try:
        return Path(key.removeprefix("file://")).read_bytes()
    except OSError as error:
        raise SpecError(
            f"The keys of the repository `{repository.id}` cannot be read.",
            details=str(error),
            resolution="Correct its `signed_by`.",
        ) from error


def _fetched(repository: RpmRepository) -> bytes:
    try:
        # An http address, as is_address() made sure. What comes is worth nothing without its fingerprint.
        with urllib.request.urlopen(repository.signed_by, timeout=TIMEOUT) as answer:  # noqa: S310
            return bytes(answer.read(MAX_SIZE))
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise BuildFailedError(
            f"The keys of the repository `{repository.id}` could not be fetched.",
            details=f"{repository.signed_by}: {error}",
            resolution="Check the address and this host's proxy settings, or name a file as `signed_by`.",
        ) from error


def _untrusted(repository: RpmRepository, present: list[str]) -> SpecError:
    found = ", ".join(present) or "no key at all"
    wanted = ", ".join(repository.fingerprints)
    return SpecError(
        f"The keys of the repository `{repository.id}` are not those that may sign it.",
        details=f"{repository.signed_by[:200]} holds {found}; trusted: {wanted or 'any key'}.",
        resolution="Correct `signed_by` or `fingerprints` of the repository.",
    )
