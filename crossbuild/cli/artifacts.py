"""`crossbuild artifacts`: look at artifact sets, check them, compare them."""

from __future__ import annotations

from pathlib import Path

import click

from crossbuild.cli.options import json_option
from crossbuild.cli.text import size_text
from crossbuild.model.receipt import Receipt

SET = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def artifacts() -> None:
    """Show, verify and compare artifact sets."""


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
        ("distribution", f"{record.get('distro')} {record.get('release')}"),
        ("architecture", f"{record['arch']}, proved by {proof.get('elf_files')} ELF files"),
        ("loader", str(proof.get("interpreter"))),
        ("kernel", f"{kernel.get('version')} ({kernel.get('format')})" if kernel else "none"),
        ("packages", str(record.get("packages"))),
        *((f"{kind} format", _choice(choice)) for kind, choice in _section(record, "formats").items()),
        ("built", f"{build.get('finished')} by {build.get('executor')} on {build.get('venue')}"),
    ]


def _origin(receipt: Receipt, digest: str) -> str:
    return "this build" if receipt.record == digest else "an earlier build"


def _section(record: dict[str, object], key: str) -> dict[str, object]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _choice(choice: object) -> str:
    return f"{choice['archive']}: {choice['reason']}" if isinstance(choice, dict) else str(choice)
