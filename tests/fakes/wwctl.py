"""A `wwctl` for tests: it keeps nodes.conf, images and overlays as the real one does, and fails as quietly.

What is imitated, after warewulf's own source: the words `container` before 4.6 and `image` since, names that
must be new, trees unpacked from a docker-archive, accounts made like those of the host, built images beside,
lists as CSV, `UNDEF` and, in 4.7, `unset`.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

import yaml

PREFIX = Path(os.environ["FAKE_WAREWULF4"])
NODES = PREFIX / "etc/warewulf/nodes.conf"
CHROOTS, PROVISION = PREFIX / "var/chroots", PREFIX / "var/provision"
OVERLAYS = PREFIX / "var/overlays"

Options = dict[str, list[str]]


def version() -> tuple[int, ...]:
    return tuple(map(int, (PREFIX / "version").read_text().split(".")))


WORD = "image" if version() >= (4, 6) else "container"


def main(arguments: list[str]) -> int:
    with (PREFIX / "calls").open("a") as calls:
        calls.write(f"{' '.join(arguments)}\n")
    if arguments == ["version"]:
        print(f"wwctl version:\t {'.'.join(map(str, version()))}-1")
        return 0
    if arguments == ["node", "--help"]:
        print("Available Commands:\n  set   Set\n" + ("  unset Unset\n" if version() >= (4, 7) else ""))
        return 0
    options: Options = {}
    for word in arguments:
        if word.startswith("--"):
            key, _, value = word[2:].partition("=")
            options.setdefault(key, []).append(value)
    module, command, *targets = (word for word in arguments if not word.startswith("--"))
    if module not in {WORD, "node", "profile", "overlay"}:
        print(f'Error: unknown command "{module}" for "wwctl"', file=sys.stderr)
        return 1
    if (PREFIX / f"deaf-{module}-{command}").exists():
        print("ERROR  : something went wrong", file=sys.stderr)
        return 0
    status = MODULES.get(module, image_module)(module, command, targets, options)
    if (PREFIX / f"killed-{module}-{command}").exists():
        os.kill(os.getppid(), 9)
    return status


def refuse(text: str) -> int:
    print(f"ERROR  : {text}", file=sys.stderr)
    return 1


def image_module(module: str, command: str, targets: list[str], options: Options) -> int:
    match command:
        case "list":
            return list_images(module, with_size="size" in options)
        case "show":
            return show_image(targets[0])
        case "import":
            return import_image(targets[0], targets[1], options)
        case "build":
            (PROVISION / "images").mkdir(parents=True, exist_ok=True)
            (PROVISION / "images" / f"{targets[0]}.img").write_bytes(b"070701")
            return 0
        case "delete":
            shutil.rmtree(CHROOTS / targets[0])
            if version() >= (4, 6):
                (PROVISION / "images" / f"{targets[0]}.img").unlink(missing_ok=True)
            return 0
    return refuse(f"unknown command {command}")


def list_images(module: str, *, with_size: bool) -> int:
    print(f"{module.upper()} NAME  NODES  SIZE" if with_size else f"{module.upper()} NAME")
    for folder in sorted(path.parent for path in CHROOTS.glob("*/rootfs")):
        built = PROVISION / "images" / f"{folder.name}.img"
        size = built.stat().st_size if built.exists() else 0
        print(f"{folder.name}  0  {size} B" if with_size else f"{folder.name}  ")
    return 0


def show_image(name: str) -> int:
    rootfs = CHROOTS / name / "rootfs"
    if not rootfs.is_dir():
        return refuse(f"{name} is not a valid image")
    print(rootfs)
    return 0


def import_image(source: str, name: str, options: Options) -> int:
    rootfs = CHROOTS / name / "rootfs"
    if ":" in source or not re.fullmatch(r"[\w\-.:]+", name):
        return refuse("illegal characters")
    if rootfs.parent.exists():
        return refuse("image name exists, specify --force, --update, or choose a different name")
    if (PREFIX / "begun-import").exists():
        rootfs.parent.mkdir()
        os.kill(os.getppid(), 9)
        return 0
    rootfs.mkdir(parents=True)
    if (PREFIX / "half-import").exists():
        os.kill(os.getppid(), 9)
        return 0
    with tarfile.open(source) as archive:
        layer = archive.extractfile("layer.tar")
        assert layer is not None
        with tarfile.open(fileobj=layer) as tree:
            tree.extractall(rootfs, filter="fully_trusted")
    if (PREFIX / "wrong-arch").exists():
        shell = rootfs / "bin/sh"
        content = shell.read_bytes()
        shell.write_bytes(content[:18] + (62).to_bytes(2, "little") + content[20:])
    if (PREFIX / "other-ids").exists():
        passwd = rootfs / "etc/passwd"
        passwd.write_text(passwd.read_text().replace("root:x:0:", "root:x:4242:"))
    if "syncuser" in options and not (PREFIX / "no-sync").exists():
        synchronize(rootfs)
    return 0


def synchronize(rootfs: Path) -> None:
    for file in ("etc/passwd", "etc/group"):
        if not (rootfs / file).exists():
            continue
        host = {line.split(":")[0]: line.split(":")[2] for line in Path("/", file).read_text().splitlines()}
        rows = [line.split(":") for line in (rootfs / file).read_text().splitlines()]
        text = "\n".join(":".join([*row[:2], host.get(row[0], row[2]), *row[3:]]) for row in rows)
        (rootfs / file).write_text(f"{text}\n")


def overlay_module(_: str, command: str, targets: list[str], options: Options) -> int:
    folder = OVERLAYS / targets[0] if targets else OVERLAYS
    match command:
        case "list":
            print("OVERLAY NAME        FILES/DIRS  SITE")
            for overlay in sorted(OVERLAYS.iterdir()):
                print(f"{overlay.name:<19} 0           false")
        case "create":
            folder.mkdir()
        case "mkdir":
            (folder / targets[1].lstrip("/")).mkdir(parents=True)
        case "import":
            shutil.copyfile(targets[1], folder / targets[2].lstrip("/"))
        case "chmod":
            (folder / targets[1].lstrip("/")).chmod(int(targets[2], 8))
        case "show":
            print((folder / targets[1].lstrip("/")).read_text())
        case "delete":
            shutil.rmtree(folder)
        case "build":
            (PREFIX / "built-overlays").write_text(" ".join(targets))
    return 0


def words(values: list[str]) -> list[str]:
    return [word for value in values for word in next(csv.reader(io.StringIO(value)))]


def node_module(module: str, command: str, targets: list[str], options: Options) -> int:
    document: dict[str, Any] = yaml.safe_load(NODES.read_text())
    section = document["nodes" if module == "node" else "nodeprofiles"]
    if any(name not in section for name in targets):
        return refuse("no such node")
    if "yes" not in options:
        print("Are you sure?")
        return 0
    for name in targets:
        entry = section[name] = section[name] or {}
        for key, values in options.items():
            change(entry, key, values, unset=command == "unset")
    NODES.write_text(yaml.safe_dump(document))
    return 0


def change(entry: dict[str, Any], key: str, values: list[str], *, unset: bool) -> None:
    gone = unset or values == ["UNDEF"]
    lists = version() >= (4, 6)
    overlays = "system-overlays" if lists else "wwinit"
    tags = entry.setdefault("tags", {})
    kernel = entry.setdefault("kernel", {})
    if key == WORD:
        put(entry, f"{WORD} name", None if gone else values[0])
    elif key == overlays:
        put(entry, "system overlay", None if gone else words(values))
    elif key == "kernelargs":
        put(kernel, "args", None if gone else words(values) if lists else values[0])
    elif key == "tagadd":
        name, _, value = values[0].partition("=")
        tags[name] = value
    elif key in {"tagdel", "tag"}:
        tags.pop(values[0])
    for name in ("tags", "kernel"):
        if not entry[name]:
            del entry[name]


def put(place: dict[str, Any], key: str, value: object) -> None:
    if value is None:
        place.pop(key, None)
    else:
        place[key] = value


MODULES = {"overlay": overlay_module, "node": node_module, "profile": node_module}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
