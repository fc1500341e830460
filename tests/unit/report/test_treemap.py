"""Maps of nested tiles, and the ways between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crossbuild.report.parts import Kind, Part
from crossbuild.report.treemap import Map, Tile, maps_of, share_text


def part(name: str, size: int, *parts: Part) -> Part:
    size = sum(one.size for one in parts) or size
    return Part(name=name, title=name, size=size, files=1, kind=Kind.FOLDER, parts=parts)


LIB = part("lib", 0, part("big", 500), part("mid", 300))
WHOLE = part("/", 0, part("usr", 0, LIB, part("bin", 150)), part("etc", 0, part("x", 30), part("y", 20)))


def all_tiles(tiles: tuple[Tile, ...]) -> Iterator[Tile]:
    for tile in tiles:
        yield tile
        yield from all_tiles(tile.tiles)


def named(maps: tuple[Map, ...]) -> dict[str, Map]:
    return {one.part.name: one for one in maps}


def test_the_last_map_is_that_of_the_whole_and_has_the_plain_id() -> None:
    assert (maps_of(WHOLE, "by")[-1].part.name, maps_of(WHOLE, "by")[-1].id) == ("/", "by")


def test_every_link_leads_to_the_map_of_its_part() -> None:
    maps = maps_of(WHOLE, "by")
    ids = {one.id: one for one in maps}
    assert len(ids) == len(maps) == 4
    for one in maps:
        for tile in all_tiles(one.tiles):
            assert bool(tile.link) == bool(tile.part.parts)
            assert not tile.link or ids[tile.link].part is tile.part


def test_the_trail_leads_back_to_the_whole() -> None:
    maps = named(maps_of(WHOLE, "by"))
    assert [name for name, _ in maps["lib"].trail] == ["/", "usr"]
    assert dict(maps["lib"].trail) == {"/": maps["/"].id, "usr": maps["usr"].id}


def test_large_parts_show_what_is_in_them_and_small_ones_do_not() -> None:
    usr, etc = maps_of(WHOLE, "by")[-1].tiles
    assert [tile.part.name for tile in usr.tiles] == ["lib", "bin"]
    assert (etc.part.name, etc.tiles) == ("etc", ())


def test_shares_are_of_the_whole_image_on_every_map() -> None:
    lib = named(maps_of(WHOLE, "by"))["lib"]
    assert (lib.share, lib.tiles[0].share) == ("80 %", "50 %")


def test_two_thousand_packages_become_tiles_that_can_be_seen() -> None:
    packages = part("all", 0, *(part(f"p{number}", 4_000_000 // (number + 1)) for number in range(2000)))
    (only,) = maps_of(packages, "by")
    assert len(only.tiles) <= 61
    (rest,) = (tile for tile in only.tiles if tile.part.kind is Kind.REST)
    assert rest.part.name == f"{2000 - len(only.tiles) + 1:,} more"
    assert sum(tile.part.size for tile in only.tiles) == packages.size
    assert min(tile.box.width * tile.box.height for tile in only.tiles) > 10  # of 10,000


def test_one_small_part_alone_is_drawn() -> None:
    names = [tile.part.name for tile in maps_of(part("/", 0, part("a", 10**6), part("b", 1)), "by")[0].tiles]
    assert names == ["a", "b"]


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 %"), (1, "under 0.1 %"), (24, "2.4 %"), (99, "9.9 %"), (310, "31 %")]
)
def test_shares_are_told_no_finer_than_people_want(size: int, text: str) -> None:
    assert share_text(size, 1000 if size != 1 else 10_000) == text


def test_a_share_of_nothing_is_nothing() -> None:
    assert share_text(0, 0) == "0 %"
