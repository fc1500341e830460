"""The rules are data, and data can be wrong in ways that a table of them shows."""

import pytest

from crossbuild.acceleration.rules import APT, RPM, TWIN, PackageRules, apt_settings, shell_settings


@pytest.mark.parametrize("program", ["uname", "arch", "stdbuf"])
def test_programs_that_tell_or_need_the_architecture_stay_in_qemu(program: str) -> None:
    assert not APT["coreutils"].allows(program)


def test_everything_else_of_such_a_package_may_be_replaced() -> None:
    assert APT["coreutils"].allows("cat")


def test_every_program_of_dpkg_that_knows_its_architecture_is_told_the_root_s() -> None:
    rules = APT["dpkg"]
    assert set(rules.named) >= {"dpkg", "dpkg-query", "dpkg-trigger", "dpkg-divert", "dpkg-deb"}
    assert all(rules.allows(program) for program in rules.named)
    # These are for people, for compilers, and for running programs.
    assert not any(rules.allows(program) for program in ("dselect", "dpkg-architecture", "start-stop-daemon"))


def test_python_runs_natively_only_where_it_compiles_files() -> None:
    rules = APT["python3.11-minimal"]
    words = [choice.split() for choice in rules.when["python3.11"].first]
    assert rules.only == ("python3.11",)
    assert all("py_compile" in words[-1] for words in words)


@pytest.mark.parametrize(("package", "rules"), [*APT.items(), *RPM.items()])
def test_every_exclusion_has_a_reason_and_every_condition_a_program(
    package: str, rules: PackageRules
) -> None:
    assert all(rules.never.values())
    assert all(rules.allows(program) for program in rules.when)
    assert not (rules.only and rules.never)


def test_the_settings_that_conditions_name_exist() -> None:
    shell = {setting.name for setting in shell_settings("aarch64-redhat-linux-gnu")}
    apt = {setting.name for setting in apt_settings("x86_64-linux-gnu", "5.36")}
    for rules, names in ((APT, shell | apt), (RPM, shell)):
        conditions = (when for rule in rules.values() for when in rule.when.values())
        for condition in conditions:
            assert {*condition.sets, *condition.owns} <= names


def test_perl_finds_its_modules_in_the_twin_first() -> None:
    (perl,) = (setting for setting in apt_settings("x86_64-linux-gnu", "5.36") if setting.name == "PERL5LIB")
    assert perl.value.split(":")[0] == f"{TWIN}/usr/lib/x86_64-linux-gnu/perl-base"
