"""A small assembler for aarch64 and the smallest ELF file around its code.

It knows only the instructions that crossbuild's own test programs use, so that this host needs no cross
compiler. Encodings: Arm Architecture Reference Manual for A-profile, "A64 Base Instruction Descriptions".
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from crossbuild.model.architecture import Architecture

LOAD_ADDRESS = 0x400000
"""Where the whole file is mapped; a multiple of 64 KiB, the largest page size of aarch64 kernels."""
PAGE = 0x10000
_EHDR, _PHDR = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ")
CODE_OFFSET = _EHDR.size + _PHDR.size
"""Where the code begins in the file: right behind the headers, with nothing in between."""


class _Base(enum.Enum):
    """What an operand's number is counted from."""

    ZERO = enum.auto()
    HERE = enum.auto()
    """The instruction's own address: branches."""
    LOAD = enum.auto()
    """The load address: the lower half of an address whose upper half `page` sets."""


@dataclass(frozen=True)
class _Field:
    """Bits of an instruction that one operand fills."""

    shift: int
    width: int
    scale: int = 1
    base: _Base = _Base.ZERO


_D, _N, _A, _M = _Field(0, 5), _Field(5, 5), _Field(10, 5), _Field(16, 5)
_IMM12, _WORDS12, _IMM16 = _Field(10, 12), _Field(10, 12, scale=8), _Field(5, 16)
_LOW16 = _Field(5, 16, base=_Base.LOAD)
_BRANCH19, _BRANCH26 = _Field(5, 19, 4, _Base.HERE), _Field(0, 26, 4, _Base.HERE)

_INSTRUCTIONS: Mapping[str, tuple[int, tuple[_Field, ...]]] = {
    "add": (0x91000000, (_D, _N, _IMM12)),
    "addv": (0x0E31B800, (_D, _N)),  # Bd, Vn.8B
    "b": (0x14000000, (_BRANCH26,)),
    "bl": (0x94000000, (_BRANCH26,)),
    "cbnz": (0xB5000000, (_D, _BRANCH19)),
    "cbz": (0xB4000000, (_D, _BRANCH19)),
    "cnt": (0x0E205800, (_D, _N)),  # Vd.8B, Vn.8B
    "eor": (0xCA000000, (_D, _N, _M)),
    "fcvtzs": (0x9E780000, (_D, _N)),  # Xd, Dn
    "fdiv": (0x1E601800, (_D, _N, _M)),
    "fmadd": (0x1F400000, (_D, _N, _M, _A)),
    "fmovd": (0x9E670000, (_D, _N)),  # FMOV Dd, Xn
    "fmovx": (0x9E660000, (_D, _N)),  # FMOV Xd, Dn
    "fsqrt": (0x1E61C000, (_D, _N)),
    "ldr": (0xF9400000, (_D, _N, _WORDS12)),
    "ldrb": (0x38606800, (_D, _N, _M)),
    "ldxr": (0xC85F7C00, (_D, _N)),
    "low": (0xF2800000, (_D, _LOW16)),  # MOVK
    "mov": (0xAA0003E0, (_D, _M)),  # ORR with the zero register
    "movz": (0xD2800000, (_D, _IMM16)),
    "msub": (0x9B008000, (_D, _N, _M, _A)),
    "page": (0xD2A00000 | (LOAD_ADDRESS >> 16) << 5, (_D,)),  # MOVZ, LSL #16
    "rbit": (0xDAC00000, (_D, _N)),
    "ret": (0xD65F03C0, ()),
    "scvtf": (0x9E620000, (_D, _N)),  # Dd, Xn
    "sdiv": (0x9AC00C00, (_D, _N, _M)),
    "str": (0xF9000000, (_D, _N, _WORDS12)),
    "strb": (0x39000000, (_D, _N, _IMM12)),
    "stxr": (0xC8007C00, (_M, _D, _N)),
    "sub": (0xD1000000, (_D, _N, _IMM12)),
    "svc": (0xD4000001, ()),
    "top": (0xD2E00000, (_D, _IMM16)),  # MOVZ, LSL #48
    "udiv": (0x9AC00800, (_D, _N, _M)),
    "umulh": (0x9BC07C00, (_D, _N, _M)),
}


def assemble(source: str) -> bytes:
    """Return a static aarch64 ELF program made of *source*, whose first instruction is its entry.

    One item per line: `label:`, `mnemonic operand, operand`, or `text "…"` for bytes that end in NUL; `#`
    begins a comment. Raises ValueError for what it does not know or what does not fit.
    """
    lines = [line.partition("#")[0].strip() for line in source.splitlines()]
    items = [line for line in lines if line]
    labels, offset = {}, CODE_OFFSET
    for item in items:
        if item.endswith(":"):
            labels[item[:-1]] = offset
        else:
            offset += len(_text(item)) or 4
    code = bytearray()
    for item in items:
        if not item.endswith(":"):
            here = CODE_OFFSET + len(code)
            code += _text(item) or struct.pack("<I", _encode(item, here, labels))
    return _elf(bytes(code))


def _text(item: str) -> bytes:
    """Return the bytes of a `text` item, padded so that an instruction may follow; empty for others."""
    if not item.startswith("text "):
        return b""
    content = item.removeprefix("text ").strip().strip('"').replace(r"\n", "\n").encode() + b"\0"
    return content + bytes(-len(content) % 4)


def _encode(item: str, here: int, labels: Mapping[str, int]) -> int:
    mnemonic, _, rest = item.partition(" ")
    operands = [operand.strip() for operand in rest.split(",") if operand.strip()]
    if mnemonic not in _INSTRUCTIONS or len(operands) != len(_INSTRUCTIONS[mnemonic][1]):
        raise ValueError(f"unknown instruction: {item}")
    word, fields = _INSTRUCTIONS[mnemonic]
    for operand, field in zip(operands, fields, strict=True):
        value, misfit = divmod(
            _value(operand, labels) - (here if field.base is _Base.HERE else 0), field.scale
        )
        signed = field.base is _Base.HERE
        low, high = (-(1 << field.width - 1), 1 << field.width - 1) if signed else (0, 1 << field.width)
        if misfit or not low <= value < high:
            raise ValueError(f"{operand} does not fit: {item}")
        word |= (value & (1 << field.width) - 1) << field.shift
    return word


def _value(operand: str, labels: Mapping[str, int]) -> int:
    """Return the number of a register (sp and xzr are both 31), the offset of a label, or an integer.

    General registers are `x…`; `d…` are those of floating point and vectors.
    """
    if operand in labels:
        return labels[operand]
    if operand in {"sp", "xzr"}:
        return 31
    return int(operand.removeprefix("x").removeprefix("d"), 0)


def _elf(code: bytes) -> bytes:
    """Put *code* behind an ELF header and one program header (ELF gABI, "Object Files")."""
    size = CODE_OFFSET + len(code)
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)  # 64 bits, little endian, version 1, System V
    executable, load, read_and_execute = 2, 1, 5
    entry = LOAD_ADDRESS + CODE_OFFSET
    header = _EHDR.pack(
        ident, executable, Architecture.AARCH64.elf_machine, 1, entry, _EHDR.size, 0, 0,
        _EHDR.size, _PHDR.size, 1, 0, 0, 0,
    )  # fmt: skip
    segment = _PHDR.pack(load, read_and_execute, 0, LOAD_ADDRESS, LOAD_ADDRESS, size, size, PAGE)
    return header + segment + code
