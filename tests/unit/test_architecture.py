"""Tables are complete, and what the documentation says is what the code does."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner
from pydantic import BaseModel

from crossbuild import errors
from crossbuild.acceleration.starts import Way
from crossbuild.acceleration.times import ProgramUse
from crossbuild.artifacts.contents import contents
from crossbuild.artifacts.packing import PACKERS
from crossbuild.artifacts.receipts import write_receipt
from crossbuild.artifacts.record import BuildFacts, SetFacts, record
from crossbuild.booting.attempt import WAYS
from crossbuild.cli.boot import KINDS as BOOTABLE
from crossbuild.cli.main import main
from crossbuild.cli.node_status import status_entry
from crossbuild.cli.progress import EVENT_NAMES
from crossbuild.cli.register import COMMANDS as REGISTERING
from crossbuild.config.document import validate
from crossbuild.config.schema import SpecFile
from crossbuild.config.site_schema import SiteFile
from crossbuild.config.values import Section
from crossbuild.distros.builder_images import RECIPES
from crossbuild.distros.catalog import RELEASES
from crossbuild.distros.release import Family
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import (
    ArchProof,
    Artifact,
    Digests,
    FileCapability,
    Kernel,
    KernelFormat,
    OutputKind,
)
from crossbuild.model.boot import Stage
from crossbuild.model.node import NodeStatus
from crossbuild.model.survey import TreeSurvey
from crossbuild.nodes.store import render
from crossbuild.pipeline.finish import program_entry
from crossbuild.planning.planner import INSTALLED_LAYERS
from crossbuild.registrars.table import REGISTRARS
from tests.documents import (
    CHECKOUT,
    DOCUMENTS,
    EXECUTABLE,
    NOT_RUN,
    Block,
    all_commands,
    blocks,
    column,
    crossbuild_arguments,
)
from tests.unit.artifacts.test_receipts import RECEIPT
from tests.unit.booting.records import RECORD as BOOT
from tests.unit.nodes.values import make_facts, make_node
from tests.unit.specs import make_spec

BASE = {"name": "part", "distro": "debian", "release": "12"}
"""What a part of a spec needs to be a spec."""
PAGES = (*EXECUTABLE, Path("ARCHITECTURE.md"), Path("CHANGELOG.md"), Path("CONTRIBUTING.md"))


def test_every_output_has_a_packer() -> None:
    assert set(PACKERS) == set(OutputKind)


def test_every_family_has_layers() -> None:
    assert set(INSTALLED_LAYERS) == set(Family)


def test_every_output_is_documented() -> None:
    assert column("docs/reference/spec.md", "## Outputs") == list(OutputKind)


def test_every_release_is_documented_with_its_kernels() -> None:
    documented = [column("docs/reference/spec.md", "## Distributions", number) for number in range(4)]
    known = [
        (
            entry.distro,
            f'"{entry.release}"',
            entry.kernel_packages[Architecture.AARCH64],
            entry.kernel_packages[Architecture.X86_64],
        )
        for entry in RELEASES
    ]
    assert list(zip(*documented, strict=True)) == known


def schema_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield every key of *model* as documentation writes it: `kernel.args`, `mounts[].type`."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        yield path
        for nested, mark in sections(field.annotation, ""):
            yield from schema_keys(nested, f"{path}{mark}.")


def sections(annotation: Any, mark: str) -> Iterator[tuple[type[Section], str]]:
    """Yield the sections that a value of *annotation* holds, with `[]` for a list and `.*` for names."""
    origin = typing.get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation, mark
    mark += {list: "[]", dict: ".*"}.get(origin, "")
    for part in typing.get_args(annotation):
        yield from sections(part, mark)


@pytest.mark.parametrize(
    ("document", "heading", "model"),
    [
        pytest.param("docs/reference/spec.md", "## Keys", SpecFile, id="spec"),
        pytest.param("docs/reference/configuration.md", "# Configuration", SiteFile, id="configuration"),
    ],
)
def test_every_key_is_documented_in_the_order_of_the_schema(
    document: str, heading: str, model: type[BaseModel]
) -> None:
    assert column(document, heading) == list(schema_keys(model))


def full_record() -> dict[str, object]:
    """An `image.json` that has everything there is."""
    survey = TreeSurvey(
        files=1,
        directories=1,
        links=0,
        size=1,
        capabilities=(FileCapability(path=PurePosixPath("/ping"), value=b"\1"),),
        attributes=(),
        oversized=(),
        devices=(),
        sockets=(),
        odd_names=(),
    )
    arch = Architecture.AARCH64
    facts = SetFacts(
        spec=make_spec(outputs=tuple(OutputKind)),
        proof=ArchProof(elf_files=1, arch=arch, interpreter="", init="", kernel_header=""),
        kernel=Kernel(version="6", path=PurePosixPath("/k"), format=KernelFormat.IMAGE, gzipped=False),
        survey=survey,
        epoch=0,
        packages=1,
        build=BuildFacts(
            venue="",
            venue_reason="",
            executor="",
            reason="",
            tools=(),
            inputs="",
            programs_native=0,
            programs_emulated=0,
            programs_timed=0,
            cpu_seconds_native=None,
            cpu_seconds_emulated=None,
            emulator_crash=None,
            started="",
            finished="",
            seconds=0.0,
        ),
    )
    digests = Digests(size=1, sha256="", md5="")
    return record(facts, [Artifact(path=PurePosixPath("packages.json"), digests=digests)])


def record_keys(value: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, item in value.items():
        first = item[0] if isinstance(item, list) and item else None
        if isinstance(item, dict) and item:
            yield from record_keys(item, f"{prefix}{key}.")
        elif isinstance(first, dict):
            yield from record_keys(first, f"{prefix}{key}[].")
        else:
            yield f"{prefix}{key}"


def test_every_key_of_image_json_is_documented() -> None:
    value = full_record()
    sections_of = {key for key, item in value.items() if isinstance(item, dict)}
    assert set(column("docs/reference/image-json.md", "# image.json")) == {*record_keys(value), *sections_of}


def test_every_key_of_a_receipt_is_documented(tmp_path: Path) -> None:
    write_receipt(RECEIPT, tmp_path / "receipt.json")
    value = json.loads((tmp_path / "receipt.json").read_text())
    assert column("docs/reference/receipts.md", "# Receipts") == list(record_keys(value))


def test_every_key_of_the_record_of_a_node_is_documented() -> None:
    keys = column("docs/reference/nodes.md", "## Record of a node")
    assert keys == list(render(make_node(labels=())))


def test_every_key_of_the_state_of_a_node_is_documented() -> None:
    status = NodeStatus(node=make_node(), facts=make_facts(tools=()), reason="")
    value = status_entry(status, {})
    known = [key for key in record_keys(value) if not key.startswith("facts.tools")]
    documented = column("docs/reference/nodes.md", "## State of a node")
    assert [key for key in documented if key not in {"facts", "facts.tools"}] == known


def test_every_key_of_a_record_of_a_boot_is_documented() -> None:
    value = json.loads(json.dumps(asdict(BOOT)))
    assert column("docs/reference/boot-record.md", "# Records of boots") == list(record_keys(value))


def test_every_stage_of_a_boot_is_documented() -> None:
    text = (CHECKOUT / "docs/reference/boot-record.md").read_text().split("| stage | is reached when |")[1]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(Stage)


def test_every_output_can_be_booted() -> None:
    assert set(WAYS) == set(OutputKind) == set(BOOTABLE)


def test_every_key_of_contents_json_is_documented(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("owned")
    (tmp_path / "other").write_text("not owned")
    keys = column("docs/reference/artifact-set.md", "## contents.json")
    assert keys == list(record_keys(contents(tmp_path, {"/file": "package"})))


def test_every_registrar_has_a_command() -> None:
    assert list(REGISTRARS) == list(REGISTERING)


def test_every_key_of_a_program_in_the_timeline_is_documented() -> None:
    use = ProgramUse(program="/bin/a", way=Way.NATIVE, starts=1, timed=1, seconds=0.1, cpu_seconds=0.1)
    keys = column("docs/reference/artifact-set.md", "## Programs in timeline.json")
    assert keys == list(program_entry(use))


def test_a_program_without_times_has_none_in_the_timeline() -> None:
    use = ProgramUse(program="/bin/a", way=Way.NO_RULE, starts=1, timed=0, seconds=0, cpu_seconds=0)
    assert [program_entry(use)[key] for key in ("seconds", "cpu_seconds")] == [None, None]


def test_every_event_is_documented() -> None:
    assert column("docs/reference/events.md", "# Events of a build") == list(EVENT_NAMES.values())


def test_every_exit_status_is_documented() -> None:
    text = (CHECKOUT / "docs/reference/exit-status.md").read_text()
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    statuses = {kind.exit_code for kind in kinds if issubclass(kind, errors.CrossbuildError)}
    assert statuses <= set(map(int, re.findall(r"^\| (\d+) \|", text, re.MULTILINE)))


def test_the_reference_lists_every_builder_image() -> None:
    text = (CHECKOUT / "docs/reference/builder-images.md").read_text()
    listed = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|.*\| `(\w+)\.Dockerfile` \|$", text, re.MULTILINE)
    assert listed == [(recipe.name, recipe.image, recipe.dockerfile) for recipe in RECIPES]


def commands_below(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands_below(below, (*path, name))


COMMAND_PATHS = list(commands_below(main))


@pytest.mark.parametrize("path", COMMAND_PATHS, ids=lambda path: " ".join(path) or "crossbuild")
def test_the_reference_has_the_help_of_every_command(path: tuple[str, ...]) -> None:
    said = CliRunner().invoke(main, [*path, "--help"], prog_name="crossbuild", terminal_width=80)
    text = (CHECKOUT / "docs/reference/command-line.md").read_text()
    section = text.split(f"\n## {' '.join(('crossbuild', *path))}\n", 1)[1].split("\n## ", 1)[0]
    assert f"```text\n{said.output}```" in section


def test_the_reference_has_no_command_that_is_gone() -> None:
    text = (CHECKOUT / "docs/reference/command-line.md").read_text()
    headings = re.findall(r"^## crossbuild ?(.*)$", text, re.MULTILINE)
    assert headings == [" ".join(path) for path in COMMAND_PATHS]


def parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Let click read a command line as far as it can without doing anything; raise click's own errors."""
    if isinstance(command, click.Group):
        context = click.Context(command, parent=parent)
        _, rest, _ = command.make_parser(context).parse_args(list(words))
        if words and not rest and command.invoke_without_command:
            return
        below = command.get_command(context, rest[0]) if rest else None
        if below is None:
            raise click.UsageError(f"no such command: {rest}")
        parse(below, rest[1:], context)
    else:
        command.make_context(command.name, list(words), parent=parent)


