"""The page: everything escaped, nothing from elsewhere, and friendly about what is missing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from crossbuild.errors import StorageError
from crossbuild.report.page import CHECKS, look, page, write_page
from crossbuild.report.reading import read_report
from crossbuild.report.terminal import Style
from crossbuild.verification.tree import CHECKS as CHECKS_OF_ROOTS
from tests.unit.artifacts.sets import CURL, make_set
from tests.unit.report.sets import CONTENTS, HOSTILE, TIMELINE, full_set, write_boot


class Outline(HTMLParser):
    """What a browser would see: elements, ids, links, and whether all that was opened was closed."""

    VOID = frozenset({"meta", "input", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        values = dict(attrs)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [str(values[key]) for key in ("href", "src") if key in values]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(directory: Path) -> str:
    return page(read_report(directory))


@pytest.fixture
def full(tmp_path: Path) -> Path:
    directory = full_set(tmp_path)
    write_boot(directory, "ims")
    return directory


def test_the_page_is_well_formed_and_every_link_leads_into_it(full: Path) -> None:
    outline = Outline(page_of(full))
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert all(link.startswith("#") for link in outline.links)


def test_nothing_is_asked_of_any_server(full: Path) -> None:
    text = page_of(full)
    assert "default-src 'none'" in text
    assert not re.search(r"url\(|@import|<link|<img|<iframe", text)
    assert "//" not in re.sub(r"// [A-Z]", "", text)  # no address of anything; the script has comments


def test_markup_and_controls_in_any_value_stay_text(tmp_path: Path) -> None:
    hostile = replace(CURL, name=HOSTILE, version=HOSTILE, arch=HOSTILE)
    directory = full_set(tmp_path, packages=(hostile,))
    wild = {"path": f"/{HOSTILE}", "size": 900, "files": 1, "name": HOSTILE, "package": HOSTILE}
    contents = {**CONTENTS, "folders": [wild], "packages": [wild], "largest": [wild]}
    programs = [{**TIMELINE["programs"][0], "program": HOSTILE, "way": HOSTILE}]
    phases = [{**TIMELINE["phases"][0], "phase": HOSTILE}]
    (directory / "contents.json").write_text(json.dumps(contents))
    (directory / "timeline.json").write_text(json.dumps({"phases": phases, "programs": programs}))
    record = json.loads((directory / "image.json").read_text())
    record.update(name=HOSTILE, distro=HOSTILE, release=HOSTILE, unverified_repositories=[HOSTILE])
    record["build"].update(reason=HOSTILE, venue=HOSTILE, finished=HOSTILE, tools={HOSTILE: HOSTILE})
    record["kernel"].update(version=HOSTILE, args=HOSTILE)
    (directory / "image.json").write_text(json.dumps(record))
    write_boot(
        directory,
        "ims",
        console=HOSTILE,
        verdict="failed",
        reason=HOSTILE,
        emulator=HOSTILE,
        at=HOSTILE,
        stages=[{"stage": HOSTILE, "seconds": 1}],
        checks=[{"check": HOSTILE, "result": HOSTILE, "found": HOSTILE}],
        lines=[HOSTILE],
    )
    text = page_of(directory)
    outline = Outline(text)
    assert outline.open == []
    assert outline.elements.count("script") == 1
    assert text.count("alert(") > 20
    assert not set(outline.elements) & {"img", "iframe", "object"}
    assert "<b>&amp;" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\u202e" in text


def test_the_only_script_is_the_one_that_the_policy_names(full: Path) -> None:
    text = page_of(full)
    assert len(re.findall(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", text)) == 1
    assert "javascript:" not in text
    assert not re.search(r"\son\w+=", text)


@pytest.mark.parametrize(
    "words",
    [
        "crossbuild build SPEC --force",
        "crossbuild boot {} --as ims",
        "crossbuild register warewulf3|warewulf4|ims {}",
        "crossbuild report {} --verify",
    ],
)
def test_what_is_missing_comes_with_the_command_that_brings_it(tmp_path: Path, words: str) -> None:
    directory = make_set(tmp_path)
    assert words.format(directory) in page_of(directory)


def test_a_folder_with_a_blank_is_quoted_in_commands(tmp_path: Path) -> None:
    directory = make_set(tmp_path).rename(tmp_path / "my set")
    assert f"crossbuild report &#39;{directory}&#39; --verify" in page_of(directory)


def test_a_boot_that_failed_says_why(full: Path) -> None:
    write_boot(full, "ims", verdict="failed", reason="no driver", lines=["panic!"])
    text = page_of(full)
    assert "no driver" in text
    assert "panic!" in text
    assert "0 of 1 ways" in text


def test_a_boot_of_an_earlier_build_does_not_count(full: Path) -> None:
    write_boot(full, "ims", image_digest="ab")
    text = page_of(full)
    assert "0 of 1 ways" in text
    assert "of an earlier build" in text


def test_two_thousand_packages_fit_into_a_page(full: Path) -> None:
    packages = [
        {"name": f"package-{number:04}", "version": "1:2.3-4", "arch": "arm64", "installed_size": number}
        for number in range(2000)
    ]
    (full / "packages.json").write_text(json.dumps(packages))
    measured = [{"name": one["name"], "size": one["installed_size"], "files": 3} for one in packages]
    (full / "contents.json").write_text(json.dumps({**CONTENTS, "packages": measured}))
    assert len(page_of(full)) < 1_500_000


def test_every_check_of_a_root_is_explained() -> None:
    assert list(CHECKS) == list(CHECKS_OF_ROOTS)


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        (Style(), ("", "")),
        (Style(fg="1", bold=True), ("bold fg1", "")),
        (Style(bg="12"), ("bg12", "")),
        (Style(fg="#ff0000", bg="#000000"), ("fg bg", "--fg:#ff0000;--bg:#000000")),
    ],
)
def test_terminal_styles_become_classes(style: Style, shown: tuple[str, str]) -> None:
    assert look(style) == shown


def test_a_page_is_written_in_one_step(tmp_path: Path) -> None:
    write_page("new", tmp_path / "report.html")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_page_goes_to_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "old.html").write_text("old")
    (tmp_path / "link.html").symlink_to("old.html")
    write_page("new", tmp_path / "link.html")
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "old.html").read_text() == "new"


def test_a_device_stays_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    write_page("new", tmp_path / "null")
    assert Path("/dev/null").is_char_device()


def test_a_place_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        write_page("new", tmp_path / "missing/report.html")
    assert "--output" in caught.value.resolution
