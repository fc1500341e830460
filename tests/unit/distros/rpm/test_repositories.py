"""Repositories as dnf and zypper read them: nothing in them depends on the host."""

import configparser

from crossbuild.distros.rpm.repositories import CACHE, dnf_main, repo_file, usable, zypp_main
from crossbuild.model.architecture import Architecture
from crossbuild.model.spec import RpmRepository

REPOSITORY = RpmRepository(
    id="baseos",
    uris=("http://a/$releasever/$basearch/", "http://b/$arch"),
    signed_by="http://keys/$basearch",
    fingerprints=("F",),
    gpgcheck=True,
    repo_gpgcheck=False,
)


def section(text: str, name: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return dict(parser[name])


def test_variables_are_filled_in_for_the_image_not_for_the_host() -> None:
    (found,) = usable([REPOSITORY], "9", Architecture.AARCH64)
    assert found.uris == ("http://a/9/aarch64/", "http://b/aarch64")
    assert found.signed_by == "http://keys/aarch64"


def test_a_repository_for_another_architecture_is_left_out() -> None:
    other = RpmRepository(**{**vars(REPOSITORY), "arches": (Architecture.X86_64,)})
    assert usable([other], "9", Architecture.AARCH64) == ()


def test_several_addresses_are_one_setting() -> None:
    found = section(repo_file(REPOSITORY, "/k"), "baseos")
    assert found["baseurl"].split() == list(REPOSITORY.uris)
    assert (found["gpgcheck"], found["repo_gpgcheck"], found["gpgkey"]) == ("1", "0", "file:///k")


def test_what_need_not_be_signed_has_no_keys() -> None:
    free = RpmRepository(**{**vars(REPOSITORY), "gpgcheck": False})
    assert "gpgkey" not in section(repo_file(free, "/k"), "baseos")


def test_dnf_keeps_what_it_writes_out_of_the_image() -> None:
    found = section(dnf_main("platform:el9"), "main")
    assert all(found[name].startswith(CACHE) for name in ("cachedir", "logdir", "persistdir"))
    assert found["module_platform_id"] == "platform:el9"
    assert "module_platform_id" not in section(dnf_main(""), "main")


def test_zypper_resolves_for_the_image() -> None:
    assert section(zypp_main(Architecture.AARCH64), "main")["arch"] == "aarch64"
