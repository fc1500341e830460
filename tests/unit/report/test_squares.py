"""Rectangles fill their frame with the areas that were asked for, without overlaps."""

from __future__ import annotations

import itertools
import random

import pytest

from crossbuild.report.squares import Rectangle, squarified

FRAME = Rectangle(10, 20, 160, 90)
NEARLY = 1e-6

RANDOM = random.Random(8)
CASES = [
    pytest.param([1], id="one"),
    pytest.param([1, 1], id="two"),
    pytest.param([6, 6, 4, 3, 2, 2, 1], id="the paper's example"),
    pytest.param([1e9, 1, 1], id="one giant"),
    pytest.param([1] * 97, id="all equal"),
    pytest.param(sorted((RANDOM.paretovariate(1) for _ in range(300)), reverse=True), id="as packages are"),
]


def overlap(one: Rectangle, other: Rectangle) -> float:
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(width, 0) * max(height, 0)


@pytest.mark.parametrize("sizes", CASES)
def test_areas_are_in_proportion(sizes: list[float]) -> None:
    boxes = squarified(sizes, FRAME)
    unit = FRAME.area / sum(sizes)
    assert [box.area for box in boxes] == pytest.approx([size * unit for size in sizes], rel=1e-4)


@pytest.mark.parametrize("sizes", CASES)
def test_nothing_leaves_the_frame_or_overlaps(sizes: list[float]) -> None:
    boxes = squarified(sizes, FRAME)
    for box in boxes:
        assert box.x >= FRAME.x - NEARLY
        assert box.y >= FRAME.y - NEARLY
        assert box.x + box.width <= FRAME.x + FRAME.width + NEARLY
        assert box.y + box.height <= FRAME.y + FRAME.height + NEARLY
    assert max((overlap(*pair) for pair in itertools.combinations(boxes, 2)), default=0) < NEARLY


def test_sides_are_as_even_as_in_the_paper() -> None:
    boxes = squarified([6, 6, 4, 3, 2, 2, 1], Rectangle(0, 0, 6, 4))
    assert (boxes[0].width, boxes[0].height) == (3, 2)
    assert max(max(box.width / box.height, box.height / box.width) for box in boxes) < 2.8


@pytest.mark.parametrize("frame", [Rectangle(0, 0, 0, 5), Rectangle(0, 0, 0, 0)])
def test_a_frame_without_area_has_rectangles_without_area(frame: Rectangle) -> None:
    assert [box.area for box in squarified([2, 1], frame)] == [0, 0]


def test_nothing_gives_nothing() -> None:
    assert squarified([], FRAME) == []
