"""`crossbuild artifacts`: look at artifact sets, check them, compare them, make them of foreign files."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from crossbuild.cli.options import json_option
from crossbuild.model.receipt import Receipt
from crossbuild.wording import size_text

SET = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def artifacts() -> None:
    """Show, verify, compare and adopt artifact sets."""


@artifacts.command()
@click.argument("directory", type=SET)
@json_option
def show(directory: Path, *, as_json: bool) -> None:
    """Show what the artifact set in DIRECTORY is and holds, and where it was registered."""
    from crossbuild.artifacts.receipts import receipts_of, record_digest
    from crossbuild.artifacts.store import load_set
    from crossbuild.cli import console

    found, receipts = load_set(directory), receipts_of(directory)
    if as_json:
        told = [{"path": path, "receipt": receipt} for path, receipt in receipts]
        console.print_json({**found.record, "receipts": told})
        return
    console.table(("", ""), _summary(found.record))
    console.line()
    rows = [(str(file.path), size_text(file.digests.size), file.digests.sha256) for file in found.artifacts]
    console.table(("File", "Size", "sha256"), rows, right=[1])
    if receipts:
        console.line()
        digest = record_digest(directory)
        console.table(
            ("Receipt", "State", "Registered as", "Where", "When", "Of"),
            [
                (path.name, one.state, one.name, one.place, one.registered or "-", _origin(one, digest))
                for path, one in receipts
            ],
        )


@artifacts.command()
@click.argument("directory", type=SET)
@json_option
@click.pass_context
def verify(context: click.Context, directory: Path, *, as_json: bool) -> None:
    """Read every file of the set in DIRECTORY and compare it with the record; status 1 on damage."""
    from crossbuild.artifacts.store import load_set, verify_set
    from crossbuild.cli import console

    found = load_set(directory)
    findings = verify_set(found)
    if as_json:
        console.print_json({"name": found.name, "ok": not findings, "findings": findings})
    elif findings:
        rows = [(console.bad(item.problem), str(item.path), item.details) for item in findings]
        console.table(("Problem", "File", "What was found"), rows)
    else:
        console.line(
            console.good("ok"), f"  {found.name}: {len(found.artifacts)} files are as they were built."
        )
    context.exit(1 if findings else 0)


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@artifacts.command()
@click.argument("name")
@click.option("--bootstrap", type=FILE, metavar="FILE", help="Bootstrap of Warewulf 3, a .wwbs file.")
@click.option("--vnfs", type=FILE, metavar="FILE", help="VNFS of Warewulf 3.")
@click.option("--archive", type=FILE, metavar="FILE", help="docker-archive for Warewulf 4.")
@click.option("--rootfs", type=FILE, metavar="FILE", help="squashfs for IMS.")
@click.option("--kernel", type=FILE, metavar="FILE", help="Kernel for IMS.")
@click.option("--initrd", type=FILE, metavar="FILE", help="initrd for IMS.")
@click.option("--boot-parameters", type=FILE, metavar="FILE", help="Kernel arguments for IMS.")
@click.option("--kernel-args", "arguments", default="", metavar="TEXT", help="Kernel arguments of nodes.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out"),
    show_default=True,
    help="The folder of the set's own folder.",
)
@json_option
def adopt(name: str, *, output: Path, arguments: str, as_json: bool, **files: Path | None) -> None:
    """Make the artifact set NAME of files that were made elsewhere.

    They are copied and read: every program and kernel in them must be for aarch64.
    """
    from crossbuild.cli import console
    from crossbuild.pipeline.adoption import adopt as make

    given = {kind: path for kind, path in files.items() if path is not None}
    made = make(name, given, output, arguments=arguments)
    if as_json:
        console.print_json(made.record)
    else:
        place = console.near(made.directory)
        console.line(f"{name} is in {place}.")
        console.note(console.strong("Next: "), f"crossbuild artifacts show {shlex.quote(place)}")


@artifacts.command()
@click.argument("before", type=SET)
@click.argument("after", type=SET)
@json_option
@click.pass_context
def diff(context: click.Context, before: Path, after: Path, *, as_json: bool) -> None:
    """Show in what the sets BEFORE and AFTER differ; status 1 if they do.

    Times, places and logs of the builds themselves do not count.
    """
    from crossbuild.artifacts.store import diff_sets, load_set
    from crossbuild.cli import console

    differences = diff_sets(load_set(before), load_set(after))
    if as_json:
        console.print_json({"equal": not differences, "differences": differences})
    elif differences:
        rows = [(item.subject, item.before or "-", item.after or "-") for item in differences]
        console.table(("What", "Before", "After"), rows)
    else:
        console.line(console.good("equal"), "  The sets hold the same bytes.")
    context.exit(1 if differences else 0)


def _summary(record: dict[str, object]) -> list[tuple[str, str]]:
    proof, kernel, build = (_section(record, key) for key in ("arch_proof", "kernel", "build"))
    return [
        ("name", str(record["name"])),
        ("distribution", f"{record.get('distro') or 'not known'} {record.get('release') or ''}".strip()),
        ("architecture", f"{record['arch']}, proved by {proof.get('elf_files')} ELF files"),
        ("loader", str(proof.get("interpreter"))),
        ("kernel", f"{kernel.get('version')} ({kernel.get('format')})" if kernel else "none"),
        ("packages", str(record.get("packages") or "not known")),
        *((f"{kind} format", _choice(choice)) for kind, choice in _section(record, "formats").items()),
        ("built", _built(build)),
    ]


def _built(build: dict[str, object]) -> str:
    if "finished" not in build:
        return str(build.get("venue"))
    return f"{build['finished']} by {build.get('executor')} on {build.get('venue')}"


def _origin(receipt: Receipt, digest: str) -> str:
    return "this build" if receipt.record == digest else "an earlier build"


def _section(record: dict[str, object], key: str) -> dict[str, object]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _choice(choice: object) -> str:
    return f"{choice['archive']}: {choice['reason']}" if isinstance(choice, dict) else str(choice)
