"""Who has which ids in a private namespace."""

import pytest

from crossbuild.host.private_root import IDS, IdRange, map_ids, parse_ranges

FILE = "alice:100000:65536\nbob:165536:65536\n1000:300000:10\nalice:400000:5\n\nnonsense\n"


@pytest.mark.parametrize(
    ("names", "ranges"),
    [
        (("alice", "1000"), ((100000, 65536), (300000, 10), (400000, 5))),
        (("bob",), ((165536, 65536),)),
        (("carol", "1001"), ()),
    ],
)
def test_ranges_are_those_of_the_user_by_name_or_number(
    names: tuple[str, ...], ranges: tuple[tuple[int, int], ...]
) -> None:
    assert parse_ranges(FILE, *names) == ranges


def test_the_user_is_root_and_the_next_ids_follow() -> None:
    assert map_ids(1000, [(100000, 65536)]) == (
        IdRange(inside=0, outside=1000, count=1),
        IdRange(inside=1, outside=100000, count=IDS - 1),
    )


def test_several_ranges_lie_one_behind_the_other_and_no_more_than_a_root_needs_is_taken() -> None:
    mapped = map_ids(1000, [(100000, 1000), (300000, 65536), (900000, 7)])
    assert [(part.inside, part.outside, part.count) for part in mapped] == [
        (0, 1000, 1),
        (1, 100000, 1000),
        (1001, 300000, IDS - 1001),
    ]


def test_too_few_ids_stay_too_few() -> None:
    assert sum(part.count for part in map_ids(1000, [(100000, 10)])) == 11


def test_a_range_is_written_as_newuidmap_wants_it() -> None:
    assert str(IdRange(inside=1, outside=100000, count=65535)) == "1 100000 65535"
