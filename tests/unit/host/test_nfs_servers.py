from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.errors import HostNotReadyError
from crossbuild.host.exports import parse
from crossbuild.host.nfs_servers import ServerFacts, choose_server, inspect_servers, reload_arguments
from crossbuild.model.export import NfsServer

KERNEL, GANESHA = NfsServer.KERNEL, NfsServer.GANESHA
TREE = Path("/srv/pub")
OURS = Path("/etc/exports.d/crossbuild.exports")


@pytest.mark.parametrize(
    ("installed", "running", "wanted", "expected"),
    [
        pytest.param({KERNEL, GANESHA}, {GANESHA}, None, GANESHA, id="the one that runs"),
        pytest.param({KERNEL, GANESHA}, {KERNEL}, None, KERNEL, id="the kernel's that runs"),
        pytest.param({KERNEL, GANESHA}, set(), None, KERNEL, id="the kernel's before the other"),
        pytest.param({GANESHA}, set(), None, GANESHA, id="the one that is there"),
        pytest.param({KERNEL, GANESHA}, {KERNEL}, GANESHA, GANESHA, id="the one that is wanted"),
    ],
)
def test_the_server_follows_what_runs_and_what_is_installed(
    installed: set[NfsServer], running: set[NfsServer], wanted: NfsServer | None, expected: NfsServer
) -> None:
    facts = ServerFacts(installed=frozenset(installed), running=frozenset(running))
    choice = choose_server(facts, wanted)
    assert (choice.server, choice.runs) == (expected, expected in running)


@pytest.mark.parametrize(
    ("installed", "wanted", "program"),
    [(set(), None, "exportfs"), ({KERNEL}, GANESHA, "ganesha.nfsd"), ({GANESHA}, KERNEL, "exportfs")],
)
def test_a_server_that_is_missing_is_named(
    installed: set[NfsServer], wanted: NfsServer | None, program: str
) -> None:
    with pytest.raises(HostNotReadyError, match="not installed") as caught:
        choose_server(ServerFacts(installed=frozenset(installed), running=frozenset()), wanted)
    assert program in caught.value.details


def fake_proc(folder: Path, *, threads: str, process: str) -> Path:
    for path, text in {"fs/nfsd/threads": threads, "7/comm": process}.items():
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(f"{text}\n")
    return folder


@pytest.mark.parametrize(
    ("threads", "process", "running"),
    [
        ("8", "init", {KERNEL}),
        ("0", "init", set()),
        ("0", "ganesha.nfsd", {GANESHA}),
        ("8", "ganesha.nfsd", {KERNEL, GANESHA}),
    ],
)
def test_a_server_that_runs_is_seen(
    tmp_path: Path, threads: str, process: str, running: set[NfsServer]
) -> None:
    assert inspect_servers(fake_proc(tmp_path, threads=threads, process=process)).running == running


def test_a_kernel_without_the_server_runs_none(tmp_path: Path) -> None:
    assert inspect_servers(tmp_path).running == frozenset()


@pytest.mark.parametrize(
    ("exported", "written", "expected"),
    [
        pytest.param("", "/srv/pub a(ro)", [("-ra",)], id="a new export"),
        pytest.param("/srv/pub a(ro)\n/home b(rw)", "/home b(rw)", [("-ra",)], id="one that went"),
        pytest.param(
            "/ha c(rw)\n/srv/pub a(ro)", "/srv/pub a(ro) b(ro)", [("-a",)], id="beside one without a table"
        ),
        pytest.param(
            "/ha c(rw)\n/srv/pub a(ro) b(ro) fd00::/64(ro)",
            "/srv/pub a(ro)",
            [("-u", "b:/srv/pub"), ("-u", "[fd00::/64]:/srv/pub"), ("-a",)],
            id="clients that went, beside one without a table",
        ),
    ],
)
def test_exports_without_a_table_survive(
    exported: str, written: str, expected: list[tuple[str, ...]]
) -> None:
    assert list(reload_arguments(TREE, parse(exported), {OURS: parse(written)})) == expected
