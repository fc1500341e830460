"""Times of programs: which process is that of a start, and who gets its time."""

from __future__ import annotations

import random

import pytest

from crossbuild.acceleration.starts import Start, Way
from crossbuild.acceleration.times import Process, ProgramUse, program_uses

BUILD, SANDBOX = 10, 11
MILLISECOND = 1_000_000


def start(at: int, process: int, path: str, way: Way = Way.NO_RULE) -> Start:
    """A start *at* milliseconds, by a process of the sandbox."""
    return Start(nanoseconds=at * MILLISECOND, process=process, way=way, path=path)


def process(
    began: int,
    ended: int,
    name: str,
    *,
    number: int,
    parent: int = SANDBOX,
    cpu: int = 0,
    executed: bool = True,
) -> Process:
    """A process of the host; all times are in milliseconds."""
    return Process(
        id=number,
        parent=parent,
        name=name,
        executed=executed,
        began=began * MILLISECOND,
        ended=ended * MILLISECOND,
        cpu=cpu * MILLISECOND,
    )


def uses(starts: list[Start], *processes: Process) -> tuple[ProgramUse, ...]:
    """Join them below the build, whose sandbox ends last."""
    sandbox = process(-10_000, 10_000, "python3", number=SANDBOX, parent=BUILD)
    ordered = sorted(processes, key=lambda process: process.ended)
    return program_uses(starts, [*ordered, sandbox], BUILD)


def use(program: str, *times: float, way: Way = Way.NO_RULE, starts: int = 1, timed: int = 1) -> ProgramUse:
    seconds, cpu_seconds = times
    return ProgramUse(
        program=program, way=way, starts=starts, timed=timed, seconds=seconds, cpu_seconds=cpu_seconds
    )


DPKG = start(100, 2, "/usr/bin/dpkg")


@pytest.mark.parametrize(
    ("starts", "processes", "expected"),
    [
        pytest.param(
            [DPKG], [process(99, 600, "dpkg", number=20, cpu=300)], use("/usr/bin/dpkg", 0.5, 0.3), id="one"
        ),
        pytest.param(
            [DPKG],
            [process(99, 600, "dpkg", number=20, parent=99, cpu=300)],
            use("/usr/bin/dpkg", 0, 0, timed=0),
            id="process of somebody else",
        ),
        pytest.param(
            [DPKG],
            [process(300, 600, "dpkg", number=20, cpu=300)],
            use("/usr/bin/dpkg", 0, 0, timed=0),
            id="process that began later",
        ),
        pytest.param(
            [DPKG],
            [
                process(99, 600, "dpkg", number=20, cpu=300),
                process(200, 250, "dpkg", number=21, parent=20, cpu=40, executed=False),
                process(210, 240, "dpkg", number=22, parent=21, cpu=2, executed=False),
            ],
            use("/usr/bin/dpkg", 0.5, 0.342),
            id="copies count for the program that made them",
        ),
        pytest.param(
            [start(500, 2, "/usr/bin/a-very-long-program")],
            [process(99, 600, "a-very-long-pro", number=20, cpu=300)],
            use("/usr/bin/a-very-long-program", 0.1, 0.3),
            id="copy that executes a program later, whose name the kernel cuts",
        ),
        pytest.param(
            [start(100, 2, "/usr/bin/python3.11")],
            [
                process(99, 600, "py3compile", number=20, cpu=300),
                process(400, 450, "apt-get", number=21, cpu=50),
            ],
            use("/usr/bin/python3.11", 0.5, 0.3),
            id="process with the name of a script",
        ),
        pytest.param(
            [start(100, 2, "/usr/bin/python3.11")],
            [process(400, 450, "apt-get", number=21, cpu=50)],
            use("/usr/bin/python3.11", 0, 0, timed=0),
            id="host program at another time",
        ),
        pytest.param(
            [start(100, 2, "/usr/bin/dpkg"), start(110, 3, "/usr/bin/dpkg")],
            [
                process(99, 600, "dpkg", number=20, cpu=300),
                process(109, 120, "dpkg", number=21, parent=20, cpu=5),
            ],
            use("/usr/bin/dpkg", 0.51, 0.305, starts=2, timed=2),
            id="program that starts itself",
        ),
        pytest.param(
            [start(100, 2, "/bin/a", Way.NATIVE), start(100, 2, "/bin/a", Way.REFUSED)],
            [process(100, 200, "a", number=20, cpu=80)],
            use("/bin/a", 0.1, 0.08, way=Way.REFUSED),
            id="twin that was refused",
        ),
        pytest.param(
            [start(200, 2, "/usr/bin/dpkg")],
            [process(210, 600, "dpkg", number=20, cpu=300)],
            use("/usr/bin/dpkg", 0.39, 0.3),
            id="end that was heard late",
        ),
    ],
)
def test_a_start_gets_the_time_of_its_process(
    starts: list[Start], processes: list[Process], expected: ProgramUse
) -> None:
    assert uses(starts, *processes) == (expected,)


