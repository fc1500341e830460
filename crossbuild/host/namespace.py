"""A private namespace with a handler of its own, in which an ordinary user builds for another architecture.

Since Linux 6.7 a user namespace has a binfmt_misc of its own (Documentation/admin-guide/binfmt-misc.rst):
nothing is registered on the host.
"""

from __future__ import annotations

import errno
import os
from dataclasses import replace

from crossbuild.host import binfmt
from crossbuild.host.facts import inspect_host
from crossbuild.host.mounts import mount
from crossbuild.host.private_root import enter, refused
from crossbuild.host.qemu import choose_emulator, find_emulators
from crossbuild.host.setup import install_interpreter, wanted_handler
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import HostFacts
from crossbuild.model.site import Site


def become_root(site: Site) -> None:
    """Make this process root, in a private namespace unless it is already; what builds need.

    Call it before any thread starts. Raises HostNotReadyError.
    """
    if os.geteuid() != 0:
        enter_namespace(site, inspect_host())


def enter_namespace(site: Site, facts: HostFacts) -> HostFacts:
    """Make this process root of a new private namespace with a handler of its own; for ordinary users.

    Returns the facts as they are inside. Call it before any thread starts, and once. Where the kernel has no
    private handlers, those of the host serve. Raises HostNotReadyError.
    """
    enter(facts)
    if not facts.native(Architecture.AARCH64) and _mount_handlers():
        _register(site, facts)
    mounted, handlers = binfmt.is_mounted(), binfmt.read_handlers()
    return replace(facts, root=True, private=True, binfmt_mounted=mounted, handlers=handlers)


def _mount_handlers() -> bool:
    """Mount a binfmt_misc of this namespace, empty; say whether the kernel has such a thing."""
    try:
        mount("binfmt_misc", os.fspath(binfmt.MOUNT_POINT), "binfmt_misc", 0)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENODEV}:
            raise refused(str(error)) from error
        return False
    return True


def _register(site: Site, facts: HostFacts) -> None:
    """Register the handler that `crossbuild setup` would register on the host."""
    path = os.fspath(site.qemu) if site.qemu else ""
    emulator = choose_emulator(find_emulators(path), kernel=facts.kernel_version, configured=path)
    interpreter = install_interpreter(emulator, site.state)
    binfmt.register(wanted_handler(emulator, interpreter))
