"""What dnf and zypper would install is read from what they print for people and for programs."""

from crossbuild.distros.release import Family
from crossbuild.distros.rpm.managers import MANAGERS, dnf_table, zypper_summary
from crossbuild.model.plan import PinnedPackage

TABLE = """\
Last metadata expiration check: 0:00:01 ago on Sat Nov 21 12:15:45 2026.
Dependencies resolved.
================================================================================
 Package                                 Arch    Version           Repo     Size
================================================================================
Installing:
 bash                                    aarch64 5.1.8-9.el9       baseos  1.7 M
 a-package-with-a-name-that-is-too-long-for-its-column
                                         noarch  2:1.0-1.el9       baseos  6.3 k
Upgrading:
 old                                     aarch64 1-1               baseos  1.7 M
Installing dependencies:
 filesystem                              aarch64 3.16-5.el9        baseos  4.8 M
Installing weak dependencies:
 weak                                    noarch  1-1               baseos  4.8 M
Enabling module streams:
 perl                                            5.32

Transaction Summary
================================================================================
Install  3 Packages
"""

SUMMARY = """\
<install-summary download-size="65470768" space-usage-diff="184210495" packages-to-change="2">
<to-install>
<solvable type="package" name="bash" edition="4.4-150400.25.22" arch="aarch64" summary="a &amp; b">
<description>x</description></solvable>
<solvable type="pattern" name="base" edition="1-1" arch="aarch64"/>
<solvable type="package" name="filesystem" edition="15.0-11.8.1" arch="aarch64" summary="x"/>
"""


def test_dnf_s_table_is_read_also_where_a_line_is_broken() -> None:
    assert list(dnf_table(TABLE)) == [
        PinnedPackage(name="bash", version="5.1.8-9.el9"),
        PinnedPackage(name="a-package-with-a-name-that-is-too-long-for-its-column", version="2:1.0-1.el9"),
        PinnedPackage(name="old", version="1-1"),
        PinnedPackage(name="filesystem", version="3.16-5.el9"),
        PinnedPackage(name="weak", version="1-1"),
    ]


def test_zypper_s_summary_is_read_without_patterns() -> None:
    assert list(zypper_summary(SUMMARY)) == [
        PinnedPackage(name="bash", version="4.4-150400.25.22"),
        PinnedPackage(name="filesystem", version="15.0-11.8.1"),
    ]


def test_each_package_comes_on_twice() -> None:
    lines = {
        Family.DNF: (
            "  Installing       : bash-5.2-1.el9.aarch64                                 1/4 ",
            "  Verifying        : bash-5.2-1.el9.aarch64                                 1/4 ",
            "  Running scriptlet: bash-5.2-1.el9.aarch64                                 1/4 ",
        ),
        Family.ZYPPER: (
            "Retrieving package bash-5.2-1.aarch64 (1/4),  62.4 MiB (175.7 MiB unpacked)",
            "(1/4) Installing: bash-5.2-1.aarch64 [............done]",
            "Checking for file conflicts: [......done]",
        ),
    }
    for family, said in lines.items():
        assert sum(MANAGERS[family].handled.match(line) is not None for line in said) == 2
