"""The aarch64 programs that an emulator is measured with: questions with known answers, and known work.

System call numbers: Linux, include/uapi/asm-generic/unistd.h. Answers of instructions: Arm Architecture
Reference Manual for A-profile, whose results differ from those of x86_64 wherever that was possible.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossbuild.host.probe import PRINTING


@dataclass(frozen=True, kw_only=True)
class Question:
    """A few instructions that leave a number in x0 which is known beforehand."""

    name: str
    """For a person; without `=`."""
    code: str
    """May change every register but sp, and use the first 256 bytes above it, which are 0 at first."""
    answer: int


QUESTIONS = (
    Question(
        name="division by zero",
        code="""
        movz x1, 7
        movz x2, 0
        udiv x0, x1, x2         # x86_64 raises an exception
        """,
        answer=0,
    ),
    Question(
        name="overflow of a division",
        code="""
        top x1, 0x8000          # the smallest number
        movz x2, 0
        sub x2, x2, 1           # -1
        sdiv x0, x1, x2         # x86_64 raises an exception
        """,
        answer=1 << 63,
    ),
    Question(
        name="upper half of a product",
        code="""
        movz x1, 0
        sub x1, x1, 1
        umulh x0, x1, x1
        """,
        answer=(1 << 64) - 2,
    ),
    Question(
        name="reversed bits",
        code="""
        movz x1, 1
        rbit x0, x1
        """,
        answer=1 << 63,
    ),
    Question(
        name="one third",
        code="""
        movz x1, 1
        movz x2, 3
        scvtf d1, x1
        scvtf d2, x2
        fdiv d0, d1, d2
        fmovx x0, d0
        """,
        answer=0x3FD5555555555555,
    ),
    Question(
        name="square root of two",
        code="""
        movz x1, 2
        scvtf d1, x1
        fsqrt d0, d1
        fmovx x0, d0
        """,
        answer=0x3FF6A09E667F3BCD,
    ),
    Question(
        name="product and sum rounded once",
        code="""
        top x1, 0x3FF0          # 1
        add x1, x1, 1           # and the smallest step above it
        top x2, 0xBFF0          # -1
        add x2, x2, 2           # and two of these steps below it
        fmovd d1, x1
        fmovd d2, x2
        fmadd d0, d1, d1, d2    # the square of the step: rounded twice, it would be 0
        fmovx x0, d0
        """,
        answer=0x3970000000000000,
    ),
    Question(
        name="a number too large for an integer",
        code="""
        top x1, 0x4630          # 2 to the power of 100
        fmovd d1, x1
        fcvtzs x0, d1           # x86_64 gives the smallest
        """,
        answer=(1 << 63) - 1,
    ),
    Question(
        name="not a number",
        code="""
        movz x1, 0
        fmovd d1, x1
        fdiv d0, d1, d1
        fmovx x0, d0            # x86_64 sets the sign, too
        """,
        answer=0x7FF8000000000000,
    ),
    Question(
        name="bits counted by vector instructions",
        code="""
        movz x1, 0xFFFE
        fmovd d1, x1
        cnt d1, d1
        addv d0, d1
        fmovx x0, d0
        """,
        answer=15,
    ),
    Question(
        name="exclusive access to memory",
        code="""
        movz x1, 41
        str x1, sp, 0
        add x3, sp, 0
        ldxr x1, x3
        add x1, x1, 1
        stxr x2, x1, x3
        ldr x0, sp, 0
        """,
        answer=42,
    ),
    Question(
        name="a signal handler",
        code="""
        page x1
        low x1, handler
        str x1, sp, 64          # struct sigaction: no flags, no mask
        movz x0, 10             # SIGUSR1
        add x1, sp, 64
        movz x2, 0
        movz x3, 8              # bytes of a mask
        movz x8, 134            # rt_sigaction
        svc
        movz x8, 172            # getpid
        svc
        add x19, sp, 0
        movz x1, 10
        movz x8, 129            # kill
        svc
        ldr x0, sp, 128
        b handled
    handler:                    # it gets the number of the signal
        str x0, x19, 128
        ret
    handled:
        """,
        answer=10,
    ),
    Question(
        name="status of a child",
        code="""
        movz x0, 17             # SIGCHLD, and nothing is shared
        movz x1, 0
        movz x8, 220            # clone
        svc
        cbnz x0, parent
        movz x0, 7
        movz x8, 93             # exit
        svc
    parent:
        add x1, sp, 136
        movz x2, 0
        movz x3, 0
        movz x8, 260            # wait4
        svc
        ldr x0, sp, 136
        """,
        answer=7 << 8,
    ),
)
"""Asked by one program in this order."""

LAST_SIGNAL = 15
"""SIGTERM, which that program sends to itself at last: it must end by it."""


def asking(questions: tuple[Question, ...] = QUESTIONS) -> str:
    """Return the source of a program that prints `name=answer` for each of *questions*, one per line."""
    clear = "\n".join(f"str xzr, sp, {offset}" for offset in range(0, 256, 8))
    asked = (
        f"""
        {question.code}
        mov x21, x0
        page x1
        low x1, name{number}
        bl print
        mov x0, x21
        bl number
        page x1
        low x1, newline
        bl print
        """
        for number, question in enumerate(questions)
    )
    names = (f'name{number}:\ntext "{question.name}="' for number, question in enumerate(questions))
    return "\n".join(["sub sp, sp, 512", clear, *asked, _DIE, PRINTING, *names, 'newline:\ntext "\\n"'])


_DIE = f"""
    movz x8, 172                # getpid
    svc
    movz x1, {LAST_SIGNAL}
    movz x8, 129                # kill
    svc
    movz x8, 93                 # exit, with a status that a program killed cannot have
    svc
"""

STARTING_BLOCKS = 2500
"""Chosen so that a start costs what it costs a small dynamically linked program of a Debian root.

qemu alone starts as quickly in versions between which real programs differ by a fifth: most of the time of
a start goes into translating code that runs once.
"""
_BLOCK = """
    ldr x3, sp, 16
    add x3, x3, 1
    eor x4, x3, x5
    str x4, sp, 24
    sub x5, x4, 9
    cbnz x9, end
"""


def starting(blocks: int = STARTING_BLOCKS) -> str:
    """Return the source of a program that runs so many different blocks of code, each of them once."""
    return f"sub sp, sp, 512\nmovz x9, 0\n{_BLOCK * blocks}\nend:\n{_EXIT}"


COMPUTING_ROUNDS = 500
"""Some tenths of a second under qemu."""


def computing(rounds: int = COMPUTING_ROUNDS) -> str:
    """Return the source of a program that does 10,000 steps in each of *rounds*.

    A step is integer and floating point arithmetic, reading and writing memory, a call and a return.
    """
    return f"""
        sub sp, sp, 512
        page x10
        movz x4, 48271
        movz x7, 499
        movz x5, 3
        fmovd d1, x4
        movz x12, {rounds}
    round:
        movz x11, 10000
    step:
        msub x3, x3, x4, x5
        udiv x6, x3, x7
        msub x6, x6, x7, x3     # below 499
        ldrb x9, x10, x6
        eor x8, x8, x9
        str x8, sp, 8
        bl leaf
        sub x11, x11, 1
        cbnz x11, step
        sub x12, x12, 1
        cbnz x12, round
        {_EXIT}
    leaf:
        ldr x8, sp, 8
        fmovd d0, x3
        fmadd d1, d0, d1, d1
        ret
    """


_EXIT = """
    movz x0, 0
    movz x8, 93                 # exit
    svc
"""
