"""What the RPM distributions of the integration tests are made of, before any of it is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.model.architecture import Architecture
from tests.integration.rpm_distribution import bad, making
from tests.integration.rpm_distribution.debs import Deb, parse_depends, rpm_version
from tests.integration.rpm_distribution.dependencies import Dependencies, find_dependencies, without_unknown
from tests.integration.rpm_distribution.layout import link_target, move_package, placed
from tests.integration.rpm_distribution.spec import Content, Parts, read_attributes, render_spec
from tests.integration.rpm_distribution.table import TABLE, Like, Row, assign, read_rows

ARM = Architecture.AARCH64
ROWS = """\
# comment
glibc       =          libc6
    Provides: both
    el: Files: /one
    suse: Provides: other
tools       part-tools big-*
    Only: usr/bin/a*
-           -          debconf
"""


def test_rows_are_read_for_one_distribution() -> None:
    el, suse = (read_rows(like, ROWS) for like in Like)
    assert [row.name for row in el] == ["glibc", "tools", ""]
    assert [row.name for row in suse] == ["glibc", "part-tools", ""]
    assert (el[0].preamble, el[0].files) == (("Provides: both",), ("/one",))
    assert (suse[0].preamble, suse[0].files) == (("Provides: both", "Provides: other"), ())


def test_packages_without_a_row_are_named_as_the_distribution_would() -> None:
    names = {like: [row.name for row in assign((), ("libacl1", "libfoo-2.0-0"), like)] for like in Like}
    assert names == {Like.EL: ["libacl", "libfoo-2.0"], Like.SUSE: ["libacl1", "libfoo-2.0-0"]}


def test_what_is_left_out_keeps_its_row_without_a_name() -> None:
    rows = assign(read_rows(Like.EL, ROWS), ("big-one", "debconf"), Like.EL)
    assert [(row.name, row.debs) for row in rows] == [("tools", ("big-one",)), ("", ("debconf",))]
    assert rows[0].takes("usr/bin/alpha")
    assert not rows[0].takes("usr/bin/beta")


@pytest.mark.parametrize("like", list(Like))
def test_every_row_of_the_table_has_debian_packages(like: Like) -> None:
    rows = read_rows(like, TABLE.read_text())
    assert len(rows) > 100
    assert all(row.debs for row in rows)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("bin/sed", "usr/bin/sed"),
        ("lib/aarch64-linux-gnu/libc.so.6", "usr/lib64/libc.so.6"),
        ("usr/lib/aarch64-linux-gnu/gconv/UTF-16.so", "usr/lib64/gconv/UTF-16.so"),
        ("lib/modules/6.1/kernel/a.ko", "usr/lib/modules/6.1/kernel/a.ko"),
        ("boot/vmlinuz-6.1", "usr/lib/modules/6.1/vmlinuz"),
        ("lib/systemd/system/ssh.service", "usr/lib/systemd/system/sshd.service"),
        ("lib/systemd/system/ssh.socket", "usr/lib/systemd/system/ssh.socket"),
        ("usr/share/doc/sed/copyright", None),
        ("etc/init.d/ssh", None),
    ],
)
def test_paths_get_their_place(path: str, place: str | None) -> None:
    assert placed(path, ARM) == place


@pytest.mark.parametrize(
    ("path", "target", "new"),
    [
        ("usr/lib/aarch64-linux-gnu/liba.so", "liba.so.1", "liba.so.1"),
        ("usr/lib/aarch64-linux-gnu/libb.so", "/lib/aarch64-linux-gnu/libb.so.1", "/usr/lib64/libb.so.1"),
        ("lib/ld-linux-aarch64.so.1", "aarch64-linux-gnu/ld.so", "../lib64/ld.so"),
        ("sbin/init", "/lib/systemd/systemd", "/usr/lib/systemd/systemd"),
    ],
)
def test_links_lead_where_they_led(path: str, target: str, new: str) -> None:
    assert link_target(path, target, ARM) == new


def test_a_link_that_would_lead_to_itself_gives_way_to_the_file(tmp_path: Path) -> None:
    unpacked, root = tmp_path / "deb", tmp_path / "root"
    (unpacked / "lib/x86_64-linux-gnu").mkdir(parents=True)
    (unpacked / "lib/x86_64-linux-gnu/ld.so.2").write_text("loader")
    (unpacked / "lib64").mkdir()
    (unpacked / "lib64/ld.so.2").symlink_to("/lib/x86_64-linux-gnu/ld.so.2")
    root.mkdir()
    assert "usr/lib64/ld.so.2" in move_package(unpacked, root, Architecture.X86_64)
    assert (root / "usr/lib64/ld.so.2").read_text() == "loader"


@pytest.mark.parametrize(
    ("debian", "rpm"),
    [
        ("1:2.38.1-5+deb12u3", ("2.38.1", "5+deb12u3")),
        ("3.23", ("3.23", "0")),
        ("1.0-rc1-2", ("1.0.rc1", "2")),
    ],
)
def test_versions_are_split_as_rpm_wants_them(debian: str, rpm: tuple[str, str]) -> None:
    assert rpm_version(debian) == rpm


def test_dependencies_lose_their_versions() -> None:
    assert parse_depends("a (>= 1), b:any | c, d [arm64]") == (("a",), ("b", "c"), ("d",))


def test_scripts_need_their_interpreters_and_data_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#! /bin/bash -e\n")
    (tmp_path / "script").chmod(0o755)
    (tmp_path / "data").write_text("#!/usr/bin/perl\n")
    found = find_dependencies(tmp_path, ("script", "data", "missing"))
    assert found == Dependencies(provides=(), requires=("/bin/bash",))


def test_libraries_that_nobody_has_are_not_needed() -> None:
    every = {
        "a": Dependencies(provides=("libc.so.6()(64bit)",), requires=()),
        "b": Dependencies(provides=(), requires=("/bin/sh", "libatm.so.1()(64bit)", "libc.so.6()(64bit)")),
    }
    assert without_unknown(every)["b"].requires == ("/bin/sh", "libc.so.6()(64bit)")


def content(name: str, *, files: frozenset[str], depends: tuple[tuple[str, ...], ...] = ()) -> Content:
    return Content(
        row=Row(name=name, debs=(name,)),
        debs=(Deb(name=name, version="1-2", depends=depends),),
        dependencies=(Dependencies(provides=(), requires=()),),
        files=files,
        folders=frozenset(),
    )


def rendered(like: Like) -> list[str]:
    depends = (("gone", "libz1"), ("gone",))
    contents = (
        content("libz1", files=frozenset({"usr/lib64/libz.so.1"})),
        content("tool", files=frozenset({"etc/tool", "usr/bin/tool"}), depends=depends),
    )
    attributes = read_attributes("# comment\n/usr/bin/tool 0755 root root %caps(cap_net_raw=p)\n")
    parts = Parts(macros="", fragments=(), attributes=attributes, install="")
    return render_spec(contents, like, parts).splitlines()


def test_a_spec_has_what_the_tables_say() -> None:
    lines = rendered(Like.EL)
    assert {"%package -n tool", "Version: 1", "Release: 2.el9", "Requires: libz1"} <= set(lines)
    assert "%config(noreplace) /etc/tool" in lines
    assert "%attr(0755,root,root) %caps(cap_net_raw=p) /usr/bin/tool" in lines
    assert "Requires: gone" not in lines


def test_only_packages_of_libraries_run_ldconfig_and_only_where_file_triggers_do_not() -> None:
    scriptlets = {like: [line for line in rendered(like) if "ldconfig" in line] for like in Like}
    assert scriptlets[Like.EL] == []
    assert scriptlets[Like.SUSE] == [f"%{when} -n libz1 -p /sbin/ldconfig" for when in ("post", "postun")]


def test_every_wrong_repository_has_packages_that_its_spec_makes() -> None:
    text = bad.SPEC.read_text()
    assert set(bad.PACKAGES) == set(bad.Bad)
    for names in bad.PACKAGES.values():
        assert all(f"%wrong {name}\n" in text or f"%package -n {name}\n" in text for name in names)


def test_the_folders_of_filesystem_belong_to_nobody_else() -> None:
    assert {"usr", "usr/lib64", "etc/systemd/system"} <= making.STANDARD
    assert "etc/ssh" not in making.STANDARD
