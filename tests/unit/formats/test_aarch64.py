from __future__ import annotations

import struct

import pytest

from crossbuild.formats.aarch64 import CODE_OFFSET, LOAD_ADDRESS, assemble


# Worked out by hand from the manual; that the processor agrees is what the real probe shows.
@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("add x1, sp, 260", 0x910413E1),
        ("addv d0, d1", 0x0E31B820),
        ("bl here", 0x94000000),
        ("cbnz x0, here", 0xB5000000),
        ("cbz x3, here", 0xB4000003),
        ("cnt d1, d2", 0x0E205841),
        ("eor x8, x8, x9", 0xCA090108),
        ("fcvtzs x0, d1", 0x9E780020),
        ("fdiv d0, d1, d2", 0x1E621820),
        ("fmadd d0, d1, d2, d3", 0x1F420C20),
        ("fmovd d1, x2", 0x9E670041),
        ("fmovx x0, d1", 0x9E660020),
        ("fsqrt d0, d1", 0x1E61C020),
        ("ldr x19, sp, 8", 0xF94007F3),
        ("ldrb x3, x1, x2", 0x38626823),
        ("ldxr x1, x3", 0xC85F7C61),
        ("mov x0, x4", 0xAA0403E0),
        ("movz x8, 64", 0xD2800808),
        ("msub x5, x4, x3, x0", 0x9B038085),
        ("rbit x0, x1", 0xDAC00020),
        ("ret", 0xD65F03C0),
        ("scvtf d1, x2", 0x9E620041),
        ("sdiv x0, x1, x2", 0x9AC20C20),
        ("str x1, sp, 64", 0xF90023E1),
        ("strb x5, x1, 0", 0x39000025),
        ("stxr x2, x1, x3", 0xC8027C61),
        ("sub sp, sp, 512", 0xD10803FF),
        ("svc", 0xD4000001),
        ("top x1, 0x3FF0", 0xD2E7FE01),
        ("udiv x4, x0, x3", 0x9AC30804),
        ("umulh x0, x1, x2", 0x9BC27C20),
    ],
)
def test_an_instruction_has_the_encoding_of_the_manual(line: str, word: int) -> None:
    assert _words(f"here:\n{line}") == (word,)


def test_a_branch_reaches_back_to_its_label() -> None:
    assert _words("again:\nret\nb again") == (0xD65F03C0, 0x17FFFFFF)


def test_page_and_low_make_the_address_of_a_text() -> None:
    page, low, *_ = _words('page x1\nlow x1, hello\nhello:\ntext "hello"')
    assert ((page >> 5 & 0xFFFF) << 16) + (low >> 5 & 0xFFFF) == LOAD_ADDRESS + CODE_OFFSET + 8


def test_a_text_ends_in_nul_and_leaves_code_aligned() -> None:
    assert assemble(r'text "abc\n"')[CODE_OFFSET:] == b"abc\n\0\0\0\0"


def test_the_program_is_a_static_aarch64_executable_that_starts_at_its_first_instruction() -> None:
    program = assemble("ret")
    assert program[:20] == bytes.fromhex("7f454c460201010000000000000000000200b700")
    (entry,) = struct.unpack_from("<Q", program, 24)
    assert entry == LOAD_ADDRESS + CODE_OFFSET
    (kind,), (size,) = struct.unpack_from("<I", program, 64), struct.unpack_from("<Q", program, 64 + 32)
    assert (kind, size) == (1, len(program))


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("nop", "unknown instruction"),
        ("movz x1", "unknown instruction"),
        ("movz x1, 65536", "does not fit"),
        ("add x1, x1, 4096", "does not fit"),
        ("ldr x1, sp, 9", "does not fit"),
        ("movz x32, 1", "does not fit"),
        ("b nowhere", "invalid literal"),
    ],
)
def test_what_cannot_be_encoded_is_refused(source: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        assemble(source)


def _words(source: str) -> tuple[int, ...]:
    code = assemble(source)[CODE_OFFSET:]
    return struct.unpack(f"<{len(code) // 4}I", code)
