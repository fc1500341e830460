"""The exported tree: read over NFS from a server of its own, and exported by the kernel's tools.

The kernel that runs tests may have no NFS server, so a recording stand-in takes the place of exportfs(8).
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from crossbuild.host.command import CommandResult, capture
from crossbuild.host.exports import parse
from tests.integration.private_host import CROSSBUILD, run_privately

pytestmark = pytest.mark.real

SMS, WRITER, STRANGER = "10.77.0.1", "10.77.0.9", "127.0.0.1"
"""Addresses in a network namespace: that of this host, of a node that may write, and one of no node."""
PORT = 2049

GANESHA_CONF = """\
NFS_CORE_PARAM {{ Protocols = 4; NFS_Port = {port}; Enable_NLM = false; Enable_RQUOTA = false; }}
NFSv4 {{ Graceless = true; RecoveryBackend = fs; RecoveryRoot = {recovery}; }}
"""

EXPORTFS = """\
#!/bin/sh
echo "$@" >>{log}
"""


@pytest.fixture
def crossbuild(tmp_path: Path) -> str:
    """The command for a shell, with state and prefix below *tmp_path*."""
    config = tmp_path / "config.yaml"
    config.write_text(
        f"state: {tmp_path}/host/state\nprefix: {tmp_path}/host/prefix\nvariables: {{sms_ip: {SMS}}}\n"
    )
    return shlex.join([*CROSSBUILD, "--config", str(config), "builder", "export"])


def run_with_own_network(script: str, cwd: Path) -> CommandResult:
    """Run *script*, for `sh -e`, where `lo` alone has addresses and /etc/ganesha is the folder `ganesha`."""
    prepared = f"""
    cd {cwd}
    mount --bind ganesha /etc/ganesha
    ip link set lo up
    ip address add {SMS}/24 dev lo
    ip address add {WRITER}/32 dev lo  # one of its own network, so that the kernel sends from it
    {script}
    """
    return capture(
        [
            "unshare",
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",  # the server ends with the script
            "--mount-proc",
            "sh",
            "-euc",
            prepared,
        ],
        check=False,
        timeout=120,
    )


def test_what_was_installed_is_read_over_nfs_and_cannot_be_written(crossbuild: str, tmp_path: Path) -> None:
    tree = tmp_path / "host/prefix/opt/ohpc/pub"
    scratch = tree / "scratch"
    scratch.mkdir(parents=True)
    scratch.chmod(0o777)  # what refuses to write is the server, not the mode
    (tree / "moduledeps").write_text("gnu12\n")
    for name in ("ganesha", "recovery"):
        (tmp_path / name).mkdir()
    (tmp_path / "ganesha/ganesha.conf").write_text(
        GANESHA_CONF.format(port=PORT, recovery=tmp_path / "recovery")
    )
    (tmp_path / "new").write_text("new\n")

    def url(address: str, name: str) -> str:
        return f"'nfs://{address}{tree}/{name}?version=4&nfsport={PORT}'"

    include = "import json; print(json.load(open('plan.json'))['include'])"
    done = run_with_own_network(
        f"""
        {crossbuild} --server ganesha --read-write-for {WRITER} --json >plan.json
        {sys.executable} -c "{include}" >>ganesha/ganesha.conf
        ganesha.nfsd -F -f /etc/ganesha/ganesha.conf -L server.log -p server.pid >/dev/null 2>&1 &
        tries=0
        until nfs-cat {url(SMS, "moduledeps")} 2>/dev/null; do
            tries=$((tries + 1))
            test $tries -lt 60 || {{ tail server.log >&2; exit 9; }}
            sleep 0.5
        done
        nfs-cp new {url(SMS, "scratch/by-node")} 2>refused || echo refused node
        nfs-cat {url(STRANGER, "moduledeps")} 2>/dev/null || echo refused stranger
        nfs-cp new {url(WRITER, "scratch/by-writer")} >/dev/null
        """,
        tmp_path,
    )
    assert done.status == 0, done.stderr
    assert done.stdout == "gnu12\nrefused node\nrefused stranger\n"
    assert "NFS4ERR_ROFS" in (tmp_path / "refused").read_text()
    assert [path.name for path in scratch.iterdir()] == ["by-writer"]
    assert (scratch / "by-writer").stat().st_uid != 0


def run_with_own_etc(script: str, cwd: Path) -> str:
    """Run *script* where changes of /etc are seen by nobody else and `exportfs` writes down its arguments."""
    stand_in = cwd / "bin/exportfs"
    stand_in.parent.mkdir()
    stand_in.write_text(EXPORTFS.format(log=cwd / "exportfs.log"))
    stand_in.chmod(0o755)
    done = run_privately(
        f"""
        mkdir layer
        mount -t tmpfs tmpfs layer
        mkdir layer/upper layer/work
        mount -t overlay -o lowerdir=/etc,upperdir=layer/upper,workdir=layer/work overlay /etc
        PATH={cwd}/bin:$PATH
        {script}
        """,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_kernels_server_gets_a_drop_in_and_hears_of_it_and_undo_takes_both_back(
    crossbuild: str, tmp_path: Path
) -> None:
    before = "import os; print(sorted(os.listdir('/etc')))"
    output = run_with_own_etc(
        f"""
        {sys.executable} -c "{before}" >before
        {crossbuild} --server kernel --sms-ip 127.0.0.1 --json
        cp /etc/exports.d/crossbuild.exports drop-in
        {crossbuild} --undo >undone
        {sys.executable} -c "{before}" >after
        test ! -e host
        """,
        tmp_path,
    )
    plan = json.loads(output)
    (export,) = parse((tmp_path / "drop-in").read_text())
    assert export.path == f"{tmp_path}/host/prefix/opt/ohpc/pub"
    (client,) = export.clients
    assert client.name == "127.0.0.0/8"
    assert client.options == ("ro", "sync", "root_squash", "no_subtree_check", "fsid=13")
    assert plan["fstab"].startswith(f"127.0.0.1:{export.path} /opt/ohpc/pub nfs ro,")
    assert (tmp_path / "exportfs.log").read_text() == "-ra\n-ra\n"
    assert "Left" not in (tmp_path / "undone").read_text()
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()


def test_a_dry_run_changes_nothing(crossbuild: str, tmp_path: Path) -> None:
    output = run_with_own_etc(
        f"""
        {crossbuild} --server kernel --sms-ip 127.0.0.1 --dry-run
        test ! -e host
        test ! -e /etc/exports.d
        test ! -e exportfs.log
        """,
        tmp_path,
    )
    assert "Would write the file /etc/exports.d/crossbuild.exports" in output


def test_the_export_of_the_ancestor_is_named_and_left(crossbuild: str, tmp_path: Path) -> None:
    line = f"{tmp_path}/host/prefix/opt/ohpc/pub 172.17.0.0/16(rw,no_root_squash)"
    run_with_own_etc(
        f"""
        echo '{line}' >/etc/exports
        {crossbuild} --server kernel --sms-ip 127.0.0.1 2>error && exit 9 || test $? = 3
        test "$(cat /etc/exports)" = '{line}'
        test ! -e exportfs.log
        """,
        tmp_path,
    )
    assert "/etc/exports exports" in (tmp_path / "error").read_text()


def test_an_address_of_another_host_is_refused(crossbuild: str, tmp_path: Path) -> None:
    run_with_own_etc(
        f"{crossbuild} --server kernel --sms-ip 198.51.100.7 2>error && exit 9 || test $? = 2", tmp_path
    )
    assert "198.51.100.7 is not an address of this host." in (tmp_path / "error").read_text()
