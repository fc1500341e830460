"""Each check, by what is put into a sound root and what is then found there."""

from __future__ import annotations

import gzip
import lzma
import struct
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.model.artifact import ArchProof, Kernel, KernelFormat
from crossbuild.verification.tree import CHECKS, verify_root
from tests.unit.trees import BPF, I386, SOUND, X86_64, XTENSA, library, make_elf, make_root, program

Files = Mapping[str, bytes | str]
KERNEL = Kernel(
    version="6.1.0", path=PurePosixPath("/boot/vmlinuz-6.1.0"), format=KernelFormat.IMAGE, gzipped=False
)
IMAGE = b"MZ".ljust(0x38, b"\0") + b"ARM\x64" + bytes(200)
BZIMAGE = bytes(0x202) + b"HdrS" + bytes(200)
BOOTABLE: Files = {
    **SOUND,
    "/boot/vmlinuz-6.1.0": IMAGE,
    "/lib/modules/6.1.0/modules.dep": b"kernel/a.ko:\nkernel/b.ko.xz: kernel/a.ko\n",
    "/lib/modules/6.1.0/modules.dep.bin": b"index",
    "/lib/modules/6.1.0/kernel/a.ko": make_elf(kind=1),
    "/lib/modules/6.1.0/kernel/b.ko.xz": lzma.compress(make_elf(kind=1)),
}
FOREIGN = make_elf(machine=X86_64)


def found(tmp_path: Path, files: Files, kernel: Kernel | None = None) -> list[tuple[str, str, str]]:
    verification = verify_root(make_root(tmp_path, files), kernel=kernel)
    return [(str(finding.path), finding.check, finding.message) for finding in verification.findings]


def without(files: Files, *names: str) -> Files:
    return {name: content for name, content in files.items() if name not in names}


def test_a_sound_root_passes_and_proves_its_architecture(tmp_path: Path) -> None:
    verification = verify_root(make_root(tmp_path, BOOTABLE), kernel=KERNEL)
    assert verification.findings == ()
    assert verification.notes == ()
    assert verification.proof == ArchProof(
        elf_files=6,
        arch=make_root(tmp_path, {}).arch,
        interpreter="/lib/ld-linux-aarch64.so.1",
        init="/usr/lib/systemd/systemd",
        kernel_header="arm64 Image (`ARM\\x64` at 0x38)",
    )


