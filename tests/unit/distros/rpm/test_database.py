"""What is installed, from the lines of rpm's own query."""

from crossbuild.distros.rpm.database import parse, parse_files
from crossbuild.model.root import Package

LINES = (
    "warning: something that rpm also says",
    "package\tvim-minimal\t2\t8.2.2637-20.el9\taarch64\t1456789\tvim-8.2.2637-20.el9.src.rpm",
    "package\tgpg-pubkey\t0\t350d275d-6279464b\t(none)\t0\t(none)",
    "package\tbash\t0\t5.1.8-9.el9\taarch64\t7738778\tbash-5.1.8-9.el9.src.rpm",
)


def test_an_epoch_is_part_of_the_version_and_keys_are_no_packages() -> None:
    assert parse(LINES) == (
        Package(name="bash", version="5.1.8-9.el9", arch="aarch64", kind="rpm", installed_size=7738778),
        Package(
            name="vim-minimal",
            version="2:8.2.2637-20.el9",
            arch="aarch64",
            kind="rpm",
            installed_size=1456789,
            source="vim",
        ),
    )


def test_every_path_belongs_to_its_package_whatever_else_rpm_says() -> None:
    lines = ("warning: odd", "file\tbash\t/usr/bin/bash", "file\tfilesystem\t/a\tb", "file\tbroken")
    assert parse_files(lines) == {"/usr/bin/bash": "bash", "/a\tb": "filesystem"}
