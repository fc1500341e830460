"""Squarified treemaps: areas as asked for, sides as even as they can be.

The method is that of Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000): rows are laid along the
shorter side of what is left, and a row is closed when one more rectangle would make its worst one narrower.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle with its upper left corner at (x, y)."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Width times height."""
        return self.width * self.height


def squarified(sizes: Sequence[float], frame: Rectangle) -> list[Rectangle]:
    """Return a rectangle for each of *sizes*, all above 0 and falling, which together fill *frame*."""
    whole = sum(sizes)
    if whole <= 0 or frame.area <= 0:
        return [Rectangle(frame.x, frame.y, 0, 0) for _ in sizes]
    areas = [size * frame.area / whole for size in sizes]
    placed: list[Rectangle] = []
    while len(placed) < len(areas):
        row = _row(areas[len(placed) :], min(frame.width, frame.height))
        placed += _along(row, frame)
        frame = _rest(sum(row), frame)
    return placed


def _row(areas: Sequence[float], side: float) -> Sequence[float]:
    """Return as many of the first *areas* as lie best in one row along *side*."""
    total, best = 0.0, float("inf")
    for index, area in enumerate(areas):
        total += area
        worst = _worst(areas[0], area, total, side)
        if worst > best:
            return areas[:index]
        best = worst
    return areas


def _worst(largest: float, smallest: float, total: float, side: float) -> float:
    """Return how many times as long as wide the narrowest rectangle of a row is."""
    if not smallest or not side:
        return float("inf")
    return max(side**2 * largest / total**2, total**2 / (side**2 * smallest))


def _along(row: Sequence[float], frame: Rectangle) -> Iterator[Rectangle]:
    total, offset = sum(row), 0.0
    upright = frame.width >= frame.height
    side = frame.height if upright else frame.width
    depth = total / side if side else 0.0
    for area in row:
        length = area / depth if depth else 0.0
        if upright:
            yield Rectangle(frame.x, frame.y + offset, depth, length)
        else:
            yield Rectangle(frame.x + offset, frame.y, length, depth)
        offset += length


def _rest(taken: float, frame: Rectangle) -> Rectangle:
    if frame.width >= frame.height:
        depth = min(taken / frame.height, frame.width) if frame.height else frame.width
        return Rectangle(frame.x + depth, frame.y, frame.width - depth, frame.height)
    depth = min(taken / frame.width, frame.height) if frame.width else frame.height
    return Rectangle(frame.x, frame.y + depth, frame.width, frame.height - depth)
