"""The registrar of each provisioner, loaded when it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crossbuild.model.artifact import OutputKind
from crossbuild.model.site import Site
from crossbuild.registrars.contract import Registrar


def _warewulf3(_: Site) -> Registrar:
    from crossbuild.registrars.warewulf3.registrar import Warewulf3

    return Warewulf3()


def _warewulf4(_: Site) -> Registrar:
    from crossbuild.registrars.warewulf4.registrar import Warewulf4

    return Warewulf4()


def _ims(site: Site) -> Registrar:
    from crossbuild.registrars.ims.registrar import ImsRegistrar
    from crossbuild.registrars.ims.service import access_of

    return ImsRegistrar(access_of(site))


REGISTRARS: Mapping[OutputKind, Callable[[Site], Registrar]] = {
    OutputKind.WAREWULF3: _warewulf3,
    OutputKind.WAREWULF4: _warewulf4,
    OutputKind.IMS: _ims,
}
"""Makes a registrar without any wishes, which is enough for taking back."""
