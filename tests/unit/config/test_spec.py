"""Specs: what is accepted, and how wrong ones are told."""

from pathlib import Path

import pytest

from crossbuild.config.site import load_site
from crossbuild.config.spec import files_of, load_spec
from crossbuild.errors import SpecError
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import OutputKind
from crossbuild.model.site import Site

GOOD = """\
name: node
distro: debian
release: "12"
packages: [chrony]
mounts:
  - {source: "{{ sms_ip }}:/opt", target: /opt/ohpc/pub, type: nfs}
files:
  - {source: motd.j2, target: /etc/motd}
  - {content: "secret {{ not_ours }}", target: /etc/raw, mode: "0600"}
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    config = tmp_path / "config.yaml"
    config.write_text(f"state: {tmp_path}/state\nvariables: {{sms_ip: 192.0.2.1}}\n")
    return load_site(config)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    (tmp_path / "motd.j2").write_text("served by {{ sms_ip }}\n")
    return path


def test_a_spec_is_complete_once_loaded(tmp_path: Path, site: Site) -> None:
    text = GOOD.replace('"secret {{ not_ours }}"', '"secret"')
    spec = load_spec(write(tmp_path, text), site)
    assert spec.arch is Architecture.AARCH64
    assert spec.outputs == tuple(OutputKind)
    assert spec.mounts[0].source == "192.0.2.1:/opt"
    assert spec.files[0].content == b"served by 192.0.2.1\n"
    assert spec.files[1].mode == 0o600
    assert spec.kernel is not None
    assert spec.kernel.package == "linux-image-arm64"
    assert "ttyAMA0" in spec.kernel.args


def test_the_digest_follows_the_content_of_files(tmp_path: Path, site: Site) -> None:
    path = write(tmp_path, GOOD.replace('"secret {{ not_ours }}"', '"a"'))
    first = load_spec(path, site).digest
    assert load_spec(path, site).digest == first
    (tmp_path / "motd.j2").write_text("something else\n")
    assert load_spec(path, site).digest != first


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(("packages:", "packagse:"), "packagse: there is no such key", id="unknown key"),
        pytest.param(('"12"', "9.10"), "release: must be text, but is the number 9.1", id="unquoted release"),
        pytest.param(("[chrony]", "chrony"), "packages: input should be a valid list", id="wrong type"),
        pytest.param(("[chrony]", "[chrony, 7]"), "packages[1]: must be text", id="wrong type in a list"),
        pytest.param(("[chrony]", "['a b; rm']"), "packages[0]: 'a b; rm' is not a package", id="package"),
        pytest.param(("type: nfs", "typ: nfs"), "mounts[0].type: field required", id="missing key"),
        pytest.param(("name: node", "name: ../node"), "name: must be 1 to 64 letters", id="dots"),
        pytest.param(("name: node", "name: a b"), "name: must be 1 to 64 letters", id="space"),
        pytest.param(("name: node", 'name: "a\\nb"'), "name: must be 1 to 64 letters", id="newline"),
        pytest.param(("name: node", "name: node\nname: x"), "'name' stands here twice", id="twice"),
        pytest.param(("name: node", "name: [node"), "line", id="not YAML"),
        pytest.param(("name: node", "name: node\narch: riscv64"), "arch: input should be", id="architecture"),
        pytest.param(("debian", "slackware"), "distro: known are debian", id="distribution"),
        pytest.param(('"12"', '"4"'), 'release: known are debian "11"', id="release"),
        pytest.param(("/etc/motd", "etc/motd"), "files[0].target: must be an absolute path", id="relative"),
        pytest.param(("/etc/motd", "/etc/../motd"), "files[0].target: must be an absolute path", id="up"),
        pytest.param(("motd.j2", "none.j2"), "files[0].source:", id="missing file"),
        pytest.param(('"0600"', "0600"), "files[1].mode: must be text", id="unquoted mode"),
        pytest.param(("not_ours", "not_ours | upper"), "'not_ours' is undefined", id="variable"),
        pytest.param(
            ("name: node", "name: node\nopenhpc: {release: '3', groups: [compute]}"),
            "OpenHPC 3.5 does not fit Debian 12",
            id="openhpc",
        ),
        pytest.param(
            ("name: node", "name: node\nkernel: false\noutputs: [ims]"),
            "`kernel: false` forbids",
            id="kernel",
        ),
        pytest.param(
            ("name: node", "name: node\nusers: {sync: [nobodyhere]}"),
            "users.sync[0]: nobodyhere",
            id="account",
        ),
    ],
)
def test_a_wrong_spec_is_told_by_path(
    tmp_path: Path, site: Site, change: tuple[str, str], expected: str
) -> None:
    text = GOOD.replace(*change)
    if "not_ours" not in change[0]:
        text = text.replace('"secret {{ not_ours }}"', '"secret"')
    with pytest.raises(SpecError) as caught:
        load_spec(write(tmp_path, text), site)
    assert expected in f"{caught.value.brief} {caught.value.details}"
    assert caught.value.exit_code == 2


def test_an_unknown_key_of_the_configuration_is_an_error(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("stat: /var\n")
    with pytest.raises(SpecError) as caught:
        load_site(config)
    assert "stat: there is no such key" in caught.value.details


def test_a_spec_is_made_of_itself_and_of_the_files_that_it_names(tmp_path: Path, site: Site) -> None:
    text = GOOD.replace('"secret {{ not_ours }}"', '"a"')
    assert files_of(write(tmp_path, text), site) == (tmp_path / "spec.yaml", tmp_path / "motd.j2")


def test_a_spec_with_accounts_is_made_of_the_files_that_list_them(tmp_path: Path, site: Site) -> None:
    text = 'name: node\ndistro: debian\nrelease: "12"\nusers: {sync: [daemon]}\n'
    made_of = files_of(write(tmp_path, text), site)
    assert made_of == (tmp_path / "spec.yaml", Path("/etc/passwd"), Path("/etc/group"))


ON_A_BASE = 'name: node\ndistro: debian\nrelease: "12"\nkernel: false\n'


def test_a_base_is_known_by_its_content(tmp_path: Path, site: Site) -> None:
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/hostname").write_text("node\n")
    path = write(tmp_path, ON_A_BASE + "base: root\n")
    first = load_spec(path, site)
    (tmp_path / "root").rename(tmp_path / "other")
    moved = load_spec(write(tmp_path, ON_A_BASE + "base: other\n"), site)
    assert first.base
    assert moved.base
    assert (moved.base.digest, moved.digest) == (first.base.digest, first.digest)
    (tmp_path / "other/etc/hostname").write_text("edon\n")
    assert load_spec(path, site).digest != first.digest


def test_a_base_that_is_not_there_is_named(tmp_path: Path, site: Site) -> None:
    with pytest.raises(SpecError) as caught:
        load_spec(write(tmp_path, ON_A_BASE + "base: nowhere.tar\n"), site)
    assert "nowhere.tar" in caught.value.details


def test_checks_are_commands_and_files_whose_content_counts(tmp_path: Path, site: Site) -> None:
    (tmp_path / "test_node.py").write_text("def test_it(host): ...\n")
    checks = "checks: [systemctl is-active ssh, {testinfra: test_node.py}]\n"
    path = write(tmp_path, GOOD.replace("{{ not_ours }}", "") + checks)
    spec = load_spec(path, site)
    assert spec.checks == ("systemctl is-active ssh",)
    assert [(test.name, test.content) for test in spec.tests] == [
        ("test_node.py", "def test_it(host): ...\n")
    ]
    assert tmp_path / "test_node.py" in files_of(path, site)
    (tmp_path / "test_node.py").unlink()
    with pytest.raises(SpecError) as caught:
        load_spec(path, site)
    assert "checks[1].testinfra" in caught.value.details
