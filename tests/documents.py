"""What README.md and docs/ hold that can be checked or run: fenced blocks, commands, tables."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
DOCUMENTS = tuple(sorted(path.relative_to(CHECKOUT) for path in CHECKOUT.glob("docs/**/*.md")))
EXECUTABLE = (Path("README.md"), *DOCUMENTS)
"""Documents whose commands are checked and run."""

NODE_COMMANDS = (
    "crossbuild node add build@arm1.example.org --slots 4",
    (
        "crossbuild node add arm2.example.org:2222 --name arm2"
        " --fingerprint SHA256:0kEZwYxtWvQ2rN9sJ7aHc5uLbF3oTgMiPq1dXe8yRz4"
    ),
    "crossbuild node prepare arm1.example.org",
    "crossbuild node prepare arm1.example.org --device /dev/nvme1n1 --apply",
    "crossbuild node prepare arm1.example.org --rbd kube/buildcache --rbd-size 1000G",
    'crossbuild node drain arm1.example.org --reason "new memory on Monday"',
    "crossbuild node resume arm1.example.org",
    "crossbuild node remove arm1.example.org",
)
NOT_RUN = {
    "apt-get install --yes git make": "it changes the host; who reads this in a checkout has both",
    "crossbuild boot out/debian12-compute --as ims": "tests/integration/test_boot.py does it",
    "crossbuild builder export --dry-run": "it needs an address that only the reader's host has",
    "crossbuild builder export": "it changes the host; tests/integration/test_export.py does it in private",
    "crossbuild builder export --undo": "it changes the host, too",
    "crossbuild ims upload-recipe recipes/barebones --name barebones-aarch64 --distribution sles15 --dkms": (
        "it needs a recipe of the reader's; tests/integration/test_ims_around.py has one"
    ),
    **dict.fromkeys(
        NODE_COMMANDS, "it needs a host of the reader's; tests/integration/test_node*.py have some"
    ),
    "make demo": "it changes the host; `make test` installs and sets up the same, then builds the example",
    "make test": "it runs this very test",
}
"""Commands that nobody runs for the reader, each with the reason."""

FENCE = re.compile(r"```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"[\w-]+\.\w+")
CONTROL = frozenset("|&;()<>")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: *kind* and *name* are the two words of its info string."""

    document: Path
    kind: str
    name: str
    text: str

    @property
    def is_file(self) -> bool:
        """Whether the reader is told to save it under its name."""
        return bool(FILE.fullmatch(self.name))

    def commands(self) -> list[str]:
        """Return what a reader would type, one complete command each."""
        match self.kind:
            case "console":
                whole = self.text.replace("\\\n", "")
                return [line.removeprefix("$ ") for line in whole.splitlines() if line.startswith("$ ")]
            case "sh":
                return [line for line in self.text.splitlines() if line]
            case "python":
                return [f"python <<'PYTHON'\n{self.text}PYTHON"]
            case _:
                return []


def blocks(document: Path) -> list[Block]:
    """Return the fenced blocks of *document*, a path below the checkout, in their order."""
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    found = []
    for fence in FENCE.finditer(text):
        kind, _, name = fence["info"].partition(" ")
        found.append(Block(document=document, kind=kind, name=name, text=fence["text"]))
    return found


def all_commands() -> list[tuple[Path, str]]:
    """Return every command with its document."""
    return [
        (document, line) for document in EXECUTABLE for block in blocks(document) for line in block.commands()
    ]


def crossbuild_arguments(line: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of crossbuild in a command for a shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    command: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= CONTROL:
            if command[:1] == ["crossbuild"]:
                yield command[1:]
            command = []
        else:
            command.append(word)


def column(document: str, heading: str, number: int = 0) -> list[str]:
    """Return the code words in that column of the table below *heading*, one for each row."""
    text = "\n" + (CHECKOUT / document).read_text(encoding="utf-8")
    section = re.split(r"^#+ ", text.split(f"\n{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    body = section.split("\n|---", 1)[1]
    rows = [line.split(" | ") for line in body.splitlines() if line.startswith("| `")]
    return [row[number].strip("| ").strip("`") for row in rows]
