"""`crossbuild report`: an artifact set as one page."""

from __future__ import annotations

from pathlib import Path

import click

from crossbuild.cli.artifacts import SET


@click.command()
@click.argument("directory", type=SET)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Write the page to FILE, `-` for stdout, instead of DIRECTORY/report.html.",
)
@click.option("--verify", is_flag=True, help="Read every file of the set, and say whether it is as built.")
def report(directory: Path, *, output: Path | None, verify: bool) -> None:
    """Write a page that tells of the artifact set in DIRECTORY.

    It shows how long the build took, what ran in qemu, what fills the image, how it booted and where it was
    registered. The page is one HTML file that needs neither a server nor a network.
    """
    from crossbuild.cli import console
    from crossbuild.report.page import NAME, page, write_page
    from crossbuild.report.reading import read_report

    text = page(read_report(directory, verify=verify))
    if output == Path("-"):
        # As bytes: the page says that it is UTF-8, whatever this locale is.
        click.echo(text.encode(), nl=False)
        return
    target = output or directory / NAME
    write_page(text, target)
    console.line(f"The report is in {target}")
