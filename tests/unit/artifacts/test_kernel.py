"""Finding the kernel of a root."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

import pytest

from crossbuild.artifacts.kernel import find_kernel, kernel_image, version_key, write_kernel
from crossbuild.errors import ArtifactError
from tests.unit.artifacts.jobs import make_root
from tests.unit.artifacts.kernels import ARM64_IMAGE, BZIMAGE

OLD, NEW = "6.1.0-9-arm64", "6.1.0-56-arm64"
OLD_FILE, NEW_FILE = f"boot/vmlinuz-{OLD}", f"boot/vmlinuz-{NEW}"


@pytest.mark.parametrize(
    ("files", "version", "path"),
    [
        pytest.param([OLD_FILE, NEW_FILE], NEW, f"/{NEW_FILE}", id="newest"),
        pytest.param([NEW_FILE, f"boot/Image-{NEW}"], NEW, f"/boot/Image-{NEW}", id="Image first"),
        pytest.param(
            [OLD_FILE, f"{NEW_FILE}+debug"], OLD, f"/{OLD_FILE}", id="not for debugging"
        ),
        pytest.param(
            [OLD_FILE, "boot/vmlinuz-0-rescue-ab12"], OLD, f"/{OLD_FILE}", id="not for rescue"
        ),
        pytest.param(
            [f"lib/modules/{NEW}/vmlinuz"], NEW, f"/lib/modules/{NEW}/vmlinuz", id="beside its modules"
        ),
        pytest.param(
            [f"lib/modules/{NEW}/a.ko", "boot/vmlinuz-linux"], NEW, "/boot/vmlinuz-linux", id="Arch Linux"
        ),
        pytest.param(["boot/vmlinuz-0-rescue-ab12"], None, None, id="nothing but rescue"),
        pytest.param(["boot/System.map", "boot/vmlinuz-"], None, None, id="none"),
    ],
)  # fmt: skip
def test_kernel_and_version_come_from_the_root(
    tmp_path: Path, files: list[str], version: str | None, path: str | None
) -> None:
    found = find_kernel(make_root(tmp_path, dict.fromkeys(files, ARM64_IMAGE)))
    assert (found and found.version, found and str(found.path)) == (version, path)


def test_links_are_followed_inside_the_root_only(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        f"boot/Image-{NEW}": f"/usr/lib/modules/{NEW}/Image",
        f"usr/lib/modules/{NEW}/Image": ARM64_IMAGE,
    }
    found = find_kernel(make_root(tmp_path, files))
    assert found is not None
    assert str(found.path) == f"/usr/lib/modules/{NEW}/Image"


def test_kernel_of_another_architecture_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="x86_64"):
        find_kernel(make_root(tmp_path, {NEW_FILE: BZIMAGE}))


def test_kernel_is_written_without_its_gzip(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root", {NEW_FILE: gzip.compress(ARM64_IMAGE)})
    found = find_kernel(root)
    assert found is not None
    assert found.gzipped
    digests = write_kernel(found, root, tmp_path / "Image")
    assert (tmp_path / "Image").read_bytes() == ARM64_IMAGE
    assert digests.size == len(ARM64_IMAGE)
    assert kernel_image(root, found).gzipped


def test_damaged_gzip_is_an_artifact_error(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root", {NEW_FILE: gzip.compress(ARM64_IMAGE)[:-6]})
    found = find_kernel(root)
    assert found is not None
    with pytest.raises(ArtifactError, match="damaged"):
        write_kernel(found, root, tmp_path / "Image")


def test_versions_sort_by_age() -> None:
    ages = ["5.14.0-70.el9", "6.1.0-9-arm64", "6.1.0-56-arm64", "6.2.0-rc1", "6.2.0", "6.2.0-1", "6.10.0"]
    assert all(version_key(older) < version_key(newer) for older, newer in pairwise(ages))
