"""Unpacks packages without installing them: none of their scripts runs."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from crossbuild.host import command
from crossbuild.host.programs import Programs


def extract(
    archives: Iterable[Path], wanted: Collection[str], folder: Path, programs: Programs
) -> dict[str, Path]:
    """Unpack those of *archives* that are packages of *wanted* below *folder*; return folders by name."""
    unpacked: dict[str, Path] = {}
    for archive in sorted(archives):
        query = ["rpm", "--query", "--package", "--nosignature", "--queryformat=%{NAME}", str(archive)]
        name = command.capture(programs.argv(query)).stdout
        if name in wanted and name not in unpacked:
            unpacked[name] = folder / name
            _unpack(archive, unpacked[name], programs)
    return unpacked


def _unpack(archive: Path, target: Path, programs: Programs) -> None:
    target.mkdir()
    payload = target.with_name(f"{target.name}.cpio")
    with (
        command.output_of(programs.argv(["rpm2cpio", "-"]), stdin=archive) as stream,
        payload.open("wb") as file,
    ):
        shutil.copyfileobj(stream, file)
    command.capture(
        [
            "cpio",
            "--extract",
            "--quiet",
            "--make-directories",
            "--no-absolute-filenames",
            "--preserve-modification-time",
            f"--directory={target}",
            f"--file={payload}",
        ]
    )
    payload.unlink()
