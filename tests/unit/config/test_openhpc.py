"""The key `openhpc` of a spec, together with a site's package sources."""

from pathlib import Path

import pytest

from crossbuild.config.site import load_site
from crossbuild.config.spec import load_spec
from crossbuild.distros.catalog import lookup
from crossbuild.distros.rpm.complaints import Knowledge, explain
from crossbuild.distros.rpm.keys import trusted_keys
from crossbuild.distros.rpm.steps import wanted
from crossbuild.errors import CommandFailedError, SpecError
from crossbuild.model.spec import ImageSpec, RpmRepository

SPEC = 'name: node\ndistro: {distro}\nrelease: "{release}"\n{more}'
OPENHPC = 'openhpc: {{release: "{version}", groups: [compute, slurm-client]}}\n'
KEY_FILE = "signed_by: /etc/pki/openhpc"


def load(
    tmp_path: Path, version: str, *, distro: str = "rocky", release: str = "9", more: str = "", site: str = ""
) -> ImageSpec:
    spec, config = tmp_path / "spec.yaml", tmp_path / "config.yaml"
    spec.write_text(SPEC.format(distro=distro, release=release, more=OPENHPC.format(version=version) + more))
    config.write_text(f"state: {tmp_path}/state\n{site}")
    return load_spec(spec, load_site(config))


def sources(spec: ImageSpec) -> dict[str, RpmRepository]:
    return {source.id: source for source in spec.repositories if isinstance(source, RpmRepository)}


def test_its_packages_come_after_the_specs_own_and_none_twice(tmp_path: Path) -> None:
    spec = load(tmp_path, "3.1", more="packages: [vim, chrony]\nkernel: false\n")
    assert wanted(spec, lookup("rocky", "9")) == (
        "vim",
        "chrony",
        "ohpc-release",
        "ohpc-base-compute",
        "lmod-ohpc",
        "ohpc-slurm-client",
    )


def test_a_package_that_is_missing_is_told_by_the_key_that_asked_for_it(tmp_path: Path) -> None:
    spec = load(tmp_path, "3.1")
    error = CommandFailedError("", details="No match for argument: lmod-ohpc", status=1)
    assert explain(error, spec, Knowledge()).details.startswith("openhpc.groups: lmod-ohpc")


def test_its_repositories_come_after_the_distributions_with_those_that_it_needs(tmp_path: Path) -> None:
    found = sources(load(tmp_path, "3.1"))
    assert list(found) == ["baseos", "appstream", "extras", "crb", "epel", "openhpc", "openhpc-updates"]
    assert found["openhpc"].uris == ("https://repos.openhpc.community/OpenHPC/3/EL_9/",)
    assert found["openhpc"].fingerprints == ("6E19BE11D9A082C00A7DB41A7AC05F0940A90CC8",)
    assert found["openhpc"].gpgcheck


def test_one_mirror_entry_replaces_a_host_in_addresses_and_keys(tmp_path: Path) -> None:
    site = 'mirrors: {"https://repos.openhpc.community": "http://mirror.example.org/openhpc"}\n'
    found = sources(load(tmp_path, "3.1", site=site))
    assert found["openhpc-updates"].uris == ("http://mirror.example.org/openhpc/OpenHPC/3/updates/EL_9/",)
    assert found["baseos"].uris[0].startswith("https://dl.rockylinux.org/")


def test_a_site_can_describe_the_sources_of_a_series(tmp_path: Path) -> None:
    entry = f"{{id: openhpc, uris: ['http://mirror.example.org/$basearch'], {KEY_FILE}}}"
    found = sources(load(tmp_path, "3.1", site=f"repositories: {{openhpc-3: [{entry}]}}\n"))
    assert list(found)[-1] == "openhpc"
    assert found["openhpc"].uris == ("http://mirror.example.org/$basearch",)
    assert "openhpc-updates" not in found


def test_a_spec_that_names_its_sources_gets_no_others(tmp_path: Path) -> None:
    entry = f"{{id: all, uris: ['http://mirror.example.org/'], {KEY_FILE}}}"
    assert list(sources(load(tmp_path, "3.1", more=f"repositories: [{entry}]\n"))) == ["all"]


@pytest.mark.parametrize(("distro", "release", "version"), [("centos", "7", "1.3.9"), ("rocky", "8", "2.8")])
def test_a_key_that_nobody_knows_beforehand_is_not_believed(
    tmp_path: Path, distro: str, release: str, version: str
) -> None:
    found = sources(load(tmp_path, version, distro=distro, release=release))
    with pytest.raises(SpecError) as caught:
        trusted_keys(found["openhpc"], tmp_path)
    assert "Nothing says which keys may sign the repository `openhpc`" in caught.value.brief


def test_sources_of_another_kind_are_refused(tmp_path: Path) -> None:
    entry = "{uris: ['http://a'], suites: [a], components: [a], signed_by: /a}"
    with pytest.raises(SpecError) as caught:
        load(tmp_path, "3.1", site=f"repositories: {{openhpc-3: [{entry}]}}\n")
    assert "repositories.openhpc-3" in caught.value.details


def test_a_site_that_has_the_key_is_believed(tmp_path: Path) -> None:
    uris = "['https://repos.openhpc.community/OpenHPC/2/EL_8/']"
    site = f"repositories: {{openhpc-2: [{{id: openhpc, uris: {uris}, {KEY_FILE}}}]}}\n"
    found = sources(load(tmp_path, "2.8", release="8", site=site))
    assert found["openhpc"].signed_by == "/etc/pki/openhpc"
    assert {"powertools", "epel"} <= set(found)


def test_without_groups_there_are_its_repositories_alone(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.format(distro="rocky", release="9", more="openhpc: {release: '3.1'}\n"))
    (tmp_path / "config.yaml").write_text("")
    spec = load_spec(path, load_site(tmp_path / "config.yaml"))
    assert spec.openhpc == ()
    assert "openhpc" in sources(spec)
