"""A key of the tests' own, made anew for each set of repositories, and what it signs."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.host.command import capture, environment, find
from tests.integration.rpm_distribution.spec import EPOCH, reproducible

KEY, FOREIGN_KEY = "RPM-GPG-KEY-test", "RPM-GPG-KEY-foreign"
USER = "RPM distributions of tests <nobody@example.org>"


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A secret key in a folder of its own."""

    home: Path

    def sign_packages(self, packages: Sequence[Path]) -> None:
        """Put a signature into each of *packages*."""
        # Debian has no gpg2, which its rpm looks for.
        macros = {"__gpg": find("gpg"), "_gpg_name": USER, "_gpg_path": self.home}
        defines = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
        capture(["rpmsign", *defines, "--addsign", *map(str, packages)], env=self._environment())

    def sign_repository(self, folder: Path) -> None:
        """Sign the packages in *folder*, write its metadata and sign that, too."""
        self.sign_packages(sorted(folder.glob("*.rpm")))
        self.index(folder)

    def index(self, folder: Path) -> None:
        """Write the metadata of *folder* and sign it."""
        argv = ["createrepo_c", "--quiet", "--revision", str(EPOCH), "--set-timestamp-to-revision"]
        capture([*argv, "--general-compress-type=gz", str(folder)], env=reproducible())
        self.sign_file(folder / "repodata/repomd.xml")

    def sign_file(self, path: Path) -> None:
        """Write the armoured signature of *path* beside it, and the key, as zypper wants it."""
        Path(f"{path}.asc").unlink(missing_ok=True)
        self._gpg("--detach-sign", "--armor", str(path))
        Path(f"{path}.key").write_text(self.public())

    def sign_within(self, path: Path, target: Path) -> None:
        """Write what *path* holds to *target*, with the signature around it."""
        self._gpg("--clearsign", "--output", str(target), str(path))

    def public(self) -> str:
        """Return the armoured public key."""
        return self._gpg("--armor", "--export", USER)

    def _gpg(self, *arguments: str) -> str:
        return capture(["gpg", "--batch", "--yes", *arguments], env=self._environment()).stdout

    def _environment(self) -> dict[str, str]:
        return environment({"GNUPGHOME": str(self.home)})


@contextlib.contextmanager
def new_key(public: Path) -> Iterator[Signer]:
    """Make a key, write its public half to *public*; the secret half is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="key.") as home:
        signer = Signer(home=Path(home))
        try:
            signer._gpg("--passphrase=", "--quick-generate-key", USER, "rsa3072", "sign", "never")
            public.write_text(signer.public())
            yield signer
        finally:
            capture(["gpgconf", "--kill", "all"], env=signer._environment(), check=False)
