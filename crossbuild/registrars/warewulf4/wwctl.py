"""What `wwctl` tells: names of images and overlays, and where an image's tree is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from crossbuild.registrars.actions import Transcript

NAME = "A-Za-z0-9_.-"
"""Of an image or overlay; Warewulf also takes `:`, which archives and folders do not."""
NODE = "A-Za-z0-9_.-"
"""Of a node or profile: brackets and commas would be patterns that match others, too."""

_HEADER = re.compile(r"\bNAME\b")


class Wwctl:
    """Asks `wwctl`, and remembers what it complained about."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self.transcript = Transcript("Warewulf 4")

    def names(self, kind: str) -> frozenset[str]:
        """Return what `wwctl KIND list` lists: of `image` (or `container`) and `overlay`."""
        return frozenset(_first_words(self.transcript.ask(("wwctl", kind, "list")).stdout))

    def rootfs(self, word: str, name: str) -> Path | None:
        """Return the tree of the image *name*, None where there is none."""
        told = self.transcript.ask(("wwctl", word, "show", name)).stdout.split()
        folder = next((Path(text) for text in reversed(told) if text.startswith("/")), None)
        return folder if folder and folder.is_dir() else None

    def overlay_file(self, overlay: str, path: str) -> str:
        """Return the content of the file *path* of an overlay, as `wwctl` shows it."""
        return self.transcript.ask(("wwctl", "overlay", "show", overlay, path)).stdout


def _first_words(text: str) -> Iterator[str]:
    """Yield the first word of each row of a table: its frame differs between versions."""
    for line in text.splitlines():
        words = line.replace("|", " ").split()
        if words and not _HEADER.search(line) and not set(words[0]) <= set("-+="):
            yield words[0]