@pytest.mark.parametrize(
    ("files", "check", "path", "words"),
    [
        # architecture
        pytest.param({"/usr/bin/x": FOREIGN}, "architecture", "/usr/bin/x", "x86_64", id="program"),
        pytest.param(
            {"/usr/lib/x.so": make_elf(big_endian=True)},
            "architecture", "/usr/lib/x.so", "big", id="big endian",
        ),
        pytest.param({"/opt/x.o": make_elf(bits=32)}, "architecture", "/opt/x.o", "32 bits", id="ilp32"),
        pytest.param({"/m/x.ko": FOREIGN}, "architecture", "/m/x.ko", "x86_64", id="module"),
        pytest.param(
            {"/m/x.ko.gz": gzip.compress(FOREIGN)}, "architecture", "/m/x.ko.gz", "x86_64", id="module.gz"
        ),
        pytest.param(
            {"/m/x.ko.xz": lzma.compress(FOREIGN)}, "architecture", "/m/x.ko.xz", "x86_64", id="module.xz"
        ),
        pytest.param(
            {"/m/x.ko.xz": lzma.compress(b"")}, "architecture", "/m/x.ko.xz", "no ELF", id="empty module"
        ),
        pytest.param(
            {"/lib/firmware/x": make_elf(machine=I386)},
            "architecture", "/lib/firmware/x", "i386", id="x86 blob",
        ),
        pytest.param({"/usr/bin/x": b"\x7fELF"}, "architecture", "/usr/bin/x", "damaged", id="damaged"),
        # loader
        pytest.param(
            {"/usr/bin/x": program(interpreter="/lib/ld-musl.so.1")},
            "loader", "/usr/bin/x", "/lib/ld-musl.so.1 is not in the root", id="no loader",
        ),
        # libraries
        pytest.param(
            {"/usr/bin/x": program("libx.so.1")},
            "libraries", "/usr/bin/x", "needs libx.so.1, which is nowhere in the root", id="nowhere",
        ),
        pytest.param(
            {"/usr/bin/x": program("libx.so.1"), "/usr/lib/libx.so.1": library("libx.so.1", "liby.so.2")},
            "libraries", "/usr/lib/libx.so.1", "liby.so.2", id="second step",
        ),
        pytest.param(
            {"/usr/bin/x": program("libx.so.1"), "/opt/x/libx.so.1": library("libx.so.1")},
            "libraries", "/usr/bin/x", "in /opt/x", id="not searched",
        ),
        pytest.param(
            {"/usr/bin/x": program("libx.so.1"), "/usr/lib/libx.so.1.2": library("libx.so.1")},
            "libraries", "/usr/bin/x", "run ldconfig", id="link missing",
        ),
        pytest.param(
            {"/opt/x/bin/x": program("libx.so.1")}, "libraries", "/opt/x/bin/x", "libx.so.1", id="opt"
        ),
        pytest.param(
            {"/usr/lib/security/pam_x.so": make_elf(needed=("libx.so.1",))},
            "libraries", "/usr/lib/security/pam_x.so", "libx.so.1", id="plugin of PAM",
        ),
        pytest.param(
            {"/usr/lib/libnss_x.so.2": library("libnss_x.so.2", "libx.so.1")},
            "libraries", "/usr/lib/libnss_x.so.2", "libx.so.1", id="library that programs load by name",
        ),
        # shell, init
        pytest.param(
            {"/bin/sh": "/usr/bin/none"}, "shell", "/bin/sh", "link to /usr/bin/none", id="no shell"
        ),
        pytest.param({"/usr/bin/dash": b"#!"}, "shell", "/bin/sh", "is no program", id="shell is text"),
        pytest.param({"/sbin/init": "/none"}, "init", "/sbin/init", "not in the root", id="dangling init"),
        pytest.param({"/sbin/init": "init"}, "init", "/sbin/init", "not in the root", id="init is a loop"),
        # residue
        pytest.param({"/etc/machine-id": b"abc\n"}, "residue", "/etc/machine-id", "must be empty", id="id"),
        pytest.param({"/tmp/x": b""}, "residue", "/tmp/x", "must not be there", id="temporary file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_by_path(
    tmp_path: Path, files: Files, check: str, path: str, words: str
) -> None:
    ((found_path, found_check, message),) = found(tmp_path, {**SOUND, **files})
    assert (found_path, found_check) == (path, check)
    assert words in message


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"/lib/firmware/x.elf": make_elf(machine=XTENSA, bits=32)}, id="firmware of a device"),
        pytest.param({"/usr/share/x/guest.elf": make_elf(machine=243)}, id="firmware of a guest"),
        pytest.param({"/usr/share/x/broken.elf": b"\x7fELF"}, id="test data"),
        pytest.param({"/usr/lib/bpf/x.o": make_elf(machine=BPF, kind=1)}, id="BPF"),
        pytest.param({"/usr/lib/debug/x.debug": program()[:100]}, id="debug file without content"),
        pytest.param({"/opt/libx.so": library("libx.so"), "/opt/x": program("libx.so")}, id="private folder"),
        pytest.param(
            {
                "/usr/bin/x": program("libx.so.1", runpath="$ORIGIN/../lib/x"),
                "/usr/lib/x/libx.so.1": "libx.so.1.2",
                "/usr/lib/x/libx.so.1.2": library("libx.so.1"),
            },
            id="DT_RUNPATH with $ORIGIN",
        ),
        pytest.param(
            {
                "/usr/bin/x": program("liba.so", rpath="/opt/x"),
                "/opt/x/liba.so": library("liba.so", "libb.so"),
                "/opt/x/libb.so": library("libb.so"),
            },
            id="DT_RPATH is inherited",
        ),
        pytest.param(
            {
                "/usr/bin/x": program("liba.so"),
                "/etc/ld.so.conf": b"# local\ninclude ld.so.conf.d/*.conf\n",
                "/etc/ld.so.conf.d/a.conf": b"/opt/a # comment\n",
                "/opt/a/liba.so": library("liba.so"),
            },
            id="ld.so.conf includes",
        ),
        pytest.param(
            {"/usr/bin/x": program("liba.so"), "/usr/lib/aarch64-linux-gnu/liba.so": library("liba.so")},
            id="multiarch",
        ),
        pytest.param({"/usr/bin/x": program("liba.so"), "/lib64/liba.so": library("liba.so")}, id="lib64"),
        pytest.param(
            {"/usr/bin/x": program("/opt/a/liba.so"), "/opt/a/liba.so": library("liba.so")}, id="by full path"
        ),
        pytest.param(
            {
                "/usr/bin/x": program("liba.so"),
                "/usr/lib/liba.so": library("liba.so", "libb.so"),
                "/usr/lib/libb.so": library("libb.so", "liba.so"),
            },
            id="libraries that need each other",
        ),
        pytest.param({"/etc/ld.so.conf": b"include /etc/ld.so.conf\n"}, id="endless include"),
        pytest.param(
            {"/etc/resolv.conf": "../run/systemd/resolve/stub-resolv.conf"}, id="link to a resolver"
        ),
        pytest.param({"/usr/lib/x.so": make_elf(), "/x": "/x"}, id="link to itself"),
    ],
)
def test_what_is_right_is_not_found(tmp_path: Path, files: Files) -> None:
    assert found(tmp_path, {**SOUND, **files}) == []


