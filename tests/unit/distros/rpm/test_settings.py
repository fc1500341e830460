"""What rpm is told: the root's settings, and where an image has a kernel, whose dracut scriptlets find."""

from pathlib import Path

import pytest

from crossbuild.distros.catalog import lookup
from crossbuild.distros.rpm.settings import write_settings, write_stubs
from crossbuild.model.spec import KernelSpec
from tests.unit.specs import make_spec

KERNEL = KernelSpec(package="kernel", drivers=(), firmware=(), modprobe=(), args="")


@pytest.mark.parametrize(("kernel", "found"), [(KERNEL, True), (None, False)])
def test_only_an_image_with_a_kernel_has_stubs_on_the_path_of_scriptlets(
    tmp_path: Path, kernel: KernelSpec | None, found: bool
) -> None:
    host = tmp_path / "host"
    (host / "usr/lib/rpm").mkdir(parents=True)
    (host / "usr/lib/rpm/macros").write_text("%__transaction_selinux %{__plugindir}/selinux.so\n")
    spec = make_spec(distro="rocky", release="9", kernel=kernel)
    write_settings(tmp_path / "rpm", spec, lookup("rocky", "9"), (), {}, host)
    own = (tmp_path / "rpm/macros/macros.d/macros.zz-crossbuild").read_text()
    assert ("%_install_script_path /run/crossbuild-rpm/bin:/sbin:" in own) is found
    assert "%__transaction_selinux %{nil}\n" in own


def test_a_stub_does_nothing_and_says_why(tmp_path: Path) -> None:
    write_stubs(tmp_path)
    stub = tmp_path / "bin/dracut"
    assert stub.stat().st_mode & 0o777 == 0o755
    assert stub.read_text().splitlines()[-1] == "exit 0"
