"""A host with a Warewulf 3 that tests/fakes/wwsh.py plays, and with all that aarch64 nodes need."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from crossbuild.host.command import CommandResult
from crossbuild.model.artifact import OutputKind
from tests.documents import CHECKOUT
from tests.integration.conftest import CommandLine
from tests.integration.small_sets import copied, small_set
from tests.unit.artifacts.kernels import ARM64_IMAGE
from tests.unit.formats.test_cpio import END, member
from tests.unit.trees import make_elf

PROGRAMS = {
    "wwsh": """\
#!/bin/sh
export FAKE_WAREWULF3={prefix}
exec {python} -I -S {checkout}/tests/fakes/wwsh.py "$@"
""",
    "wwconfig": """\
#!/bin/sh
case $1 in
  version) cat {prefix}/version ;;
  statedir) echo {prefix}/state ;;
  datadir) echo {prefix}/share ;;
  sysconfdir) echo {prefix}/etc ;;
esac
""",
}


class Warewulf3Host:
    """The programs, their files, and a command line that finds them."""

    def __init__(self, prefix: Path, crossbuild: CommandLine, *, version: str = "3.10.0") -> None:
        self.prefix, self._crossbuild = prefix, crossbuild
        self.etc, self.state = prefix / "etc/warewulf", prefix / "state/warewulf"
        for name, content in (
            (
                "etc/warewulf/provision.conf",
                f"cacert = {prefix}/ca.crt\ndefault kargs = quiet splash\n".encode(),
            ),
            ("ca.crt", b"certificates"),
            ("version", f"{version}\n".encode()),
            ("state/warewulf/initramfs/aarch64/base", member("./bin/busybox", make_elf()) + END),
            ("state/warewulf/initramfs/aarch64/capabilities/transport-http", END),
            ("share/warewulf/ipxe/bin-arm64-efi/snp.efi", ARM64_IMAGE),
        ):
            (prefix / name).parent.mkdir(parents=True, exist_ok=True)
            (prefix / name).write_bytes(content)
        self.write({"next": 100, "objects": {}, "nodes": {}})
        (prefix / "bin").mkdir()
        for program, text in PROGRAMS.items():
            path = prefix / "bin" / program
            path.write_text(text.format(prefix=prefix, checkout=CHECKOUT, python=sys.executable))
            path.chmod(0o755)

    def __call__(self, *arguments: str | Path, check: bool = False) -> CommandResult:
        """Run `crossbuild register` on this host."""
        path = f"{self.prefix / 'bin'}:/usr/bin:/bin"
        return self._crossbuild("register", *map(str, arguments), check=check, PATH=path)

    def read(self) -> dict[str, Any]:
        """Return the whole datastore."""
        found: dict[str, Any] = json.loads((self.prefix / "database.json").read_text())
        return found

    def write(self, database: dict[str, Any]) -> None:
        """Replace the datastore."""
        (self.prefix / "database.json").write_text(json.dumps(database))

    def add_node(self, name: str, **attributes: str) -> None:
        """Make a node, as an administrator would have done before."""
        database = self.read()
        number = len(database["nodes"]) + 1
        database["nodes"][name] = {
            "ID": str(number),
            "NAME": name,
            "ENABLED": "TRUE",
            "eth0.HWADDR": f"00:16:3e:00:00:{number:02}",
            **attributes,
        }
        self.write(database)

    def let(self, fault: str) -> Path:
        """Let the program misbehave as the file named *fault* says, until that file is removed."""
        path = self.prefix / fault
        path.touch()
        return path

    def calls(self) -> list[str]:
        """Return what wwsh was called with."""
        path = self.prefix / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def snapshot(self) -> dict[str, bytes]:
        """Return all that Warewulf keeps: what must be as before after a failure."""
        kept = (self.state, self.etc, self.prefix / "binaries")
        files = (path for folder in kept for path in folder.rglob("*") if path.is_file())
        found = {str(path.relative_to(self.prefix)): path.read_bytes() for path in files}
        database = {key: value for key, value in self.read().items() if key != "next"}
        return {**found, "database": json.dumps(database, sort_keys=True).encode()}

    def forget(self, path: str) -> None:
        """Remove something that aarch64 nodes need."""
        target = self.prefix / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()


@pytest.fixture
def host(tmp_path: Path, crossbuild: CommandLine) -> Warewulf3Host:
    return Warewulf3Host(tmp_path / "host", crossbuild)


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set that tests copy or leave as it is, but for its receipts."""
    return small_set(tmp_path_factory.mktemp("packed") / "one", OutputKind.WAREWULF3)


@pytest.fixture
def directory(packed: Path, tmp_path: Path) -> Path:
    """A set of the test's own."""
    return copied(packed, tmp_path / "out")
