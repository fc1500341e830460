"""What rpm lists as installed, in the words of its own query (rpm(8), "QUERY OPTIONS")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crossbuild.model.root import Package

QUERY = (
    "rpm",
    "--query",
    "--all",
    r"--queryformat=package\t%{NAME}\t%{EPOCHNUM}\t%{VERSION}-%{RELEASE}\t%{ARCH}\t%{LONGSIZE}\t%{SOURCERPM}\n",
)
FILES_QUERY = ("rpm", "--query", "--all", r"--queryformat=[file\t%{=NAME}\t%{FILENAMES}\n]")
"""Every path of every package, one on each line."""
KEY = "gpg-pubkey"
"""The name under which rpm lists keys that it trusts: no packages."""


def parse(lines: Iterable[str]) -> tuple[Package, ...]:
    """Return the packages that the output of QUERY lists, sorted."""
    return tuple(sorted(package for line in lines for package in _package(line)))


def parse_files(lines: Iterable[str]) -> dict[str, str]:
    """Return the package of each path that the output of FILES_QUERY lists."""
    fields = (line.split("\t", 2) for line in lines if line.startswith("file\t"))
    return {path: name for _, name, path in (entry for entry in fields if len(entry) == 3)}


def _package(line: str) -> Iterator[Package]:
    mark, _, rest = line.partition("\t")
    if mark != "package":
        return
    name, epoch, version, arch, size, source = rest.split("\t")
    if name == KEY:
        return
    # Such as `bash-5.1.8-9.el9.src.rpm`.
    source_name = source.rsplit("-", 2)[0]
    yield Package(
        name=name,
        version=version if epoch == "0" else f"{epoch}:{version}",
        arch=arch,
        kind="rpm",
        installed_size=int(size),
        source="" if source_name == name else source_name,
    )
