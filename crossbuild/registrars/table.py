"""The registrar of each provisioner, loaded when it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crossbuild.model.artifact import OutputKind
from crossbuild.model.site import Site
from crossbuild.registrars.contract import Registrar

REGISTRARS: Mapping[OutputKind, Callable[[Site], Registrar]] = {}
"""Makes a registrar without any wishes, which is enough for taking back."""
