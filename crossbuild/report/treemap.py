"""Trees of parts as maps of nested tiles, one map for each part that is worth to be looked into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crossbuild.report.parts import Kind, Part
from crossbuild.report.squares import Rectangle, squarified
from crossbuild.wording import size_text

CANVAS = Rectangle(0, 0, 160, 90)
"""The shape for which tiles are laid out; on the page they are percents, which any shape can hold."""
HEADING = 3.6
"""How much of the canvas's height the name above a group takes."""

_SMALLEST_TILE = 0.002
"""Of the map; what is smaller cannot be seen, let alone hit."""
_MOST_TILES = 60
"""Side by side."""
_SMALLEST_GROUP = 0.06
"""Of the map, from which on a tile shows what is in it."""
_DEEPEST = 4
_WEIGHTS = (0.003, 0.015, 0.05)
"""Of the whole, from which on colours get stronger."""
_SMALLEST_MAP = 0.004
"""Of the whole, from which on a part has a map of its own."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A part on a map; *box* is in percent of the tile or map around it."""

    part: Part
    box: Rectangle
    size: str
    share: str
    """Of the whole image."""
    weight: int
    """How strong its colour is: 0 for the smallest parts of the image, up to 3."""
    link: str
    """The id of the map of this part, empty where it has none."""
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, kw_only=True)
class Map:
    """What one part consists of."""

    id: str
    trail: tuple[tuple[str, str], ...]
    """Names and ids of the parts around it, the outermost first."""
    part: Part
    size: str
    share: str
    tiles: tuple[Tile, ...]


def maps_of(whole: Part, prefix: str) -> tuple[Map, ...]:
    """Return maps of *whole* and of its larger parts; ids begin with *prefix*; the last map is its own."""
    ids = {id(part): f"{prefix}-{number}" for number, part in enumerate(_mapped(whole, whole.size))}
    ids[id(whole)] = prefix
    return tuple(_maps(whole, whole, ids, ()))[::-1]


def _mapped(part: Part, whole: int) -> Iterator[Part]:
    if part.parts and part.size >= whole * _SMALLEST_MAP:
        yield part
        for child in part.parts:
            yield from _mapped(child, whole)


def _maps(part: Part, whole: Part, ids: dict[int, str], trail: tuple[tuple[str, str], ...]) -> Iterator[Map]:
    own = ids[id(part)]
    yield Map(
        id=own,
        trail=trail,
        part=part,
        size=size_text(part.size),
        share=share_text(part.size, whole.size),
        tiles=_Drawing(part, whole, ids).tiles(part.parts, CANVAS, 0),
    )
    for child in part.parts:
        if id(child) in ids:
            yield from _maps(child, whole, ids, (*trail, (part.name, own)))


@dataclass(frozen=True)
class _Drawing:
    """One map in the making."""

    part: Part
    whole: Part
    ids: dict[int, str]

    def tiles(self, parts: Sequence[Part], frame: Rectangle, depth: int) -> tuple[Tile, ...]:
        """Return tiles for *parts* that fill *frame*."""
        drawn = _drawn(parts, self.part.size * _SMALLEST_TILE)
        boxes = squarified([part.size for part in drawn], frame)
        return tuple(self._tile(part, box, frame, depth) for part, box in zip(drawn, boxes, strict=True))

    def _tile(self, part: Part, box: Rectangle, frame: Rectangle, depth: int) -> Tile:
        opened = part.parts and depth < _DEEPEST and part.size >= self.part.size * _SMALLEST_GROUP
        inner = Rectangle(0, 0, box.width, max(box.height - HEADING, 0))
        return Tile(
            part=part,
            box=_percents(box, frame),
            size=size_text(part.size),
            share=share_text(part.size, self.whole.size),
            weight=sum(part.size >= limit * self.whole.size for limit in _WEIGHTS),
            link=self.ids.get(id(part), ""),
            tiles=self.tiles(part.parts, inner, depth + 1) if opened and inner.area else (),
        )


def _drawn(parts: Sequence[Part], smallest: float) -> list[Part]:
    """Return *parts* with those taken together, as the last one, that are too many or too small."""
    drawn = [part for part in parts[:_MOST_TILES] if part.size >= smallest]
    rest = parts[len(drawn) :]
    if len(rest) < 2:
        return list(parts)
    together = Part(
        name=f"{len(rest):,} more",
        title=f"{len(rest):,} smaller ones together",
        size=sum(part.size for part in rest),
        files=sum(part.files for part in rest),
        kind=Kind.REST,
    )
    return sorted([*drawn, together], key=lambda part: part.size, reverse=True)


def _percents(box: Rectangle, frame: Rectangle) -> Rectangle:
    return Rectangle(
        100 * (box.x - frame.x) / frame.width,
        100 * (box.y - frame.y) / frame.height,
        100 * box.width / frame.width,
        100 * box.height / frame.height,
    )


def share_text(size: float, whole: float) -> str:
    """Return *size* as a share of *whole*: `31 %`, `2.4 %`, `under 0.1 %`."""
    percent = 100 * size / whole if whole else 0.0
    if percent < 0.1:
        return "under 0.1 %" if percent else "0 %"
    return f"{percent:.1f} %" if percent < 9.95 else f"{percent:.0f} %"
