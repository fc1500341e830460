"""Which command lines change packages: a guess from their words, which `--changes` overrules."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from crossbuild.builders import suspects
from crossbuild.builders.suspects import PREFIXES, SHELLS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, kw_only=True)
class Verbs:
    """When a package manager changes something."""

    verbs: frozenset[str] = frozenset()
    """Its first word that is no option."""
    options: frozenset[str] = frozenset()
    letters: str = ""
    """Options of one letter, which may stand joined with others: `U` of `rpm -Uvh`."""
    harmless: frozenset[str] = frozenset()
    """Options that keep it from changing anything, whatever else is there."""
    queries: str = ""
    """The same, of one letter: `q` of `rpm -qi`."""
    valued: frozenset[str] = frozenset()
    """Options whose value is the next word, which is no verb."""


QUERIES = _words("list info summary provides")
"""Behind a verb that has verbs of its own, such as `dnf group list`."""

APT = Verbs(
    verbs=_words(
        "install reinstall remove purge update upgrade full-upgrade dist-upgrade safe-upgrade autoremove "
        "autopurge build-dep satisfy dselect-upgrade"
    ),
    harmless=_words("-s --simulate --just-print --dry-run --recon --no-act --print-uris -d --download-only"),
    valued=_words(
        "-o --option -c --config-file -t --target-release --default-release -a --host-architecture"
    ),
)
DNF = Verbs(
    verbs=_words(
        "install reinstall remove erase autoremove update update-to upgrade upgrade-to upgrade-minimal "
        "update-minimal downgrade swap distro-sync distribution-synchronization builddep localinstall "
        "localupdate localreinstall group groups grp groupinstall groupupdate groupremove grouperase "
        "module history shell in rei rm up dg dsync"
    ),
    harmless=_words("--assumeno --downloadonly --help -h --version"),
    valued=_words(
        "-c --config -x --exclude --excludepkgs --enablerepo --disablerepo --repo --repoid --setopt "
        "--installroot --releasever --forcearch -d --debuglevel -e --errorlevel --comment"
    ),
)
ZYPPER = Verbs(
    verbs=_words(
        "install in remove rm update up patch dist-upgrade dup install-new-recommends inr source-install si "
        "verify ve shell sh purge-kernels"
    ),
    harmless=_words("--dry-run -D --download-only -d --help -h"),
    valued=_words(
        "-c --config --root -R --installroot --reposd-dir --cache-dir -C --releasever -p --plus-repo"
    ),
)
RPM = Verbs(
    letters="iUFe",
    options=_words(
        "--install --upgrade --freshen --erase --reinstall --import --rebuilddb --initdb --restore "
        "--setperms --setugids --setcaps"
    ),
    harmless=_words("--query --verify --checksig --test --help --version --eval --showrc"),
    queries="qVKE",
)
DPKG = Verbs(
    letters="irP",
    options=_words(
        "--install --unpack --configure --remove --purge --triggers-only --set-selections --clear-selections "
        "--add-architecture --remove-architecture --update-avail --merge-avail --clear-avail"
    ),
    harmless=_words("--dry-run --no-act --simulate --help --version"),
    queries="lLsSpcIxXfW",
)
PIP = Verbs(verbs=_words("install uninstall"), harmless=_words("--dry-run --help"))

MANAGERS: Mapping[str, Verbs] = {
    **dict.fromkeys(suspects.APT, APT),
    **dict.fromkeys(suspects.DNF, DNF),
    **dict.fromkeys(suspects.ZYPPER, ZYPPER),
    **dict.fromkeys(suspects.RPM, RPM),
    **dict.fromkeys(suspects.DPKG, DPKG),
    **dict.fromkeys(suspects.PIP, PIP),
}
"""By the file name of the program."""
_SEPARATORS = re.compile(r"[;&|\n(){}`]|\b(?:if|then|else|elif|do|while|until)\b|!\s")


def changes_packages(argv: Sequence[str]) -> bool:
    """Say whether the command line *argv* probably changes packages; one that nobody knows does not."""
    words = list(argv)
    if words and PurePosixPath(words[0]).name in PREFIXES:
        known = (index for index, word in enumerate(words) if _is_known(word))
        words = words[next(known, len(words)) :]
    if not words:
        return False
    name = PurePosixPath(words[0]).name
    if name in SHELLS:
        return _script_changes(words[1:])
    return name in MANAGERS and _changes(MANAGERS[name], words[1:])


def _is_known(word: str) -> bool:
    name = PurePosixPath(word).name
    return name in MANAGERS or name in SHELLS


def _script_changes(words: Sequence[str]) -> bool:
    """Look for package managers in the script of `sh -c SCRIPT`."""
    flags = [index for index, word in enumerate(words) if re.fullmatch(r"-[a-z]*c[a-z]*", word)]
    script = words[flags[0] + 1] if flags and len(words) > flags[0] + 1 else ""
    return any(changes_packages(_split(part)) for part in _SEPARATORS.split(script))


def _split(command: str) -> list[str]:
    try:
        words = shlex.split(command, comments=True)
    except ValueError:
        # A quotation that goes on behind the separator.
        words = command.split()
    while words and re.match(r"[A-Za-z_]\w*=", words[0]):
        words.pop(0)
    return words


def _changes(verbs: Verbs, words: Sequence[str]) -> bool:
    options = [word for word in words if word.startswith("-")]
    if any(option.split("=", 1)[0] in verbs.harmless or _has(option, verbs.queries) for option in options):
        return False
    if any(option in verbs.options or _has(option, verbs.letters) for option in options):
        return True
    first, second = _first_two(verbs, words)
    return first in verbs.verbs and second not in QUERIES


def _has(option: str, letters: str) -> bool:
    return option[1:2] != "-" and any(letter in option[1:] for letter in letters)


def _first_two(verbs: Verbs, words: Sequence[str]) -> tuple[str, str]:
    """Return the verb and the word behind it, empty where there is none."""
    plain = [
        word
        for before, word in zip(("", *words), words, strict=False)
        if not word.startswith("-") and before not in verbs.valued
    ]
    return (*plain, "", "")[0], (*plain, "", "")[1]
