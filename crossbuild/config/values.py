"""Values of specs and configurations: what a text must be like, told in words where it is not."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from crossbuild.model.builder import Mount
from crossbuild.model.spec import is_name

PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]+(:[a-z0-9]+)?(=[A-Za-z0-9.+~^_:-]+)?")
ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]+")
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.-]*")
SLURM_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,:&|!@*()\[\]+-]*|\[[A-Za-z0-9_.,:&|!@*()\[\]+-]*|")
SLURM_OPTION = re.compile(r"--[a-z][a-z0-9-]*(=[^\s'\"]+)?")
FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError(
            "must be 1 to 64 letters, digits, `_`, `.` or `-`, begin with a letter or digit, and hold no `..`"
            " (Warewulf, IMS and file names all allow this)"
        )
    return value


def _package(value: str) -> str:
    if not PACKAGE.fullmatch(value):
        raise ValueError(f"{value!r} is not a package name")
    return value


def _account(value: str) -> str:
    if not ACCOUNT.fullmatch(value):
        raise ValueError(f"{value!r} is not an account name")
    return value


def _unit(value: str) -> str:
    if not UNIT.fullmatch(value):
        raise ValueError(f"{value!r} is not a unit name")
    return value


def _repository(value: str) -> str:
    if not REPOSITORY.fullmatch(value):
        raise ValueError(f"{value!r} is not the id of a repository")
    return value


def _fingerprint(value: str) -> str:
    fingerprint = value.replace(" ", "").upper()
    if not FINGERPRINT.fullmatch(fingerprint):
        raise ValueError("must be the whole fingerprint of a key, as `gpg --show-keys` prints it")
    return fingerprint


def _inside(value: str) -> str:
    path = PurePosixPath(value)
    if not path.is_absolute() or ".." in path.parts or _has_control(value):
        raise ValueError("must be an absolute path inside the image, without `..` or control characters")
    return str(path)


def _mode(value: str) -> str:
    if not re.fullmatch(r"0?[0-7]{3,4}", value):
        raise ValueError("must be an octal mode in quotes, such as '0644'")
    return value


def _one_field(value: str) -> str:
    if not value or re.search(r"\s", value):
        raise ValueError("must not be empty or hold white space: it becomes a field of fstab(5)")
    return value


def _url(value: str) -> str:
    found = urlsplit(value)
    if found.scheme not in {"http", "https"} or not found.hostname or re.search(r"\s", value):
        raise ValueError("must be a URL that begins with https:// or http://")
    if found.username is not None or found.query or found.fragment:
        raise ValueError("must be a URL without a user name, a query or a fragment")
    return value.rstrip("/")


def _absolute(value: Path) -> Path:
    if not value.is_absolute():
        raise ValueError("must be an absolute path")
    return value


def _one_line(value: str) -> str:
    if _has_control(value):
        raise ValueError("must be one line without control characters")
    return value


def _mount(value: str) -> str:
    Mount.parse(value)
    return value


def _slurm_word(value: str) -> str:
    # An expression of features may hold nearly anything else (sbatch(1), --constraint).
    if not SLURM_WORD.fullmatch(value):
        raise ValueError("must be one word without white space or quotes, as sbatch(1) takes it")
    return value


def _slurm_option(value: str) -> str:
    if not SLURM_OPTION.fullmatch(value):
        raise ValueError("must be one option of sbatch(1) with its value, such as `--qos=builds`")
    return value


def _has_control(value: str) -> bool:
    return any(ord(character) < 32 or ord(character) == 127 for character in value)


ImageName = Annotated[str, AfterValidator(_name)]
PackageName = Annotated[str, AfterValidator(_package)]
AccountName = Annotated[str, AfterValidator(_account)]
UnitName = Annotated[str, AfterValidator(_unit)]
RepositoryId = Annotated[str, AfterValidator(_repository)]
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
InsidePath = Annotated[str, AfterValidator(_inside)]
Mode = Annotated[str, AfterValidator(_mode)]
Word = Annotated[str, AfterValidator(_one_field)]
MountText = Annotated[str, AfterValidator(_mount)]
Line = Annotated[str, AfterValidator(_one_line)]
Url = Annotated[str, AfterValidator(_url)]
SlurmWord = Annotated[str, AfterValidator(_slurm_word)]
SlurmOption = Annotated[str, AfterValidator(_slurm_option)]
BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
# Not strict: YAML has text where a path is meant.
AbsolutePath = Annotated[Path, Field(strict=False), AfterValidator(_absolute)]


class Section(BaseModel):
    """Part of a file: unknown keys are errors, and nothing is converted to make it fit."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
