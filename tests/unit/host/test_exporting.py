from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from crossbuild.errors import HostNotReadyError, UsageError
from crossbuild.host import exporting, exports, ganesha
from crossbuild.host.changes import Change, MakeFolder, WriteFile
from crossbuild.host.exporting import ExportPlan, apply_export, plan_export, undo_export
from crossbuild.host.nfs_servers import ServerChoice
from crossbuild.model.export import Grant, NfsServer, SharedTree
from crossbuild.model.host import Place

ADDRESS = ip_address("10.1.0.1")
NODES = Grant(client=ip_network("10.1.0.0/16"), write=False)


class FakeHost:
    """A host whose tables lie below one folder, and whose kernel writes down when it is called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree = folder / "prefix/pub"
        self.exports, self.etab = folder / "etc/exports", folder / "var/etab"
        self.ganesha = folder / "etc/ganesha"
        self.reloads: list[Path] = []
        for parent in (self.ganesha, self.etab.parent, folder / "state"):
            parent.mkdir(parents=True)

    def plan(self, server: NfsServer, *grants: Grant) -> ExportPlan:
        shared = SharedTree(path=self.tree, grants=grants or (NODES,))
        choice = ServerChoice(server=server, reason="", runs=True)
        return plan_export(shared, ADDRESS, choice, self.folder / "state")

    def export(self, server: NfsServer, *grants: Grant) -> ExportPlan:
        plan = self.plan(server, *grants)
        apply_export(plan, self.folder / "state", _ignore)
        return plan

    def snapshot(self) -> dict[str, str]:
        files = (path for path in self.folder.rglob("*"))
        return {str(path): path.read_text() if path.is_file() else "" for path in files}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    fake = FakeHost(tmp_path)
    monkeypatch.setattr(exports, "EXPORTS", fake.exports)
    monkeypatch.setattr(exports, "DROP_INS", tmp_path / "etc/exports.d")
    monkeypatch.setattr(exports, "DROP_IN", tmp_path / "etc/exports.d/crossbuild.exports")
    monkeypatch.setattr(exports, "ETAB", fake.etab)
    monkeypatch.setattr(ganesha, "FOLDER", fake.ganesha)
    monkeypatch.setattr(ganesha, "MAIN", fake.ganesha / "ganesha.conf")
    monkeypatch.setattr(exporting, "reload_kernel", fake.reloads.append)
    monkeypatch.setattr(exporting, "find", lambda program: f"/sbin/{program}")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return fake


def _ignore(change: Change) -> None:
    pass


def fsid(plan: ExportPlan) -> frozenset[str]:
    return exports.parse(plan.content)[0].fsids


def test_the_kernel_gets_a_drop_in_below_folders_that_are_made_first(host: FakeHost) -> None:
    plan = host.plan(NfsServer.KERNEL)
    *folders, file = plan.changes
    assert [folder.path for folder in folders if isinstance(folder, MakeFolder)] == [
        host.tree.parent, host.tree, host.folder / "etc/exports.d",
    ]  # fmt: skip
    assert isinstance(file, WriteFile)
    assert (file.path, file.before) == (host.folder / "etc/exports.d/crossbuild.exports", None)
    assert plan.mount.source == f"10.1.0.1:{host.tree}"
    assert plan.mount.options == "ro,nodev,nfsvers=4"


def test_an_fsid_of_any_table_or_of_the_running_server_is_not_taken(host: FakeHost) -> None:
    host.exports.write_text("/home 10.1.0.0/16(rw,fsid=13)\n")
    (host.folder / "etc/exports.d").mkdir()
    (host.folder / "etc/exports.d/site.exports").write_text("/data 10.1.0.0/16(ro,fsid=14)\n")
    (host.folder / "etc/exports.d/not-read.conf").write_text("/data 10.1.0.0/16(ro,fsid=16)\n")
    host.etab.write_text("/ha\tnode1(rw,fsid=15)\n")
    assert fsid(host.plan(NfsServer.KERNEL)) == {"16"}


def test_the_fsid_stays_when_others_go(host: FakeHost) -> None:
    host.exports.write_text("/home 10.1.0.0/16(rw,fsid=13)\n")
    first = host.export(NfsServer.KERNEL)
    host.exports.unlink()
    host.etab.write_text(f"{host.tree}\t10.1.0.0/16(ro,fsid=14)\n")
    assert fsid(host.plan(NfsServer.KERNEL)) == fsid(first) == {"14"}


def test_below_a_root_of_nfs_4_nodes_take_version_3(host: FakeHost) -> None:
    host.exports.write_text("/export 10.1.0.0/16(ro,fsid=0)\n")
    assert host.plan(NfsServer.KERNEL).mount.options == "ro,nodev,nfsvers=3"


def test_exporting_again_writes_nothing_but_tells_the_server_again(host: FakeHost) -> None:
    host.export(NfsServer.KERNEL)
    before = host.snapshot()
    assert host.export(NfsServer.KERNEL).changes == ()
    assert host.snapshot() == before
    assert host.reloads == [host.tree, host.tree]


@pytest.mark.parametrize("server", NfsServer)
def test_undo_takes_back_everything_also_after_it_was_changed(host: FakeHost, server: NfsServer) -> None:
    before = host.snapshot()
    host.export(server)
    writer = Grant(client=ip_address("10.1.0.9"), write=True)
    (change,) = host.export(server, writer, NODES).changes
    assert isinstance(change, WriteFile)
    assert "10.1.0.9" in change.path.read_text()
    assert undo_export(host.tree, host.folder / "state", _ignore) == ()
    assert host.snapshot() == before
    assert host.reloads == ([host.tree] * 3 if server is NfsServer.KERNEL else [])


def test_an_undo_that_was_killed_before_the_server_heard_of_it_goes_on(host: FakeHost) -> None:
    host.etab.write_text(f"{host.tree}\t10.1.0.0/16(ro,fsid=13)\n")
    assert undo_export(host.tree, host.folder / "state", _ignore) == ()
    assert host.reloads == [host.tree]


def test_a_tree_with_software_stays(host: FakeHost) -> None:
    host.export(NfsServer.KERNEL)
    (host.tree / "gcc").mkdir()
    left = undo_export(host.tree, host.folder / "state", _ignore)
    assert {item.reason for item in left} == {"It is not empty."}
    assert (host.tree / "gcc").is_dir()


def test_a_tree_that_others_export_under_another_name_is_refused(host: FakeHost) -> None:
    host.tree.mkdir(parents=True)
    (host.folder / "link").symlink_to(host.tree)
    host.exports.write_text(f"{host.folder}/link 172.17.0.0/16(ro)\n")
    with pytest.raises(HostNotReadyError, match=f"{host.exports} exports"):
        host.plan(NfsServer.KERNEL)


@pytest.mark.parametrize("server", NfsServer)
def test_a_file_that_crossbuild_did_not_write_is_refused_and_shown(host: FakeHost, server: NfsServer) -> None:
    file = host.plan(server).file
    file.parent.mkdir(exist_ok=True)
    file.write_text("# mine\n")
    with pytest.raises(HostNotReadyError, match="did not write") as caught:
        host.plan(server)
    assert caught.value.details == "# mine"


def test_an_own_file_that_somebody_edited_is_refused(host: FakeHost) -> None:
    file = host.export(NfsServer.KERNEL).file
    file.write_text(file.read_text().replace("ro,", "rw,"))
    with pytest.raises(HostNotReadyError, match="did not write"):
        host.plan(NfsServer.KERNEL)


def test_a_tree_that_others_export_is_refused(host: FakeHost) -> None:
    host.exports.write_text(f"{host.tree}/ 172.17.0.0/16(rw,no_root_squash)\n")
    with pytest.raises(HostNotReadyError, match=f"{host.exports} exports"):
        host.plan(NfsServer.KERNEL)


def test_what_ganesha_includes_is_followed(host: FakeHost) -> None:
    (host.ganesha / "ganesha.conf").write_text('%include "more.conf"\n%include gone.conf\n%dir exports\n')
    (host.ganesha / "more.conf").write_text("%include ganesha.conf\nEXPORT { Export_Id = 13; Path = /a; }\n")
    (host.ganesha / "sample.conf").write_text(f"EXPORT {{ Export_Id = 14; Path = {host.tree}; }}\n")
    (host.ganesha / "exports").mkdir()
    (host.ganesha / "exports/site.conf").write_text("EXPORT { Export_Id = 15; Path = /b; }\n")
    plan = host.plan(NfsServer.GANESHA)
    assert (plan.file, plan.include) == (host.ganesha / "exports/crossbuild.conf", "")
    assert "Export_Id = 14;" in plan.content


def test_a_ganesha_that_does_not_read_the_file_needs_a_line(host: FakeHost) -> None:
    plan = host.export(NfsServer.GANESHA)
    assert plan.include == f'%include "{host.ganesha}/crossbuild.conf"'
    (host.ganesha / "ganesha.conf").write_text(plan.include + "\n")
    again = host.plan(NfsServer.GANESHA)
    assert (again.include, again.changes) == ("", ())


def test_a_tree_that_ganesha_exports_already_is_refused(host: FakeHost) -> None:
    (host.ganesha / "ganesha.conf").write_text(f'EXPORT {{ Export_Id = 1; Path = "{host.tree}"; }}\n')
    with pytest.raises(HostNotReadyError, match="exports"):
        host.plan(NfsServer.GANESHA)


def test_a_tree_on_a_network_file_system_is_refused(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(path=host.tree, existing=host.folder, filesystem="nfs4", free=1)
    monkeypatch.setattr(exporting, "inspect_place", lambda path: replace(place, path=path))
    with pytest.raises(HostNotReadyError, match="network file system"):
        host.plan(NfsServer.KERNEL)


@pytest.mark.parametrize("name", ["my tree", 'a"b', "a#b", "a\\b", "a\nb", "bücher"])
def test_a_path_that_would_need_quoting_is_refused(host: FakeHost, name: str) -> None:
    host.tree = host.folder / name
    with pytest.raises(UsageError, match="cannot be exported"):
        host.plan(NfsServer.KERNEL)


def test_only_root_may_export_and_undo(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    before = host.snapshot()
    plan = host.plan(NfsServer.KERNEL)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(HostNotReadyError, match="only root may"):
        apply_export(plan, host.folder / "state", _ignore)
    with pytest.raises(HostNotReadyError, match="only root may"):
        undo_export(host.tree, host.folder / "state", _ignore)
    assert host.snapshot() == before
