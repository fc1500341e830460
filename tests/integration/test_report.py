"""`crossbuild report` of the example, in a real browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossbuild.artifacts.receipts import record_digest, write_receipt
from crossbuild.model.artifact import OutputKind
from tests.integration.browser import Page, browser
from tests.integration.conftest import STATE, CommandLine, linked
from tests.integration.small_sets import small_set
from tests.unit.artifacts.test_receipts import RECEIPT
from tests.unit.report.sets import HOSTILE, full_set, write_boot

LOOKS = (Path(__file__).parent / "looks.js").read_text()
MOST_BYTES = 2_000_000

CONSOLE = "".join(
    [
        *(f"[    0.{number:06}] a line of the kernel, as long as such lines are\r\n" for number in range(99)),
        "[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mMulti-User System\x1b[0m.\r\n",
        "[\x1b[0;1;31mFAILED\x1b[0m] Failed to start \x1b[0;1;39mbroken.service\x1b[0m.\r\n",
        "[\x1b[0;1;33mDEPEND\x1b[0m] \x1b[7mDependency\x1b[27m \x1b[38;5;208mfailed\x1b[0m.\r\n",
        "\x1b[44mblue\x1b[0m \x1b[30;47mpaper\x1b[0m \x1b[91;2mdim\x1b[0m\r\n\r\nnode login: ",
    ]
)


@pytest.fixture(scope="module")
def example(built_example: Path) -> Iterator[Path]:
    """The example, booted in one way, failed in another, never tried in the third, and registered."""
    folder = STATE / "report"
    shutil.rmtree(folder, ignore_errors=True)
    directory = linked(built_example, folder / built_example.name)
    write_boot(directory, "warewulf3", console=CONSOLE)
    failure = {"verdict": "failed", "reason": "The kernel panicked.", "lines": ["Kernel panic"]}
    write_boot(directory, "ims", console=CONSOLE, **failure)
    for kind in OutputKind:
        write_receipt(RECEIPT, directory / f"receipts/{kind}-1.json")
    yield directory
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def report(crossbuild: CommandLine, example: Path) -> Path:
    """Its page."""
    crossbuild("report", str(example))
    return example / "report.html"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A tab that all tests use in turn."""
    with browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture(scope="module")
def contents(example: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((example / "contents.json").read_text())
    return found


def test_folders_and_packages_sum_up_to_the_image(contents: dict[str, Any]) -> None:
    assert sum(folder["size"] for folder in contents["folders"]) == contents["size"]
    owned = sum(package["size"] for package in contents["packages"])
    assert owned + contents["unowned"]["size"] == contents["size"]
    assert contents["unowned"]["size"] < contents["size"] / 4


def test_every_package_that_brought_files_is_listed(contents: dict[str, Any], example: Path) -> None:
    installed = {package["name"] for package in json.loads((example / "packages.json").read_text())}
    measured = {package["name"] for package in contents["packages"]}
    assert measured <= installed
    assert len(measured) > len(installed) * 0.95


def test_what_fills_the_example_is_known(contents: dict[str, Any]) -> None:
    kernel = next(file for file in contents["largest"] if file["path"].startswith("/boot/vmlinuz"))
    initrd = next(file for file in contents["largest"] if file["path"].startswith("/boot/initrd"))
    assert kernel["package"].startswith("linux-image")
    assert initrd["package"] is None
    # Its modules are more than the kernel itself; the package says /lib, which is a link to usr/lib.
    sizes = {package["name"]: package["size"] for package in contents["packages"]}
    assert sizes[kernel["package"]] > 2 * kernel["size"]


def test_the_page_is_small(report: Path) -> None:
    assert report.stat().st_size < MOST_BYTES


def test_the_page_has_what_verification_remarked(report: Path, example: Path) -> None:
    (remark,) = re.findall(r"The plugin .* cannot be loaded.*", (example / "build.log").read_text())
    assert remark in report.read_text()


def test_a_page_is_no_part_of_the_set(crossbuild: CommandLine, tmp_path: Path) -> None:
    directory = small_set(tmp_path / "small", OutputKind.IMS)
    before = record_digest(directory)
    crossbuild("report", str(directory), "--verify")
    crossbuild("artifacts", "verify", str(directory))
    assert record_digest(directory) == before
    assert "Every byte was read" in (directory / "report.html").read_text()


def test_the_page_asks_for_nothing_and_complains_of_nothing(page: Page, report: Path) -> None:
    page.open(report)
    requests = [told["request"]["url"] for told in page.told("Network.requestWillBeSent")]
    assert requests == [report.as_uri()]
    assert page.told("Log.entryAdded") == []
    assert page.told("Runtime.consoleAPICalled") == []
    assert page.told("Runtime.exceptionThrown") == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_can_be_read(page: Page, report: Path, width: int, *, dark: bool) -> None:
    """Its pictures are kept in .test-state, for people to look at."""
    page.look(width=width, dark=dark)
    page.open(report)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    wrong = page.evaluate(LOOKS)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = false; })")
    pictures = STATE / "pictures"
    pictures.mkdir(exist_ok=True)
    page.screenshot(pictures / f"report-{'dark' if dark else 'light'}-{width}.png")
    assert wrong == []