def test_a_runpath_is_not_inherited(tmp_path: Path) -> None:
    files = {
        "/usr/bin/x": program("liba.so", runpath="/opt/x"),
        "/opt/x/liba.so": library("liba.so", "libb.so"),
        "/opt/x/libb.so": library("libb.so"),
    }
    assert [path for path, *_ in found(tmp_path, {**SOUND, **files})] == ["/opt/x/liba.so"]


def test_a_library_for_another_architecture_is_passed_over_and_named(tmp_path: Path) -> None:
    files = {"/usr/bin/x": program("liba.so"), "/usr/lib/liba.so": library("liba.so", machine=X86_64)}
    complaints = found(tmp_path, {**SOUND, **files})
    assert [(path, check) for path, check, _ in complaints] == [
        ("/usr/bin/x", "libraries"),
        ("/usr/lib/liba.so", "architecture"),
    ]
    assert "/usr/lib/liba.so is for x86_64" in complaints[0][2]


def test_a_plugin_without_its_library_is_a_note(tmp_path: Path) -> None:
    root = make_root(tmp_path, {**SOUND, "/usr/lib/x/plugin.so": make_elf(needed=("libnone.so",))})
    verification = verify_root(root, kernel=None)
    assert verification.findings == ()
    (note,) = verification.notes
    assert "/usr/lib/x/plugin.so" in note
    assert "libnone.so" in note


