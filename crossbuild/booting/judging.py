"""From what a machine told of itself to checks that hold or do not; pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence

from crossbuild.formats.capability import to_text
from crossbuild.model.boot import BootCheck, CheckResult, Expected

KEYWORD = b"SCHILY.xattr.security.capability="
"""How GNU tar names the attribute in a header of pax (tar(1), `--xattrs`)."""
CAPABILITY_SIZES = (20, 24)
"""Bytes of `struct vfs_cap_data` and `struct vfs_ns_cap_data` (linux/capability.h)."""

LOG_LINES = 4
"""As many as the probe sends for a unit: the first are its own words, the last are systemd's about them."""

Facts = Sequence[tuple[str, str]]


def judge(expected: Expected, facts: Facts, *, pub_digest: str | None = None) -> tuple[BootCheck, ...]:
    """Return every check of a machine whose probe told *facts*.

    *pub_digest* is the SHA-256 of the file that was to be read from the exported tree, empty where that holds
    no file; None where no tree was to be mounted.
    """
    checks = [
        _equal("architecture", expected.architecture, _one(facts, "machine")),
        _equal("kernel", expected.kernel, _one(facts, "kernel")),
        _target(_one(facts, "target")),
        _failed_units(facts),
        *_services(expected.services, _by_key(facts, "service")),
    ]
    if expected.capabilities:
        checks.append(_capabilities(expected, _by_key(facts, "capability")))
    if expected.accounts:
        checks.append(_accounts(expected, _by_key(facts, "account")))
    checks.append(_network(_one(facts, "network")))
    if pub_digest is not None:
        checks.append(_pub(_one(facts, "pub"), pub_digest))
    checks += _commands(expected.commands, _by_key(facts, "command"))
    return tuple(checks)


def _check(name: str, *, good: bool, found: str) -> BootCheck:
    return BootCheck(check=name, result=CheckResult.OK if good else CheckResult.FAILED, found=found)


def _skipped(name: str, reason: str) -> BootCheck:
    return BootCheck(check=name, result=CheckResult.SKIPPED, found=reason)


def _one(facts: Facts, word: str) -> str:
    return next((value for known, value in facts if known == word), "")


def _by_key(facts: Facts, word: str) -> dict[str, str]:
    found = (value.partition(" ") for known, value in facts if known == word)
    return {key: value for key, _, value in found}


def _equal(name: str, wanted: str, found: str) -> BootCheck:
    if not wanted:
        return _skipped(name, f"{found}; the record does not say what it must be")
    return _check(name, good=found == wanted, found=found if found == wanted else f"{found}, not {wanted}")


def _target(found: str) -> BootCheck:
    name, _, state = found.partition(" ")
    return _check("default target", good=state == "active", found=f"{name} is {state or 'not known'}")


def _failed_units(facts: Facts) -> BootCheck:
    units = [value for word, value in facts if word == "failed"]
    reasons = [value for word, value in facts if word == "log"]
    found = "; ".join([", ".join(units), *reasons[:LOG_LINES]]) if units else "none"
    return _check("failed units", good=not units, found=found)


def _services(names: Sequence[str], told: dict[str, str]) -> Iterator[BootCheck]:
    for name in names:
        state = dict(word.partition("=")[::2] for word in told.get(name, "").split())
        active = state.get("ActiveState", "not known")
        once = state.get("Type") == "oneshot" and state.get("Result") == "success"
        if active == "inactive" and state.get("ConditionResult") == "no":
            yield _check(f"service {name}", good=True, found="inactive, since its condition is not met")
        elif active == "inactive" and once:
            yield _check(f"service {name}", good=True, found="has done its work")
        else:
            yield _check(f"service {name}", good=active == "active", found=active)


def _capabilities(expected: Expected, told: dict[str, str]) -> BootCheck:
    wrong = []
    for index, (path, value) in enumerate(expected.capabilities):
        found = capability_in(told.get(str(index), ""))
        if found is None:
            return _skipped("file capabilities", f"{path} cannot be asked: the image has no GNU tar")
        if found != value:
            wrong.append(f"{path} has {_named(found)}, not {_named(value)}")
    count = len(expected.capabilities)
    return _check(
        "file capabilities",
        good=not wrong,
        found="; ".join(wrong) or f"all {count} are as recorded",
    )


def capability_in(encoded: str) -> bytes | None:
    """Return the file capability in the beginning of a tar in base64, empty if none; None for no tar."""
    try:
        header = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    if not header:
        return None
    _, keyword, rest = header.partition(KEYWORD)
    if not keyword:
        return b""
    # The record's length stands before its keyword (pax(1), "pax Extended Header").
    length = int(header[: header.index(KEYWORD)].rsplit(b"\n", 1)[-1].rsplit(b"\0", 1)[-1].strip())
    return rest[: length - len(str(length)) - 1 - len(KEYWORD) - 1]


def _named(value: bytes) -> str:
    return to_text(value) if len(value) in CAPABILITY_SIZES else "none"


def _accounts(expected: Expected, told: dict[str, str]) -> BootCheck:
    wrong = []
    for name, uid, gid, group in expected.accounts:
        # passwd(5), then the name of the group.
        fields = told.get(name, "").split(":")
        found = ":".join(fields[2:4])
        own_group = told.get(name, "").rpartition(" ")[2]
        if found != f"{uid}:{gid}" or own_group != group:
            wrong.append(
                f"{name} has {found or 'no ids'} and group {own_group or '-'}, not {uid}:{gid} {group}"
            )
    return _check(
        "users", good=not wrong, found="; ".join(wrong) or ", ".join(one[0] for one in expected.accounts)
    )


def _network(found: str) -> BootCheck:
    device, _, answer = found.partition(" ")
    if device in {"none", ""}:
        return _check("network", good=False, found="no device has a default route")
    if answer != "reached":
        return _check("network", good=False, found=f"{device} has a route, but the server is not reached")
    return _check("network", good=True, found=f"{device} has a route, and the server is reached")


def _pub(found: str, digest: str) -> BootCheck:
    state, _, rest = found.partition(" ")
    if state != "mounted":
        return _check("exported tree", good=False, found=rest or "not mounted")
    if not digest:
        return _check("exported tree", good=True, found="mounted; it holds no file to read")
    good = rest.split()[:1] == [digest]
    return _check("exported tree", good=good, found="mounted, and a file read" if good else rest)


def _commands(commands: Sequence[str], told: dict[str, str]) -> Iterator[BootCheck]:
    for index, command in enumerate(commands):
        status, _, said = told.get(str(index), "").partition(" ")
        found = f"status {status or 'not known'}" + (f": {said}" if said else "")
        yield _check(f"command {command}", good=status == "0", found=found)
