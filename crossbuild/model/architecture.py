"""CPU architectures and every way in which the outside world spells them."""

from __future__ import annotations

import enum


class Architecture(enum.StrEnum):
    """A CPU architecture, spelled as `uname -m` spells it."""

    AARCH64 = "aarch64"
    X86_64 = "x86_64"

    @property
    def elf_machine(self) -> int:
        """`e_machine` of its ELF files (ELF gABI, "Machine": EM_AARCH64, EM_X86_64)."""
        return {Architecture.AARCH64: 183, Architecture.X86_64: 62}[self]

    @property
    def debian(self) -> str:
        """As dpkg and apt spell it."""
        return {Architecture.AARCH64: "arm64", Architecture.X86_64: "amd64"}[self]

    @property
    def multiarch(self) -> str:
        """As Debian's folders of libraries spell it (Debian Policy, 9.1.1)."""
        return f"{self.value}-linux-gnu"

    @property
    def oci(self) -> str:
        """As `GOARCH`, and so container images and Warewulf 4, spell it."""
        return {Architecture.AARCH64: "arm64", Architecture.X86_64: "amd64"}[self]

    @property
    def bos(self) -> str:
        """As a boot set of HPE's Boot Orchestration Service spells it."""
        return {Architecture.AARCH64: "ARM", Architecture.X86_64: "X86"}[self]

    @property
    def console(self) -> str:
        """The first serial console's device name, as in `console=` on a kernel command line."""
        return {Architecture.AARCH64: "ttyAMA0", Architecture.X86_64: "ttyS0"}[self]

    @property
    def interpreter(self) -> str:
        """Where glibc's dynamic loader of this architecture must lie (its psABI)."""
        return {
            Architecture.AARCH64: "/lib/ld-linux-aarch64.so.1",
            Architecture.X86_64: "/lib64/ld-linux-x86-64.so.2",
        }[self]
