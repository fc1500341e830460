"""A `wwsh` for tests: it keeps state in files and lies as the real one does.

What is imitated, after warewulf3's own source: exit statuses that tell nothing, names that are overwritten
without asking, the architecture of the host where nobody says another, `jsondump` only after 3.8, bootstraps
that are merged with an initramfs of their architecture or, without one, not built, certificates that must be
there from 3.10 on, images kept as files that are built only by a second command, and iPXE files that change
with nodes only.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

HOST_ARCH = "x86_64"
NODE_KEYS = ("ID", "NAME", "ARCH", "ENABLED", "eth0.HWADDR")
PROVISION_KEYS = ("BOOTSTRAP", "VNFS", "KARGS")
PREFIX = Path(os.environ["FAKE_WAREWULF3"])
ETC, STATE = PREFIX / "etc/warewulf", PREFIX / "state/warewulf"
DATABASE = PREFIX / "database.json"

Object = dict[str, Any]


def main(arguments: list[str]) -> int:
    with (PREFIX / "calls").open("a") as calls:
        calls.write(f"{' '.join(arguments)}\n")
    if (PREFIX / "broken").exists():
        print("ERROR:  Failed initialization of the data store!", file=sys.stderr)
        return 1
    given = (word.removeprefix("--").partition("=") for word in arguments if word[0] == "-")
    options = {name: value for name, _, value in given}
    module, command, *targets = (word for word in arguments if word[0] != "-")
    if (PREFIX / f"deaf-{module}-{command}").exists():
        print("ERROR:  There was an error!", file=sys.stderr)
        return 0
    database = json.loads(DATABASE.read_text())
    status: int = MODULES[module](database, command, targets, options)
    DATABASE.write_text(json.dumps(database, indent=1))
    if (PREFIX / f"killed-{module}-{command}").exists():
        os.kill(os.getppid(), 9)
    return status


def version() -> str:
    return (PREFIX / "version").read_text().strip()


def configured(name: str, key: str, default: str) -> str:
    text = (ETC / name).read_text() if (ETC / name).exists() else ""
    found = re.search(rf"^{key}\s*=\s*(.*)$", text, re.MULTILINE)
    return found[1] if found else default


def images(database: Object, kind: str) -> dict[str, Object]:
    return {name: item for name, item in database["objects"].items() if item["_TYPE"] == kind}


def image_module(kind: str) -> Any:
    def run(database: Object, command: str, targets: list[str], options: dict[str, str]) -> int:
        known = {item["NAME"]: key for key, item in images(database, kind).items()}
        if command == "import":
            return import_image(database, kind, Path(targets[0]), options)
        if not (found := [known[name] for name in targets if name in known]):
            print(f"WARNING:  No {kind} images found", file=sys.stderr)
            return 1
        for key in found:
            item = database["objects"][key]
            if command == "delete":
                delete_image(database, kind, key)
            elif command == "set":
                item["ARCH"] = options["arch"]
            if command in {"set", "rebuild"} and kind == "bootstrap":
                build_bootstrap(item)
        return 1 if command == "set" else 0

    return run


def import_image(database: Object, kind: str, path: Path, options: dict[str, str]) -> int:
    if not re.fullmatch(r"[A-Za-z0-9_./-]+", str(path)) or not path.is_file():
        print(f"ERROR:  {kind} not Found: {path}", file=sys.stderr)
        return 1
    name = options.get("name") or path.stem
    arch = options.get("arch") or HOST_ARCH
    if not re.fullmatch(r"\w+", arch):
        print("ERROR:  Invalid value for arch", file=sys.stderr)
        arch = HOST_ARCH
    known = {item["NAME"]: key for key, item in images(database, kind).items()}
    if name in known:
        item = database["objects"][known[name]]
    else:
        database["next"] += 1
        item = {"_ID": str(database["next"]), "_TYPE": kind, "NAME": name, "ARCH": arch}
        database["objects"][f"{kind} {name}"] = item
        DATABASE.write_text(json.dumps(database))
    if (PREFIX / f"half-{kind}").exists():
        os.kill(os.getppid(), 9)
        return 0
    content = path.read_bytes()
    store = PREFIX / "binaries" / item["_ID"]
    store.parent.mkdir(exist_ok=True)
    store.write_bytes(content[:-1] if (PREFIX / f"short-{kind}").exists() else content)
    item["SIZE"] = str(store.stat().st_size)
    item["CHECKSUM"] = hashlib.md5(store.read_bytes()).hexdigest()
    if kind == "vnfs":
        print(f"VNFS '{name}' has been imported")
    elif configured("database.conf", "binstore kind", "database") == "filesystem":
        print("ERROR:  Could not locate the kernel within the bootstrap", file=sys.stderr)
    else:
        build_bootstrap(item)
    return 0


def build_bootstrap(item: Object) -> None:
    print(f"Integrating the Warewulf bootstrap: {item['NAME']}")
    folder = STATE / "initramfs" / item["ARCH"]
    if not folder.is_dir():
        print("WARNING:  Could not locate the initramfs directory", file=sys.stderr)
        return
    certificates = configured("provision.conf", "cacert", "/etc/pki/tls/certs/ca-bundle.crt")
    if version().startswith("3.10") and not Path(certificates).is_file():
        print(f"ERROR:  Could not find the CA certificates {certificates}", file=sys.stderr)
        return
    target = STATE / "bootstrap" / item["ARCH"] / item["_ID"]
    target.mkdir(parents=True, exist_ok=True)
    (target / "kernel").write_bytes(packed_kernel((PREFIX / "binaries" / item["_ID"]).read_bytes()))
    (target / "initfs.gz").write_bytes(gzip.compress((folder / "base").read_bytes()))
    (target / "cookie").write_text(item["CHECKSUM"])


def packed_kernel(bootstrap: bytes) -> bytes:
    archive, at = gzip.decompress(bootstrap), 0
    while True:
        size, name_size = (int(archive[at + 6 + 8 * field : at + 14 + 8 * field], 16) for field in (6, 11))
        name = archive[at + 110 : at + 110 + name_size - 1]
        start = at + (110 + name_size + 3) // 4 * 4
        if name.removeprefix(b"./") == b"kernel":
            return archive[start : start + size]
        at = start + (size + 3) // 4 * 4


def delete_image(database: Object, kind: str, key: str) -> None:
    item = database["objects"].pop(key)
    folder = STATE / "bootstrap" / item["ARCH"] / item["_ID"]
    for path in folder.glob("*") if kind == "bootstrap" else ():
        path.unlink()
    if folder.is_dir() and kind == "bootstrap":
        folder.rmdir()
    if configured("database.conf", "binstore kind", "database") != "filesystem":
        (PREFIX / "binaries" / item["_ID"]).unlink(missing_ok=True)


def object_module(database: Object, command: str, targets: list[str], options: dict[str, str]) -> int:
    everything = images(database, options["type"]).values()
    found = [item for item in everything if not targets or item["NAME"] in targets]
    if not found:
        print("WARNING:  No matching objects found.", file=sys.stderr)
        return 1
    if command == "jsondump" and not version().startswith("3.8"):
        print(json.dumps(found))
        return 0
    fields = options.get("print", "name,_type").split(",")
    header = "".join(f"{field.upper():<26} " for field in fields)
    print(f"{header}\n{'=' * len(header)}")
    for item in found:
        print("".join(f"{item.get(field.upper(), 'UNDEF'):<26} " for field in fields))
    return 1


def node_module(database: Object, command: str, targets: list[str], options: dict[str, str]) -> int:
    found = [name for name in database["nodes"] if not targets or name in targets]
    if not found:
        print("No nodes found")
        return 1
    for name in found:
        node = database["nodes"][name]
        if command == "set":
            set_value(node, "ARCH", options["arch"])
            write_loader(database, name)
        else:
            print_node(name, node, NODE_KEYS)
    return 0


def provision_module(database: Object, command: str, targets: list[str], options: dict[str, str]) -> int:
    default = configured("provision.conf", "default kargs", "quiet")
    for name in [name for name in database["nodes"] if not targets or name in targets]:
        node = database["nodes"][name]
        if command != "set":
            print_node(name, {"KARGS": default, **node}, PROVISION_KEYS)
            continue
        for kind in ("bootstrap", "vnfs"):
            set_image(database, node, kind, options.get(kind, ""))
        if arguments := options.get("kargs"):
            set_value(node, "KARGS", " ".join(arguments.replace('"', "").split()))
        write_loader(database, name)
    return 1


def set_image(database: Object, node: Object, kind: str, wanted: str) -> None:
    known = {item["NAME"]: item for item in images(database, kind).values()}
    if wanted == "UNDEF":
        node.pop(kind.upper(), None)
    elif wanted and wanted not in known:
        print(f"ERROR:  No {kind} named: {wanted}", file=sys.stderr)
    elif wanted and node.get("ARCH") and known[wanted]["ARCH"] != node["ARCH"]:
        print(f"ERROR:  {kind} ARCH does not match node ARCH, skipping!", file=sys.stderr)
    elif wanted:
        node[kind.upper()] = wanted


def set_value(node: Object, key: str, value: str) -> None:
    if value == "UNDEF":
        node.pop(key, None)
    else:
        node[key] = value


def print_node(name: str, node: Object, keys: tuple[str, ...]) -> None:
    print(f"#### {name} {'#' * (72 - len(name))}#")
    for key in keys:
        value = node.get(key, "UNDEF")
        value = f'"{value}"' if key == "KARGS" else value
        print(f"{name:>15}: {key:<16} = {value}")


def write_loader(database: Object, name: str) -> None:
    node = database["nodes"][name]
    known = {item["NAME"]: item for item in images(database, "bootstrap").values()}
    bootstrap = known.get(node.get("BOOTSTRAP", ""))
    if bootstrap is None:
        return
    if bootstrap["ARCH"] != node.get("ARCH", HOST_ARCH):
        print(f"WARNING:  does not match architecture for {name}, skipping...", file=sys.stderr)
        return
    path = STATE / "ipxe/cfg" / node["eth0.HWADDR"]
    path.parent.mkdir(parents=True, exist_ok=True)
    place = f"${{base}}/{bootstrap['ARCH']}/{bootstrap['_ID']}"
    path.write_text(
        f"#!ipxe\ninitrd {place}/initfs.gz\nkernel {place}/kernel ro {node.get('KARGS', '')}\nboot\n"
    )


def pxe_module(database: Object, command: str, targets: list[str], options: dict[str, str]) -> int:
    for name in targets or database["nodes"]:
        write_loader(database, name)
    return 1


def dhcp_module(database: Object, command: str, targets: list[str], options: dict[str, str]) -> int:
    (PREFIX / "dhcp-updated").touch()
    return 1


MODULES = {
    "bootstrap": image_module("bootstrap"),
    "vnfs": image_module("vnfs"),
    "object": object_module,
    "node": node_module,
    "provision": provision_module,
    "pxe": pxe_module,
    "dhcp": dhcp_module,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
