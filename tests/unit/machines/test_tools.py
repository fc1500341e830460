"""A root of tools sees of the host what it works on, at the same places, and little else."""

from pathlib import Path

from crossbuild.machines.sandbox import Bind
from crossbuild.machines.tools import ToolsRoot

TOOLS = ToolsRoot(
    root=Path("/srv/tools"),
    reason="dnf of /srv/tools, since this host has none",
    writable=(Path("/var/lib/crossbuild/cache"),),
    shown=(Path("/srv/mirror"),),
)
WORK = Path("/var/lib/crossbuild/work")
ROOT = WORK / "node.x/root"
MACROS = Bind(source=WORK / "node.x/build/rpm/macros", target=Path("/usr/lib/rpm"))


def places(*, bare: bool) -> dict[str, tuple[str, bool]]:
    sandbox = TOOLS.sandbox(ROOT, WORK, (MACROS,), bare=bare, hostname="", handler=None)
    return {str(bind.target): (str(bind.source), bind.read_only) for bind in sandbox.binds}


def test_what_is_worked_on_lies_at_its_place_and_repositories_cannot_be_changed() -> None:
    found = places(bare=True)
    assert found[f"/srv/tools{WORK}"] == (str(WORK), False)
    assert found["/srv/tools/srv/mirror"] == ("/srv/mirror", True)
    assert found["/srv/tools/usr/lib/rpm"] == (str(MACROS.source), False)
    assert not [place for place in found if place.startswith(f"/srv/tools{ROOT}/")]


def test_scriptlets_have_the_sandbox_s_own_proc_and_not_the_host_s() -> None:
    assert places(bare=False)[f"/srv/tools{ROOT}/proc"] == ("/srv/tools/proc", False)


def test_a_program_is_looked_for_in_the_root(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/dnf").symlink_to("dnf-3")
    tools = ToolsRoot(root=tmp_path, reason="", writable=(), shown=())
    assert (tools.has("dnf"), tools.has("zypper")) == (True, False)
    assert tools.argv(["dnf", "makecache"])[-2:] == ["dnf", "makecache"]
