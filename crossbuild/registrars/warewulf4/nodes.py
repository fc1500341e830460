"""Nodes and profiles of Warewulf 4: their own values in nodes.conf, and the commands that change them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossbuild.model.receipt import ChangedValue
from crossbuild.registrars.actions import Command
from crossbuild.registrars.warewulf4.server import Server

IMAGE, ARGUMENTS, OVERLAYS, MENU = "image", "kernel arguments", "system overlays", "IPXEMenuEntry"

CLIENT, OVERLAY_OF_CLIENT = "wwclient", "wwclient.aarch64"
"""The overlay with a program for the server's own architecture, and the one for aarch64 nodes."""
UNSET = "UNDEF"

SECTIONS = {"node": "nodes", "profile": "nodeprofiles"}
"""Where nodes.conf keeps each kind."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a node or profile is to say."""

    image: str
    arguments: str
    """The kernel's, between blanks; empty to leave them as they are."""
    overlay: str
    """One that restores capabilities, empty if none is needed."""
    client: bool
    """Whether there is an overlay with a client for aarch64."""
    menu: str
    """The entry of the iPXE menu to start, empty for Warewulf's own."""


def own_values(kind: str, name: str, document: Mapping[str, Any], server: Server) -> Mapping[str, str] | None:
    """Return what the node or profile *name* says itself, None where there is none of that name."""
    section = document.get(SECTIONS[kind]) or {}
    if name not in section:
        return None
    own = section[name] or {}
    kernel, tags = own.get("kernel") or {}, own.get("tags") or {}
    return {
        IMAGE: str(own.get(f"{server.word} name") or ""),
        ARGUMENTS: _joined(kernel.get("args"), " "),
        OVERLAYS: _joined(own.get("system overlay"), ","),
        MENU: str(tags.get(MENU) or ""),
    }


def inherited(key: str, name: str, document: Mapping[str, Any], server: Server) -> str:
    """Return what the profiles of the node *name* say of *key*: the last one that says something."""
    node = (document.get("nodes") or {}).get(name) or {}
    said = ""
    for profile in node.get("profiles") or ():
        values = own_values("profile", profile, document, server)
        said = (values or {}).get(key) or said
    return said


def changes_for(
    kind: str, name: str, document: Mapping[str, Any], server: Server, wish: Wish
) -> tuple[ChangedValue, ...]:
    """Return what must change on the node or profile *name*, which is in *document*, to fulfil *wish*."""
    now = own_values(kind, name, document, server)
    assert now is not None
    wanted = {IMAGE: wish.image}
    if wish.arguments:
        wanted[ARGUMENTS] = wish.arguments
    if wish.menu:
        wanted[MENU] = wish.menu
    if overlays := _overlays(now[OVERLAYS], kind, name, document, server, wish):
        wanted[OVERLAYS] = overlays
    return tuple(
        ChangedValue(kind=kind, name=name, key=key, before=now[key], after=value)
        for key, value in wanted.items()
        if now[key] != value
    )


def commands(changes: Iterable[ChangedValue], server: Server, *, back: bool = False) -> Iterator[Command]:
    """Yield the commands that make *changes*, or set them *back*, those with equal ones in one."""
    settings: dict[tuple[str, str], dict[str, str]] = {}
    for change in changes:
        values = settings.setdefault((change.kind, change.name), {})
        values[change.key] = change.before if back else change.after
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (kind, name), values in settings.items():
        emptied = tuple(key for key, value in values.items() if not value)
        given = tuple(
            option for key, value in values.items() if value for option in _options(key, value, server)
        )
        groups.setdefault((kind, given, emptied), []).append(name)
    reason = "It had this before." if back else "The node boots the image from its next start on."
    for (kind, given, emptied), names in groups.items():
        if emptied and server.unsets:
            flags = tuple(_unset_flag(key, server) for key in emptied)
            yield Command(argv=("wwctl", kind, "unset", "--yes", *flags, *names), reason=reason)
        emptying = () if server.unsets else tuple(_emptying(key, server) for key in emptied)
        if options := (*given, *emptying):
            yield Command(argv=("wwctl", kind, "set", "--yes", *options, *names), reason=reason)


def _overlays(own: str, kind: str, name: str, document: Mapping[str, Any], server: Server, wish: Wish) -> str:
    """Return the whole list of the node's or profile's own overlays, empty to leave it as it is."""
    extra = [OVERLAY_OF_CLIENT] if wish.client else []
    extra += [wish.overlay] if wish.overlay else []
    if not extra:
        return ""
    base = own
    if not own and not server.is_new and kind == "node":
        # There, a node's list takes the place of that of its profiles.
        base = inherited(OVERLAYS, name, document, server) or "wwinit"
    kept = [word for word in base.split(",") if word and word != CLIENT and word not in extra]
    # Lists of profiles come before that of the node; what stands behind `~` is taken out of all of them.
    without = [f"~{CLIENT}"] if wish.client and f"~{CLIENT}" not in kept else []
    return ",".join([*kept, *without, *extra])


def _options(key: str, value: str, server: Server) -> tuple[str, ...]:
    if key == ARGUMENTS and server.is_new:
        # A list as CSV: quotes keep the commas inside an argument.
        return tuple(
            f'--kernelargs="{word}"' if "," in word else f"--kernelargs={word}" for word in value.split()
        )
    if key == MENU:
        return (f"--tagadd={MENU}={value}",)
    return (f"--{_option(key, server)}={value}",)


def _emptying(key: str, server: Server) -> str:
    return f"--tagdel={MENU}" if key == MENU else f"--{_option(key, server)}={UNSET}"


def _unset_flag(key: str, server: Server) -> str:
    return f"--tag={MENU}" if key == MENU else f"--{_option(key, server)}"


def _option(key: str, server: Server) -> str:
    overlays = "system-overlays" if server.is_new else "wwinit"
    return {IMAGE: server.word, ARGUMENTS: "kernelargs", OVERLAYS: overlays}[key]


def _joined(value: object, separator: str) -> str:
    words: Sequence[object] = value if isinstance(value, list) else [value] if value else []
    return separator.join(str(word) for word in words)