@pytest.fixture
def any_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths in documentation exist where the commands are run, not here."""
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, _param, _context: value)


@pytest.mark.usefixtures("any_path")
@pytest.mark.parametrize(("document", "line"), all_commands())
def test_every_command_in_the_documentation_exists_as_it_is_written(document: Path, line: str) -> None:
    for words in crossbuild_arguments(line):
        parse(main, words)


@pytest.mark.usefixtures("any_path")
@pytest.mark.parametrize(
    "line",
    [
        "crossbuild bild spec.yaml",
        "crossbuild",
        "crossbuild root",
        "crossbuild build",
        "crossbuild build --parallel spec.yaml",
        "crossbuild plan one.yaml two.yaml",
        "crossbuild completion tcsh",
        "true && crossbuild root list --all | cat",
    ],
)
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    called = list(crossbuild_arguments(line))
    with pytest.raises(click.UsageError):
        parse(main, called[0])


def test_what_is_not_run_is_there() -> None:
    assert set(NOT_RUN) <= {line for _, line in all_commands()}


@pytest.mark.parametrize("document", EXECUTABLE, ids=str)
def test_commands_have_no_placeholders(document: Path) -> None:
    typed = (block for block in blocks(document) if block.kind in {"console", "sh"})
    words = " ".join(line for block in typed for line in block.commands()).split()
    assert [word for word in words if re.fullmatch(r"[A-Z_]{3,}|<\w+>", word.rstrip("/"))] == []


YAML = [block for document in EXECUTABLE for block in blocks(document) if block.kind == "yaml"]


@pytest.mark.parametrize("block", YAML, ids=lambda block: f"{block.document}:{block.name}")
def test_every_piece_of_yaml_is_valid(block: Block) -> None:
    assert block.is_file or block.name in {"spec", "config"}
    value = yaml.safe_load(block.text.replace("{{ sms_ip }}", "192.0.2.1"))
    if block.name in {"config", "config.yaml"}:
        validate(SiteFile, value, block.document)
    else:
        validate(SpecFile, value if block.is_file else {**BASE, **value}, block.document)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = (CHECKOUT / page).read_text()
    targets = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", text)
    assert [target for target in targets if not (CHECKOUT / page.parent / target).exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = (CHECKOUT / "docs/README.md").read_text()
    pages = [page.relative_to("docs").as_posix() for page in DOCUMENTS if page.name != "README.md"]
    assert [page for page in pages if f"({page})" not in index] == []


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([\w-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    text = "\n".join((CHECKOUT / page).read_text() for page in PAGES)
    named = set(re.findall(r"^(?:\$ )?make (\w+)$", text, re.MULTILINE)) | set(
        re.findall(r"`make (\w+)`", text)
    )
    assert named <= targets
    assert {"demo", "test", "check"} <= named


def test_the_architecture_names_every_package() -> None:
    packages = {f"{path.parent.name}/" for path in CHECKOUT.glob("crossbuild/*/__init__.py")}
    modules = {path.name for path in CHECKOUT.glob("crossbuild/[a-z]*.py")}
    assert {*packages, *modules} <= {*column("ARCHITECTURE.md", "## Layout")}
