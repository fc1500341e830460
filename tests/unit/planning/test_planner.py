"""Plans are pure: the same question, the same answer, with its reasons."""

from dataclasses import replace

import pytest

from crossbuild.distros.catalog import lookup
from crossbuild.errors import HostNotReadyError
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import Handler, HostFacts, OperatingSystem, OsFamily, elf_header
from crossbuild.model.plan import (
    CommandStep,
    ExecutorKind,
    ImportStep,
    LinkStep,
    PinnedPackage,
    Place,
    Plan,
    RemoveStep,
    Resolution,
    Venue,
    VenueKind,
    WriteStep,
)
from crossbuild.model.spec import Account, ImageSpec, ImportedBase, KernelSpec, MountSpec, ServiceSpec
from crossbuild.planning.planner import choose_executor, plan_build
from tests.unit.specs import make_spec

HANDLER = Handler(
    name="crossbuild-aarch64",
    interpreter="/usr/bin/qemu-aarch64-static",
    flags="POCF",
    offset=0,
    magic=elf_header(Architecture.AARCH64),
    mask=b"\xff" * 20,
)
HOST = HostFacts(
    machine="x86_64",
    kernel="6.1.0",
    system=OperatingSystem(id="debian", version="12", family=OsFamily.DEBIAN),
    systemd=True,
    root=True,
    binfmt_mounted=True,
    handlers=(HANDLER,),
    tools=(),
    engines=(),
    places=(),
)
HERE = Venue(kind=VenueKind.LOCAL, reason="it was asked for")
RESOLUTION = Resolution(
    base=(PinnedPackage(name="bash", version="1"),),
    added=(PinnedPackage(name="chrony", version="2"),),
    sources="abc",
    epoch=1_700_000_000,
)
KERNEL = KernelSpec(package="linux-image-arm64", drivers=(), firmware=(), modprobe=(), args="")
MUNGE = Account(
    name="munge", uid=990, gid=990, group="munge", gecos="", home="/nonexistent", shell="/usr/sbin/nologin"
)


def plan(spec: ImageSpec, resolution: Resolution = RESOLUTION) -> Plan:
    return plan_build(spec, lookup(spec.distro, spec.release), resolution, HOST, HERE)


def test_a_foreign_architecture_is_emulated_inside_and_native_outside() -> None:
    choice = choose_executor(Architecture.AARCH64, HOST, HERE)
    assert choice.kind is ExecutorKind.HYBRID
    assert "/usr/bin/qemu-aarch64-static" in choice.reason


def test_the_hosts_own_architecture_needs_no_emulation() -> None:
    assert choose_executor(Architecture.X86_64, HOST, HERE).kind is ExecutorKind.NATIVE


@pytest.mark.parametrize("handlers", [(), (replace(HANDLER, enabled=False),)])
def test_a_host_that_runs_no_such_programs_is_told_the_remedy(handlers: tuple[Handler, ...]) -> None:
    with pytest.raises(HostNotReadyError) as caught:
        choose_executor(Architecture.AARCH64, replace(HOST, handlers=handlers), HERE)
    assert "crossbuild setup" in caught.value.resolution


def test_every_step_carries_its_reason() -> None:
    spec = make_spec(packages=("chrony",), kernel=KERNEL, accounts=(MUNGE,), commands=("true",))
    assert all(step.reason for layer in plan(spec).layers for step in layer.steps)


def test_accounts_are_made_before_any_package_is_installed() -> None:
    spec = make_spec(packages=("chrony",), accounts=(MUNGE,))
    kinds = [type(step).__name__ for step in plan(spec).layers[1].steps]
    assert kinds[0] == "AccountsStep"


def test_package_managers_run_outside_and_the_users_commands_inside() -> None:
    spec = make_spec(packages=("chrony",), commands=("echo hello",))
    commands = [
        (step.argv[0], step.place)
        for layer in plan(spec).layers
        for step in layer.steps
        if isinstance(step, CommandStep)
    ]
    assert commands == [
        ("mmdebstrap", Place.OUTSIDE),
        ("apt-get", Place.OUTSIDE),
        ("/bin/sh", Place.INSIDE),
    ]


@pytest.mark.parametrize(
    ("change", "unchanged_layers"),
    [
        pytest.param({"commands": ("true",)}, 2, id="a command keeps the packages"),
        pytest.param({"packages": ("chrony", "vim")}, 1, id="a package keeps the base"),
        pytest.param({"accounts": (MUNGE,)}, 1, id="an account keeps the base"),
        pytest.param({"arch": Architecture.X86_64}, 0, id="another architecture keeps nothing"),
    ],
)
def test_what_changed_decides_which_trees_serve_again(
    change: dict[str, object], unchanged_layers: int
) -> None:
    before = plan(make_spec(packages=("chrony",))).layers
    after = plan(make_spec(**({"packages": ("chrony",)} | change))).layers
    same = [old.digest == new.digest for old, new in zip(before, after, strict=True)]
    assert same == [index < unchanged_layers for index in range(3)]


def test_a_new_version_of_a_package_makes_a_new_layer() -> None:
    newer = replace(RESOLUTION, added=(PinnedPackage(name="chrony", version="3"),))
    spec = make_spec(packages=("chrony",))
    assert plan(spec).layers[1].digest != plan(spec, newer).layers[1].digest
    assert plan(spec).layers[0].digest == plan(spec, newer).layers[0].digest


