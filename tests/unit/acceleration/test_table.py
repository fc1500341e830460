"""The text that crossbuild-exec reads."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

from crossbuild.acceleration.table import MAX_SIZE, Rule, Setting, render_table

HOSTTYPE = Setting(name="HOSTTYPE", value="aarch64")


def rule(path: str, **conditions: Any) -> Rule:
    return Rule(path=PurePosixPath(path), size=7, **conditions)


def test_settings_come_first_and_rules_in_the_order_of_their_bytes() -> None:
    paths = ["/usr/bin/sed", "/usr/bin/[", "/usr/bin/gawk-csv", "/usr/bin/gawk", "/usr/bin/gawk.old"]
    lines = render_table([rule(path) for path in paths], [HOSTTYPE]).decode().splitlines()
    assert lines == [
        "crossbuild-exec 1",
        "set HOSTTYPE=aarch64",
        "/usr/bin/[ 7",
        "/usr/bin/gawk 7",
        "/usr/bin/gawk-csv 7",
        "/usr/bin/gawk.old 7",
        "/usr/bin/sed 7",
    ]


def test_conditions_are_words_behind_the_size() -> None:
    bash = rule(
        "/usr/bin/bash", first=("-c", "-e*"), none=("--version",), sets=("HOSTTYPE",), owns=("HOSTTYPE",)
    )
    line = render_table([bash], [HOSTTYPE]).splitlines()[-1]
    assert line == b"/usr/bin/bash 7 first=-c,-e* none=--version set=HOSTTYPE own=HOSTTYPE"


def test_a_rule_may_name_the_size_of_the_program_that_it_is_about() -> None:
    sed = Rule(path=PurePosixPath("/usr/bin/sed"), size=7, original=9, first=("-n",))
    assert render_table([sed]).splitlines()[-1] == b"/usr/bin/sed 7 of=9 first=-n"


def test_a_rule_may_name_what_must_be_absent() -> None:
    perl = rule("/usr/bin/perl", absent=(PurePosixPath("/usr/lib/perl5"), PurePosixPath("/opt/perl")))
    assert render_table([perl]).splitlines()[-1] == b"/usr/bin/perl 7 absent=/usr/lib/perl5,/opt/perl"


def test_several_first_arguments_are_joined() -> None:
    python = Rule(path=PurePosixPath("/usr/bin/python3"), size=7, first=("-m py_compile", "-V"))
    assert render_table([python]).splitlines()[-1] == b"/usr/bin/python3 7 first=-m|py_compile,-V"


@pytest.mark.parametrize(
    ("rules", "settings", "reason"),
    [
        ([rule("bin/sed")], [], "not a path"),
        ([rule("/bin/a b")], [], "not a path"),
        ([rule("/bin/a\nb")], [], "not a path"),
        ([rule("/bin/ü")], [], "not a path"),
        ([rule("/bin/sed"), rule("/bin/sed", first=("-n",))], [], "two rules"),
        ([rule("/bin/sed", first=("a,b",))], [], "not an argument"),
        ([rule("/bin/sed", first=("a|b c|",))], [], "not an argument"),
        ([rule("/bin/sed", first=("a  b",))], [], "not an argument"),
        ([rule("/bin/sed", none=("a b",))], [], "not an argument"),
        ([rule("/bin/sed", none=("",))], [], "not an argument"),
        ([rule("/bin/sed", absent=(PurePosixPath("/a,b"),))], [], "not a path"),
        ([rule("/bin/sed", sets=("HOSTTYPE",))], [], "no setting has the name HOSTTYPE"),
        ([], [Setting(name="A B", value="")], "not a variable"),
        ([], [Setting(name="A", value="x\ny")], "not a variable"),
        ([], [Setting(name="A", value="x" * MAX_SIZE)], "more than"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(
    rules: list[Rule], settings: list[Setting], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        render_table(rules, settings)
