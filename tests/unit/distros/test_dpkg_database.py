"""Which package brought a path, by dpkg's own lists."""

from __future__ import annotations

from pathlib import Path

from crossbuild.distros.dpkg_database import owned_files


def test_every_listed_path_belongs_to_its_package(tmp_path: Path) -> None:
    info = tmp_path / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    (info / "bash.list").write_bytes(b"/.\n/bin\n/bin/bash\n")
    (info / "libc6:arm64.list").write_bytes(b"/lib/caf\xe9\n")
    (info / "bash.md5sums").write_bytes(b"abc  bin/other\n")
    owners = owned_files(tmp_path)
    assert owners["/bin/bash"] == "bash"
    assert owners["/lib/caf\udce9"] == "libc6"
    assert "bin/other" not in owners


def test_a_diverted_file_lies_where_it_was_put_aside(tmp_path: Path) -> None:
    info = tmp_path / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    (info / "dash.list").write_bytes(b"/bin/sh\n")
    (info / "bash.list").write_bytes(b"/bin/sh\n")
    (tmp_path / "var/lib/dpkg/diversions").write_bytes(b"/bin/sh\n/bin/sh.distrib\ndash\n")
    assert owned_files(tmp_path) == {"/bin/sh": "dash", "/bin/sh.distrib": "bash"}


def test_a_root_without_dpkg_has_no_owned_files(tmp_path: Path) -> None:
    assert owned_files(tmp_path) == {}