def test_programs_that_one_process_executed_share_its_time() -> None:
    chain = [start(100, 2, "/bin/sh", Way.NATIVE), start(150, 2, "/bin/env"), start(200, 2, "/bin/ldconfig")]
    between = start(160, 3, "/bin/true")
    found = uses(
        [chain[0], chain[1], between, chain[2]],
        process(99, 500, "ldconfig", number=20, cpu=200),
        process(159, 161, "true", number=21),
    )
    assert found == (
        use("/bin/ldconfig", 0.3, 0.15),
        use("/bin/env", 0.05, 0.025),
        use("/bin/true", 0.001, 0),
        use("/bin/sh", 0.05, 0.025, way=Way.NATIVE),
    )


def test_a_process_id_that_was_given_out_again_does_not_mislead() -> None:
    found = uses(
        [DPKG],
        process(99, 600, "dpkg", number=20, cpu=300),
        process(10, 50, "cron", number=20, parent=1),
        process(20, 30, "dpkg", number=21, parent=20, cpu=5, executed=False),
        process(700, 800, "cron", number=20, parent=1),
        process(710, 720, "dpkg", number=22, parent=20, cpu=7, executed=False),
    )
    assert found == (use("/usr/bin/dpkg", 0.5, 0.3),)


def test_of_two_programs_with_one_name_the_shorter_life_is_joined_first() -> None:
    found = uses(
        [start(100, 2, "/bin/sh"), start(110, 3, "/opt/sh")],
        process(115, 600, "sh", number=20, cpu=300),
        process(110, 120, "sh", number=21, parent=20, cpu=5),
    )
    assert found == (use("/bin/sh", 0.485, 0.3), use("/opt/sh", 0.01, 0.005))


def test_the_most_costly_program_in_qemu_comes_first() -> None:
    ways = {"/native": Way.NATIVE, "/refused": Way.REFUSED, "/cheap": Way.NO_RULE, "/often": Way.NO_RULE}
    starts = [start(1000 * at, at, path, way) for at, (path, way) in enumerate(ways.items(), 2)]
    starts += [start(9000 + at, 90 + at, "/often") for at in range(3)]
    costs = {"/native": 900, "/refused": 20, "/cheap": 10}
    found = uses(
        starts,
        *(
            process(at * 1000, at * 1000 + 950, path[1:], number=at, cpu=costs[path])
            for at, path in enumerate(costs, 2)
        ),
    )
    assert [entry.program for entry in found] == ["/refused", "/cheap", "/often", "/native"]


def test_without_processes_starts_are_counted() -> None:
    assert program_uses([DPKG, DPKG], [], BUILD) == (use("/usr/bin/dpkg", 0, 0, starts=2, timed=0),)


def test_a_busy_sandbox_is_joined_completely() -> None:
    """A shell starts programs in pairs; each has children of the same name, and all are heard a bit late."""
    dice = random.Random(3)
    starts, processes = [], []
    for number in range(200):
        began, late = 100 + 40 * number, dice.randrange(5)
        name = ("sed", "grep", "sh")[number % 3]
        starts += [start(began + 1, 2 * number, f"/bin/{name}"), start(began + 10, 2 * number + 1, "/bin/sh")]
        processes += [
            process(began + late, began + 70 + late, name, number=1000 + number, cpu=10),
            process(
                began + 9 + late, began + 30 + late, "sh", number=2000 + number, parent=1000 + number, cpu=1
            ),
        ]
    found = {entry.program: entry for entry in uses(starts, *processes)}
    assert all(entry.timed == entry.starts for entry in found.values())
    assert {path: round(entry.cpu_seconds, 6) for path, entry in found.items()} == {
        "/bin/sed": 0.67,
        "/bin/grep": 0.67,
        "/bin/sh": 0.86,
    }
