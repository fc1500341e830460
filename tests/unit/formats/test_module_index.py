from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from crossbuild.formats.module_index import parse_dependencies

P = PurePosixPath


def test_each_module_is_listed_with_what_it_needs() -> None:
    text = "# made by depmod\nkernel/a.ko:\n\nkernel/b.ko.xz: kernel/a.ko kernel/c.ko\n"
    assert parse_dependencies(text) == {
        P("kernel/a.ko"): (),
        P("kernel/b.ko.xz"): (P("kernel/a.ko"), P("kernel/c.ko")),
    }


@pytest.mark.parametrize("text", ["kernel/a.ko\n", "kernel/a.ko:\n: kernel/b.ko\n"])
def test_a_line_without_a_module_is_refused_by_its_number(text: str) -> None:
    with pytest.raises(ValueError, match=rf"line {len(text.splitlines())} "):
        parse_dependencies(text)
