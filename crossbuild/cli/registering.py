"""What the commands of all provisioners share: plans, progress and receipts, shown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from crossbuild.cli import console
from crossbuild.cli.options import Session
from crossbuild.config.site import load_site
from crossbuild.model.receipt import Receipt
from crossbuild.model.registration import Action, Left
from crossbuild.pipeline import registration
from crossbuild.pipeline.boot_proof import require_booted
from crossbuild.registrars.contract import Registrar
from crossbuild.wording import size_text


def carry_out(
    session: Session,
    registrar: Registrar,
    directory: Path,
    *,
    dry_run: bool,
    require_boot: bool,
    as_json: bool,
) -> None:
    """Register the set in *directory*, or show what that would do."""
    if require_boot:
        require_booted(directory, registrar.kind)
    if dry_run:
        plan = registration.plan_registration(registrar, directory)
        if as_json:
            console.print_json({"done": False, "actions": _actions(plan.actions), "notes": plan.notes})
        else:
            _show_actions(plan.actions)
            _show_notes(plan.notes)
        return
    site = load_site(session.config)
    done = registration.register(registrar, directory, site, _hearer(as_json=as_json))
    if as_json:
        found = {"path": done.path, "receipt": done.receipt} if done else {"path": None, "receipt": None}
        console.print_json({"done": True, **found})
    elif done:
        show_receipt(done.receipt)
        console.note(console.strong("Take it back: "), f"crossbuild register --undo {done.path}")
    else:
        console.line("Nothing to do: all of it is registered already.")


def take_back(session: Session, path: Path, *, dry_run: bool, as_json: bool) -> None:
    """Take back the receipt in *path*, or show what that would do."""
    site = load_site(session.config)
    if dry_run:
        plan = registration.plan_undo(path, site)
        if as_json:
            console.print_json({"done": False, "actions": _actions(plan.actions), "left": plan.left})
        else:
            _show_actions(plan.actions)
            _show_left(plan.left)
        return
    left = registration.undo(path, site, _hearer(as_json=as_json))
    if as_json:
        console.print_json({"done": True, "left": left})
    else:
        _show_left(left)
        console.line(console.good("Taken back."))


def show_receipt(receipt: Receipt) -> None:
    """Print what was registered and changed, as it was read back."""
    rows = [
        (one.kind, one.name, one.id or "-", one.arch or "-", one.checksum or "-") for one in receipt.objects
    ]
    console.table(("Kind", "Name", "Id", "Arch", "Checksum"), rows)
    for change in receipt.changes:
        before = f", before: {change.before}" if change.before else ""
        console.line(f"{change.kind} {change.name}: {change.key} is {change.after or 'unset'}{before}")


class _Percentages:
    """Tells of each tenth of what is being sent, once."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take in that *done* of *total* bytes of *what* are sent."""
        tenth = done * 10 // total if total else 0
        if tenth > self._told.get(what, 0):
            self._told[what] = tenth
            console.note(f"{what}: {size_text(done)} of {size_text(total)} ({tenth}0 %)")


def _hearer(*, as_json: bool) -> registration.Hearer:
    return registration.Hearer(
        notice=console.note,
        on_action=lambda action: None if as_json else _show_action("", action),
        on_progress=_Percentages(),
    )


def _actions(actions: Iterable[Action]) -> list[dict[str, str]]:
    return [{"action": action.text, "reason": action.reason} for action in actions]


def _show_actions(actions: Iterable[Action]) -> None:
    found = tuple(actions)
    for action in found:
        _show_action("Would: ", action)
    if not found:
        console.line("Nothing to do.")


def _show_action(verb: str, action: Action) -> None:
    console.line(console.strong(verb), action.text, console.faint(f"  # {action.reason}"))


def _show_notes(notes: Iterable[str]) -> None:
    for note in notes:
        console.note(console.warning("Note: "), note)


def _show_left(left: Iterable[Left]) -> None:
    for item in left:
        console.line(console.warning("Left as it is: "), f"{item.what}. {item.reason}")