def test_bad_looks_are_found(page: Page, tmp_path: Path) -> None:
    """The test above can fail."""
    bad = tmp_path / "bad.html"
    bad.write_text("<body style='color:#999'>pale<div style='width:5000px;color:#000'>wide</div>")
    page.look(width=390)
    page.open(bad)
    assert len(page.evaluate(LOOKS)) == 2


def test_paper_is_white_whatever_the_screen_is(page: Page, report: Path) -> None:
    page.look(width=800, dark=True, media="print")
    page.open(report)
    grounds = "['body', '.card'].map((one) => getComputedStyle(document.querySelector(one)).backgroundColor)"
    assert page.evaluate(grounds) == ["rgb(255, 255, 255)"] * 2
    assert page.evaluate(LOOKS) == []


SHOWN = """
    Array.from(document.querySelectorAll("#filling .level")).filter((one) => one.offsetHeight)
      .map((one) => one.id)
"""


def test_folders_open_from_the_keyboard_and_the_way_back_works(page: Page, report: Path) -> None:
    page.look(width=1280)
    page.open(report)
    assert page.evaluate(SHOWN) == ["by-package", "by-folder"]
    page.evaluate("document.querySelector('#by-folder .trail').setAttribute('tabindex', '-1')")
    page.evaluate("document.querySelector('#by-folder .trail').focus()")
    page.press("Tab")
    page.press("Enter")
    opened = page.evaluate(SHOWN)
    assert opened[0] == "by-package"
    assert opened[1].startswith("by-folder-")
    page.evaluate("new Promise((done) => { window.addEventListener('popstate', done); history.back(); })")
    assert page.evaluate(SHOWN) == ["by-package", "by-folder"]


def test_tiles_of_one_map_do_not_overlap(page: Page, report: Path) -> None:
    page.look(width=1280)
    page.open(report)
    overlaps = page.evaluate("""
        Array.from(document.querySelectorAll(".level.whole .map, .level.whole .inner"), (map) => {
          const boxes = Array.from(map.children, (tile) => tile.getBoundingClientRect());
          return boxes.flatMap((one, index) => boxes.slice(index + 1).filter((other) =>
            Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 &&
            Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 1)).length;
        })
    """)
    assert len(overlaps) > 3
    assert set(overlaps) == {0}


def test_packages_can_be_found(page: Page, report: Path) -> None:
    page.open(report)
    left = page.evaluate("""(() => {
        document.querySelector("#packages details").open = true;
        const field = document.querySelector("#packages input");
        field.value = "ARM64 openssh-server";
        field.dispatchEvent(new Event("input"));
        return Array.from(document.querySelectorAll("#packages tbody tr"))
          .filter((row) => row.offsetHeight).map((row) => row.cells[0].textContent);
    })()""")
    assert left == ["openssh-server"]


def test_the_page_works_without_scripts(page: Page, report: Path) -> None:
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.open(report)
        document = page.call("DOM.getDocument")["root"]["nodeId"]

        def found(selector: str) -> int:
            return len(page.call("DOM.querySelectorAll", nodeId=document, selector=selector)["nodeIds"])

        assert found("input") == 0
        assert found("#by-folder .tile") > 20
        assert found("#packages tr") > 150
    finally:
        page.call("Emulation.setScriptExecutionDisabled", value=False)


def test_what_an_image_brings_is_never_run(crossbuild: CommandLine, page: Page, tmp_path: Path) -> None:
    directory = full_set(tmp_path)
    write_boot(directory, "ims", console=HOSTILE, verdict="failed", reason=HOSTILE, lines=[HOSTILE])
    crossbuild("report", str(directory))
    page.open(directory / "report.html")
    assert page.told("Page.javascriptDialogOpening") == []
    assert page.told("Log.entryAdded") == []
    assert HOSTILE.partition("\x1b")[0] in page.evaluate("document.querySelector('.reason').textContent")
