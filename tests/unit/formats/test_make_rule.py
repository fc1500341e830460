"""Rules for make: what depends on what, in make's own spelling."""

from pathlib import Path

import pytest

from crossbuild.errors import UsageError
from crossbuild.formats.make_rule import make_rules


def test_a_target_depends_on_each_file_and_survives_their_loss() -> None:
    assert make_rules(Path("out/node/image.json"), [Path("node.yaml"), Path("/etc/motd")]) == (
        "out/node/image.json: \\\n  node.yaml \\\n  /etc/motd \\\n\nnode.yaml:\n/etc/motd:\n"
    )


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("my file", r"my\ file"),
        ("#1", r"\#1"),
        ("C:x", r"C\:x"),
        ("a$b", "a$$b"),
        ("a[1]*?", r"a\[1]\*\?"),
        ("plain-é_.txt~", "plain-é_.txt~"),
    ],
)
def test_characters_that_mean_something_to_make_are_quoted(name: str, spelled: str) -> None:
    assert make_rules(Path("t"), [Path(name)]) == f"t: \\\n  {spelled} \\\n\n{spelled}:\n"
    assert make_rules(Path(name), []).startswith(f"{spelled}: ")


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a%b", "a;b", "a=b", "a|b", "a&b", "a\\b", "a(b)"])
def test_a_name_that_no_makefile_can_hold_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_rules(Path("t"), [Path(name)])
    assert repr(name) in caught.value.details
