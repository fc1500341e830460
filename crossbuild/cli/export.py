"""`crossbuild builder export`: let nodes mount what builders install, and take that back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crossbuild.cli.options import Session, json_option, pass_session
from crossbuild.model.export import NfsServer

if TYPE_CHECKING:
    from crossbuild.host.changes import Change
    from crossbuild.host.exporting import ExportPlan
    from crossbuild.model.site import Site

AUTO = "auto"


@click.command()
@click.option("--network", "networks", multiple=True, metavar="CIDR", help="Nodes are in it; repeatable.")
@click.option("--sms-ip", metavar="ADDRESS", default="", help="The address of this host that nodes reach.")
@click.option(
    "--read-write-for",
    "writers",
    multiple=True,
    metavar="ADDRESS",
    help="Let this host write, too, though not as root; repeatable.",
)
@click.option(
    "--server",
    type=click.Choice([AUTO, *(server.value for server in NfsServer)]),
    default=AUTO,
    show_default=True,
    help="What exports it: the kernel, or NFS-Ganesha. By default the one that runs.",
)
@click.option("--dry-run", is_flag=True, help="List the changes with their reasons, and make none.")
@click.option("--undo", is_flag=True, help="Take back exactly what this command did on this host.")
@json_option
@pass_session
def export(
    session: Session,
    *,
    networks: tuple[str, ...],
    sms_ip: str,
    writers: tuple[str, ...],
    server: str,
    dry_run: bool,
    undo: bool,
    as_json: bool,
) -> None:
    """Let nodes mount the tree that builders install into.

    It is exported read-only over NFS, to the network of this host's address --sms-ip, by default the variable
    `sms_ip` of the site, or to each --network. Every change is recorded first, and the lines that images need
    are printed.
    """
    from crossbuild.config.site import load_site
    from crossbuild.errors import UsageError

    site = load_site(session.config)
    if undo and (networks or sms_ip or writers or server != AUTO):
        raise UsageError("`--undo` takes back what was recorded: only `--dry-run` and `--json` go with it.")
    if undo:
        _take_back(site, dry_run=dry_run, as_json=as_json)
        return
    plan = _plan(site, sms_ip=sms_ip, networks=networks, writers=writers, server=server)
    _carry_out(plan, site, dry_run=dry_run, as_json=as_json)


def _plan(
    site: Site, *, sms_ip: str, networks: tuple[str, ...], writers: tuple[str, ...], server: str
) -> ExportPlan:
    from crossbuild.host.addresses import parse_address, parse_network, place_of_nodes, read_interfaces
    from crossbuild.host.exporting import plan_export
    from crossbuild.host.nfs_servers import choose_server, inspect_servers
    from crossbuild.model.export import Grant, SharedTree

    address, found = place_of_nodes(
        sms_ip or dict(site.variables).get("sms_ip", ""),
        [parse_network(text) for text in dict.fromkeys(networks)],
        read_interfaces(),
    )
    writing = [Grant(client=parse_address(text), write=True) for text in dict.fromkeys(writers)]
    reading = [Grant(client=network, write=False) for network in found]
    choice = choose_server(inspect_servers(), None if server == AUTO else NfsServer(server))
    # Where it really lies: NFS 4 follows no link on the way to it.
    shared = SharedTree(path=site.exported.resolve(), grants=(*writing, *reading))
    return plan_export(shared, address, choice, site.state)


def _carry_out(plan: ExportPlan, site: Site, *, dry_run: bool, as_json: bool) -> None:
    from crossbuild.cli import console
    from crossbuild.host.exporting import apply_export

    if not as_json:
        console.note(f"Server: {plan.choice.server}, since {plan.choice.reason}.")
    if dry_run:
        for change in plan.changes if not as_json else ():
            _show("Would", change)
    else:
        apply_export(plan, site.state, lambda change: None if as_json else _show("Will", change))
    if as_json:
        console.print_json(_as_json(plan, done=not dry_run))
        return
    if not plan.changes:
        console.line("Nothing to write: the tree is exported like this already.")
    for step in _next_steps(plan):
        console.note(console.strong("Next: "), step)
    _show_mounts(plan)


def _take_back(site: Site, *, dry_run: bool, as_json: bool) -> None:
    from crossbuild.cli import console
    from crossbuild.host.changes import WriteFile, describe
    from crossbuild.host.exporting import journal_of, undo_export
    from crossbuild.host.ganesha import NAME

    recorded = [entry.change for entry in reversed(journal_of(site.state).entries())]
    word = "Would take back: " if dry_run else "Taking back: "

    def show(change: Change) -> None:
        if not as_json:
            console.line(word, describe(change))

    if dry_run:
        for change in recorded:
            show(change)
    left = () if dry_run else undo_export(site.exported.resolve(), site.state, show)
    if as_json:
        changes = [describe(change) for change in recorded]
        kept = [{"change": describe(item.change), "reason": item.reason} for item in left]
        console.print_json({"done": not dry_run, "changes": changes, "left": kept})
        return
    if not recorded:
        console.line("Nothing to take back: no export is recorded.")
    for item in left:
        console.line(console.warning("Left as it is: "), f"{describe(item.change)}. {item.reason}")
    ganesha = any(isinstance(change, WriteFile) and change.path.name == NAME for change in recorded)
    if ganesha and not dry_run:
        console.note(console.strong("Next: "), _ganesha_goes())


def _next_steps(plan: ExportPlan) -> list[str]:
    from crossbuild.host.ganesha import MAIN, RELOAD
    from crossbuild.host.nfs_servers import START_KERNEL

    if plan.choice.server is NfsServer.KERNEL:
        return [] if plan.choice.runs else [f"`{START_KERNEL}` starts the server, which does not run."]
    include = [f"add this line to {MAIN}: {plan.include}"] if plan.include else []
    return [*include, f"`{RELOAD}` lets the server read it, `systemctl enable --now nfs-ganesha` starts it."]


def _ganesha_goes() -> str:
    from crossbuild.host.ganesha import MAIN, RELOAD

    return f"take the line that includes it out of {MAIN}, then `{RELOAD}`."


def _show(verb: str, change: Change) -> None:
    from crossbuild.cli import console
    from crossbuild.host.changes import describe

    console.line(console.strong(f"{verb} "), f"{describe(change)}. ", console.faint(change.reason))


def _show_mounts(plan: ExportPlan) -> None:
    from crossbuild.cli import console
    from crossbuild.host.node_mounts import UNIT, fstab_line, spec_entry, unit_text

    console.line(console.strong("In a spec, below `mounts:`"))
    console.line(spec_entry(plan.mount))
    console.line(console.strong("Or in /etc/fstab of nodes"))
    console.line(fstab_line(plan.mount))
    console.line(console.strong(f"Or as /etc/systemd/system/{UNIT}"))
    for text in unit_text(plan.mount).splitlines():
        console.line(text)


def _as_json(plan: ExportPlan, *, done: bool) -> dict[str, object]:
    from crossbuild.host.changes import describe
    from crossbuild.host.node_mounts import UNIT, fstab_line, unit_text

    return {
        "done": done,
        "server": plan.choice.server,
        "reason": plan.choice.reason,
        "runs": plan.choice.runs,
        "file": plan.file,
        "content": plan.content,
        "changes": [{"change": describe(change), "reason": change.reason} for change in plan.changes],
        "include": plan.include,
        "next": _next_steps(plan),
        "mount": plan.mount,
        "fstab": fstab_line(plan.mount),
        "unit": {"name": UNIT, "text": unit_text(plan.mount)},
    }
