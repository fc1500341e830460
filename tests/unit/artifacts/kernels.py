"""The headers of kernels that do not exist."""

from __future__ import annotations

PE_AT = 0x40


def _header(size: int, *fields: tuple[int, bytes]) -> bytes:
    image = bytearray(size)
    for offset, value in fields:
        image[offset : offset + len(value)] = value
    return bytes(image)


ARM64_IMAGE = _header(
    4096, (0, b"MZ"), (0x38, b"ARM\x64"), (0x3C, bytes([PE_AT])), (PE_AT, b"PE\0\0\x64\xaa"), (0x100, b"code")
)
BZIMAGE = _header(4096, (0, b"MZ"), (0x202, b"HdrS"))
VMLINUX = b"\x7fELF" + bytes(4092)


def zboot(machine: int) -> bytes:
    """Return an EFI zboot program whose PE header names *machine*."""
    pe = b"PE\0\0" + machine.to_bytes(2, "little")
    return _header(4096, (0, b"MZ"), (4, b"zimg"), (0x3C, bytes([PE_AT])), (PE_AT, pe))