def test_mounts_and_services_become_files_of_the_image() -> None:
    mount = MountSpec(source="192.0.2.1:/pub", target="/opt/ohpc/pub", type="nfs", options="nfsvers=3")
    spec = make_spec(mounts=(mount,), services=ServiceSpec(enable=("chrony",), disable=("apt.timer",)))
    written = {
        step.path: step.content.decode() for step in plan(spec).layers[2].steps if isinstance(step, WriteStep)
    }
    assert "192.0.2.1:/pub /opt/ohpc/pub nfs nfsvers=3 0 0\n" in written["/etc/fstab"]
    # By their whole names: a preset for `chrony` matches no unit, and the node's own presets decide.
    preset = "enable chrony.service\ndisable apt.timer\n"
    assert written["/etc/systemd/system-preset/00-crossbuild.preset"] == preset


def test_nodes_make_their_own_host_keys_where_there_is_an_ssh_server() -> None:
    with_server = replace(RESOLUTION, added=(PinnedPackage(name="openssh-server", version="1"),))
    paths = [getattr(step, "path", "") for step in plan(make_spec(), with_server).layers[2].steps]
    assert "/etc/systemd/system/crossbuild-ssh-host-keys.service" in paths
    assert not plan(make_spec()).layers[2].steps


def rpm_plan(distro: str, release: str, **changes: object) -> Plan:
    """Return the plan of an image of that distribution, with what it publishes."""
    repositories = lookup(distro, release).rpm.chosen((), ())
    return plan(make_spec(distro=distro, release=release, repositories=repositories, **changes))


@pytest.mark.parametrize(("distro", "release"), [("rocky", "9"), ("opensuse-leap", "15.6")])
def test_rpm_trusts_keys_before_anything_is_installed_and_file_systems_are_mounted_on_folders(
    distro: str, release: str
) -> None:
    steps = [step for step in rpm_plan(distro, release).layers[0].steps if isinstance(step, CommandStep)]
    assert steps[0].argv[0] == "rpmkeys"
    assert [(step.bare, step.argv[-1]) for step in steps[1:]] == [
        (True, "filesystem"),
        (False, lookup(distro, release).rpm.base[-1]),
    ]


def test_kernel_packages_make_no_initramfs_and_the_node_s_kernels_do() -> None:
    layer = rpm_plan("rocky", "9", packages=("chrony",), kernel=KERNEL).layers[1]
    hooks = [
        (type(step).__name__, step.path) for step in layer.steps if isinstance(step, LinkStep | RemoveStep)
    ]
    hook = "/etc/kernel/install.d/50-dracut.install"
    assert ("LinkStep", hook) in hooks
    assert hooks.index(("LinkStep", hook)) < hooks.index(("RemoveStep", hook))


@pytest.mark.parametrize(
    ("distro", "release", "converted"), [("rocky", "9", False), ("opensuse-leap", "15.6", True)]
)
def test_the_root_s_own_rpm_writes_forms_that_hosts_cannot(
    distro: str, release: str, converted: bool
) -> None:
    steps = [step for step in rpm_plan(distro, release).layers[1].steps if isinstance(step, CommandStep)]
    assert any("rpmdb --importdb" in word for step in steps for word in step.argv) is converted


def test_each_distribution_calls_its_initramfs_its_own_way() -> None:
    names = {"rocky": "initramfs-$version.img", "opensuse-leap": "initrd-$version"}
    for distro, release in (("rocky", "9"), ("opensuse-leap", "15.6")):
        commands = rpm_plan(distro, release, kernel=KERNEL).layers[2].steps
        script = next(step.argv[3] for step in commands if isinstance(step, CommandStep))
        assert f'"/boot/{names[distro]}"' in script


BASE = ImportedBase(path="/srv/golden.tar", digest="1" * 64)


def test_a_base_that_exists_takes_the_place_of_the_smallest_root() -> None:
    layer = plan(make_spec(packages=("chrony",), base=BASE)).layers[0]
    assert layer.steps == (ImportStep(digest=BASE.digest, reason=layer.steps[0].reason),)
    assert not layer.kept


def test_of_a_base_the_content_counts_and_not_the_place() -> None:
    same = plan(make_spec(base=replace(BASE, path="/elsewhere")))
    other = plan(make_spec(base=replace(BASE, digest="2" * 64)))
    first = plan(make_spec(base=BASE))
    assert first.digest == same.digest
    assert {layer.digest for layer in first.layers} & {layer.digest for layer in other.layers} == set()


def test_a_base_in_a_form_that_the_host_does_not_write_is_taken_over_by_the_root_s_own_rpm() -> None:
    spec = make_spec(distro="openeuler", release="22.03", base=BASE)
    steps = [step for step in plan(spec).layers[0].steps if isinstance(step, CommandStep)]
    assert [step.place for step in steps] == [Place.INSIDE, Place.OUTSIDE, Place.OUTSIDE]
    assert ["--exportdb" in " ".join(step.argv) for step in steps] == [True, False, False]
    assert ["--importdb" in " ".join(step.argv) for step in steps] == [False, True, False]


@pytest.mark.parametrize(("distro", "release"), [("debian", "12"), ("rocky", "9")])
def test_other_settings_of_the_sources_make_another_base(distro: str, release: str) -> None:
    spec = make_spec(distro=distro, release=release)
    keys = [plan(spec, replace(RESOLUTION, settings=digest)).layers[0].digest for digest in ("a", "b")]
    assert keys[0] != keys[1]
