"""Secrets from files that only their owner can read. They never leave this process but by TLS or signed."""

from __future__ import annotations

import configparser
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from crossbuild.errors import HostNotReadyError

LONGEST = 1 << 16
"""Bytes; no secret is as long as a file named by mistake."""
PROFILE = "default"


@dataclass(frozen=True, kw_only=True)
class S3Keys:
    """What signs requests to S3."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    """Of the temporary keys that the site's STS hands out; else empty."""


def read_secret(path: Path) -> str:
    """Return the text in *path*; raise HostNotReadyError if it cannot be read, or others can read it."""
    try:
        with path.open("rb") as file:
            _refuse_shared(path, os.fstat(file.fileno()))
            text = file.read(LONGEST).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise HostNotReadyError(
            f"The secret in {path} cannot be read.",
            details=str(error),
            resolution="Put it there, or correct the path under `provisioners.ims` in the configuration.",
        ) from error
    if not text:
        raise HostNotReadyError(f"{path} is empty.", resolution="Put the secret there.")
    return text


def read_s3_keys(path: Path) -> S3Keys:
    """Return the keys of the profile `default` in *path*, a file as the AWS tools keep it."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_secret(path))
        profile = parser[PROFILE]
        return S3Keys(
            access_key=profile["aws_access_key_id"],
            secret_key=profile["aws_secret_access_key"],
            session_token=profile.get("aws_session_token", ""),
        )
    except (configparser.Error, KeyError):
        # Without its cause: what configparser says quotes the line.
        raise HostNotReadyError(
            f"{path} is no file of S3 keys.",
            details=f"It needs a section [{PROFILE}] with `aws_access_key_id` and `aws_secret_access_key`.",
            resolution="Write it as `aws configure` would.",
        ) from None


def _refuse_shared(path: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise HostNotReadyError(
            f"Others than its owner can use the secret in {path}.",
            details=f"Its mode is {mode:04o}.",
            resolution=f"Run `chmod 600 {path}`, and change the secret if others may have read it.",
        )
    if status.st_uid not in {0, os.geteuid()}:
        raise HostNotReadyError(
            f"The secret in {path} belongs to another user.",
            details=f"Its owner is {status.st_uid}, and this process runs as {os.geteuid()}.",
            resolution=f"Run `chown {os.geteuid()} {path}`.",
        )
