from __future__ import annotations

import pytest

from crossbuild.model.residue import RESIDUE, Residue, ResidueAction, residue_at


@pytest.mark.parametrize(
    ("path", "action"),
    [
        ("/etc/machine-id", ResidueAction.TRUNCATE),
        ("/etc/resolv.conf", ResidueAction.TRUNCATE),
        ("/etc/ssh/ssh_host_ed25519_key", ResidueAction.REMOVE),
        ("/etc/ssh/ssh_host_ed25519_key.pub", ResidueAction.REMOVE),
        ("/var/lib/systemd/random-seed", ResidueAction.REMOVE),
        ("/var/lib/apt/lists/mirror_dists_InRelease", ResidueAction.REMOVE),
        ("/var/cache/apt/archives/a/b.deb", ResidueAction.REMOVE),
        ("/var/cache/dnf/baseos-1/repodata/repomd.xml", ResidueAction.REMOVE),
        ("/var/cache/zypp/packages/oss/aarch64/x.rpm", ResidueAction.REMOVE),
        ("/usr/sbin/policy-rc.d", ResidueAction.REMOVE),
        ("/usr/bin/qemu-aarch64-static", ResidueAction.REMOVE),
        ("/root/.bash_history", ResidueAction.REMOVE),
        ("/home/a b/.python_history", ResidueAction.REMOVE),
        ("/var/log/dnf.librepo.log", ResidueAction.REMOVE),
        ("/tmp/two\nlines", ResidueAction.REMOVE),
    ],
)
def test_what_a_build_leaves_is_in_the_table(path: str, action: ResidueAction) -> None:
    residue = residue_at(path)
    assert residue is not None
    assert residue.action is action
    assert residue.reason


@pytest.mark.parametrize(
    "path",
    [
        "/etc/ssh/sshd_config",
        "/etc/ssh/keys/ssh_host_rsa_key",
        "/etc/machine-id.d/x",
        "/opt/etc/machine-id",
        "/root/.bashrc",
        "/home/user/project/.bash_history",
        "/usr/bin/qemu-img",
        "/var/cache/aptly/x",
        "/tmp",
        "/etc/sshXssh_host_a_key",
    ],
)
def test_what_belongs_in_an_image_is_not(path: str) -> None:
    assert residue_at(path) is None


@pytest.mark.parametrize("residue", RESIDUE, ids=lambda residue: residue.pattern)
def test_every_pattern_finds_its_own_entry(residue: Residue) -> None:
    assert residue_at(residue.pattern.replace("**", "x/y").replace("*", "x")) == residue


def test_no_pattern_is_listed_twice() -> None:
    patterns = [entry.pattern for entry in RESIDUE]
    assert len(set(patterns)) == len(patterns)
