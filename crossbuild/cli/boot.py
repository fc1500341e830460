"""`crossbuild boot`: start an artifact set in an emulated machine, and show what came up."""

from __future__ import annotations

import re
from pathlib import Path

import click

from crossbuild.cli.options import Session, json_option, pass_session

UNITS = {"M": 1 << 20, "G": 1 << 30}
SMALLEST = 128 << 20
KINDS = ("warewulf3", "warewulf4", "ims")


def memory_size(_context: click.Context, _parameter: click.Parameter, text: str | None) -> int:
    """Return the bytes that a size such as `900M` or `2G` stands for, 0 for none."""
    if text is None:
        return 0
    found = re.fullmatch(r"(\d+)([MG])i?B?", text)
    size = int(found[1]) * UNITS[found[2]] if found else 0
    if size < SMALLEST:
        raise click.BadParameter(f"`{text}` is no size of a machine's memory, such as 900M or 2G.")
    return size


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--as",
    "ways",
    multiple=True,
    type=click.Choice(KINDS),
    help="Boot it as this provisioner does; repeatable.  [default: all that the set has files for]",
)
@click.option(
    "--memory",
    callback=memory_size,
    metavar="SIZE",
    help="Memory of the machine, such as 900M or 2G.  [default: what the image needs]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Call it failed when its checks are not done this long after power on.",
)
@click.option("--pub", is_flag=True, help="Let the machine mount the exported tree, and read a file of it.")
@click.option("--shell", is_flag=True, help="Show the console, and leave a root shell open on it.")
@json_option
@pass_session
@click.pass_context
def boot(
    context: click.Context,
    session: Session,
    *,
    directory: Path,
    ways: tuple[str, ...],
    memory: int,
    timeout: float,
    pub: bool,
    shell: bool,
    as_json: bool,
) -> None:
    """Start the set in DIRECTORY in an emulated machine, and check it.

    The machine gets kernel, initramfs and root file system as its provisioner would give them, and reaches
    nothing but this command. What was found stays beside the set, in its folder `boot`. Exit status 1 says
    that it did not boot, or that a check failed.
    """
    from crossbuild.cli import console
    from crossbuild.cli.booting import boot_set, show_record
    from crossbuild.config.site import load_site
    from crossbuild.errors import UsageError
    from crossbuild.host.namespace import become_root
    from crossbuild.model.artifact import OutputKind
    from crossbuild.model.boot import BootWish, Verdict

    if shell and as_json:
        raise UsageError("A console and JSON cannot share stdout.", resolution="Leave out --shell or --json.")
    if shell and len(ways) != 1:
        raise UsageError("A shell is opened in one machine.", resolution="Say which one with --as.")
    site = load_site(session.config)
    become_root(site)
    wish = BootWish(memory=memory, timeout=timeout, shell=shell, pub=pub)
    records = boot_set(directory, tuple(map(OutputKind, ways)), wish, site)
    booted = all(record.verdict is Verdict.BOOTED for record in records)
    if as_json:
        console.print_json({"booted": booted, "boots": records})
    else:
        for record in records:
            show_record(record, directory)
    context.exit(0 if booted else 1)