@pytest.mark.parametrize(
    ("files", "check", "path"),
    [
        pytest.param({"/boot/vmlinuz-6.1.0": BZIMAGE}, "kernel", "/boot/vmlinuz-6.1.0", id="x86"),
        pytest.param({"/boot/vmlinuz-6.1.0": b"junk"}, "kernel", "/boot/vmlinuz-6.1.0", id="junk"),
        pytest.param({"/boot/vmlinuz-6.1.0": "none"}, "kernel", "/boot/vmlinuz-6.1.0", id="dangling"),
        pytest.param(
            {"/boot/vmlinuz-6.1.0": gzip.compress(IMAGE)},
            "kernel", "/boot/vmlinuz-6.1.0", id="not as recorded",
        ),
        pytest.param(
            {"/lib/modules/6.1.0/modules.dep": b"kernel/c.ko: kernel/a.ko\n"},
            "modules", "/lib/modules/6.1.0/kernel/c.ko", id="module missing",
        ),
        pytest.param(
            {"/lib/modules/6.1.0/modules.dep": b"kernel/a.ko: kernel/d.ko\n"},
            "modules", "/lib/modules/6.1.0/kernel/d.ko", id="needed module missing",
        ),
        pytest.param(
            {"/lib/modules/6.1.0/modules.dep": b"nonsense\n"},
            "modules", "/lib/modules/6.1.0/modules.dep", id="index damaged",
        ),
    ],
)  # fmt: skip
def test_a_kernel_that_cannot_work_is_found(tmp_path: Path, files: Files, check: str, path: str) -> None:
    findings = found(tmp_path, {**BOOTABLE, **files}, KERNEL)
    assert {(found_path, found_check) for found_path, found_check, _ in findings} == {(path, check)}


@pytest.mark.parametrize("name", ["modules.dep", "modules.dep.bin"])
def test_a_missing_index_of_modules_is_found(tmp_path: Path, name: str) -> None:
    path = f"/lib/modules/6.1.0/{name}"
    ((found_path, check, message),) = found(tmp_path, without(BOOTABLE, path), KERNEL)
    assert (found_path, check) == (path, "modules")
    assert "depmod" in message


def test_only_a_root_with_a_kernel_needs_an_init(tmp_path: Path) -> None:
    assert found(tmp_path / "a", without(BOOTABLE, "/sbin/init"), None) == []
    ((path, check, _),) = found(tmp_path / "b", without(BOOTABLE, "/sbin/init"), KERNEL)
    assert (path, check) == ("/sbin/init", "init")


def test_a_program_that_nobody_may_execute_is_no_init(tmp_path: Path) -> None:
    root = make_root(tmp_path, SOUND)
    (tmp_path / "usr/lib/systemd/systemd").chmod(0o644)
    ((finding,)) = verify_root(root, kernel=None).findings
    assert (finding.check, str(finding.path)) == ("init", "/sbin/init")


def test_allowed_paths_are_no_findings(tmp_path: Path) -> None:
    root = make_root(tmp_path, {**SOUND, "/opt/boot/x.efi": FOREIGN, "/opt/other": FOREIGN})
    verification = verify_root(root, kernel=None, allow=("/opt/boot/*",))
    assert [str(finding.path) for finding in verification.findings] == ["/opt/other"]
    assert verification.proof.elf_files == 4


def test_an_efi_zboot_kernel_is_recognised(tmp_path: Path) -> None:
    image = bytearray(b"MZ\0\0zimg".ljust(0x100, b"\0"))
    struct.pack_into("<I", image, 0x3C, 0x80)
    struct.pack_into("<4sH", image, 0x80, b"PE\0\0", 0xAA64)
    kernel = Kernel(version=KERNEL.version, path=KERNEL.path, format=KernelFormat.ZBOOT, gzipped=False)
    assert found(tmp_path, {**BOOTABLE, "/boot/vmlinuz-6.1.0": bytes(image)}, kernel) == []


def test_a_kernel_for_x86_is_refused_although_it_is_recorded_as_one(tmp_path: Path) -> None:
    kernel = Kernel(version=KERNEL.version, path=KERNEL.path, format=KernelFormat.BZIMAGE, gzipped=False)
    ((path, check, message),) = found(tmp_path, {**BOOTABLE, "/boot/vmlinuz-6.1.0": BZIMAGE}, kernel)
    assert (path, check) == ("/boot/vmlinuz-6.1.0", "kernel")
    assert "for x86_64, not for aarch64" in message


def test_every_check_can_fail() -> None:
    assert set(CHECKS) == {
        "architecture", "loader", "libraries", "shell", "init", "kernel", "modules", "residue",
    }  # fmt: skip
