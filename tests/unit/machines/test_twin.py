"""Twins hold native programs where the root has them, and nothing else."""

from pathlib import Path

import pytest

from crossbuild.acceleration.rules import DEBIAN_RULES
from crossbuild.errors import DamagedTwinError
from crossbuild.machines.twin import make_twin
from crossbuild.model.architecture import Architecture
from tests.unit.trees import make_elf

NATIVE = Architecture.X86_64
PROGRAM = make_elf(machine=NATIVE.elf_machine)
FOREIGN = make_elf(machine=Architecture.AARCH64.elf_machine)


@pytest.fixture(autouse=True)
def relocated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nothing is rewritten here: the files are ELF headers without anything behind them."""
    names: list[str] = []
    monkeypatch.setattr("crossbuild.host.command.capture", lambda argv: names.append(Path(argv[-1]).name))
    return names


def package(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_so", ".so")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def table(folder: Path) -> list[str]:
    return [line.split(" ")[0] for line in (folder / "table").read_text().splitlines() if line[0] == "/"]


def test_programs_lie_where_roots_have_them_merged_or_not_yet(tmp_path: Path, relocated: list[str]) -> None:
    packages = {"sed": package(tmp_path / "sed", bin__sed=PROGRAM)}
    (tmp_path / "made").mkdir()
    make_twin(packages, packages, tmp_path / "made", NATIVE, DEBIAN_RULES)
    assert table(tmp_path / "made") == ["/bin/sed", "/usr/bin/sed"]
    assert relocated == ["sed"]
    assert (tmp_path / "made/twin/usr/bin/sed").stat().st_mode & 0o777 == 0o755


def test_excluded_programs_scripts_and_foreign_programs_are_left_out(tmp_path: Path) -> None:
    packages = {
        "coreutils": package(
            tmp_path / "c", bin__cat=PROGRAM, bin__uname=PROGRAM, bin__script=b"#!/bin/sh\n", bin__odd=FOREIGN
        )
    }
    (tmp_path / "made").mkdir()
    make_twin(packages, packages, tmp_path / "made", NATIVE, DEBIAN_RULES)
    assert table(tmp_path / "made") == ["/bin/cat", "/usr/bin/cat"]


def test_of_a_package_without_rules_only_libraries_are_taken(tmp_path: Path) -> None:
    folder = package(tmp_path / "l", usr__lib__x86_64__libz_so=PROGRAM, usr__bin__tool=PROGRAM)
    (folder / "usr/lib/x86_64/libz.so.1").symlink_to("libz.so")
    (tmp_path / "made").mkdir()
    make_twin({"zlib1g": folder}, {}, tmp_path / "made", NATIVE, DEBIAN_RULES)
    assert table(tmp_path / "made") == []
    assert sorted(path.name for path in (tmp_path / "made/twin/lib").iterdir()) == ["libz.so", "libz.so.1"]
    assert not (tmp_path / "made/twin/usr/bin").exists()


def test_a_damaged_program_is_an_error(tmp_path: Path) -> None:
    packages = {"sed": package(tmp_path / "sed", bin__sed=b"\x7fELF")}
    (tmp_path / "made").mkdir()
    with pytest.raises(DamagedTwinError, match="sed"):
        make_twin(packages, packages, tmp_path / "made", NATIVE, DEBIAN_RULES)


def test_a_program_that_names_its_own_architecture_names_the_root_s(tmp_path: Path) -> None:
    words = b"amd64\0 1.21 (amd64)\0 /usr/lib/amd64/x amd64-linux linux-amd64 xamd64 amd64x\0"
    packages = {
        "dpkg": package(tmp_path / "d", usr__bin__dpkg=PROGRAM + words),
        "sed": package(tmp_path / "s", usr__bin__sed=PROGRAM + words),
    }
    (tmp_path / "made").mkdir()
    make_twin(packages, packages, tmp_path / "made", NATIVE, DEBIAN_RULES)
    told = b"arm64\0 1.21 (arm64)\0 /usr/lib/amd64/x amd64-linux linux-amd64 xamd64 amd64x\0"
    assert (tmp_path / "made/twin/usr/bin/dpkg").read_bytes() == PROGRAM + told
    assert (tmp_path / "made/twin/usr/bin/sed").read_bytes() == PROGRAM + words


def test_only_what_the_root_has_too_is_replaced_and_of_the_size_that_it_has_there(tmp_path: Path) -> None:
    packages = {
        "sed": package(tmp_path / "sed", usr__bin__sed=PROGRAM),
        "tar": package(tmp_path / "tar", usr__bin__tar=PROGRAM),
        "grep": package(tmp_path / "grep", usr__bin__grep=PROGRAM, usr__bin__egrep=PROGRAM),
    }
    originals = {
        "sed": package(tmp_path / "arm-sed", usr__bin__sed=FOREIGN + b"longer"),
        "grep": package(tmp_path / "arm-grep", usr__bin__grep=FOREIGN),
    }
    (tmp_path / "made").mkdir()
    make_twin(packages, originals, tmp_path / "made", NATIVE, DEBIAN_RULES)
    assert table(tmp_path / "made") == ["/usr/bin/grep", "/usr/bin/sed"]
    sed = (tmp_path / "made/table").read_text().splitlines()[-1]
    assert f" of={len(FOREIGN) + 6}" in sed


def test_perl_asks_the_root_what_it_was_built_for(tmp_path: Path) -> None:
    modules = "usr__lib__x86_64-linux-gnu__"
    folder = package(
        tmp_path / "perl",
        **{
            f"{modules}perl-base__Config.pm": b"",
            f"{modules}perl-base__List__Util.pm": b"",
            f"{modules}perl__5.36__Errno.pm": b"",
            f"{modules}perl5__5.36__Some__Config.pm": b"",
        },
    )
    (tmp_path / "made").mkdir()
    make_twin({"perl-base": folder}, {}, tmp_path / "made", NATIVE, DEBIAN_RULES)
    made = tmp_path / "made/twin"
    names = {path.relative_to(made).as_posix() for path in made.rglob("*.pm")}
    assert {name.split("/", 3)[-1] for name in names} == {
        "perl-base/List/Util.pm",
        "perl5/5.36/Some/Config.pm",
    }
