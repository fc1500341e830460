"""Folders and packages as trees."""

from __future__ import annotations

from crossbuild.report.fields import Fields, objects
from crossbuild.report.parts import Kind, Part, folder_tree, package_tree


def folders(*entries: tuple[str, int]) -> Fields:
    return Fields({"folders": [{"path": path, "size": size, "files": 1} for path, size in entries]})


def outline(part: Part) -> object:
    return {part.name: part.size} if not part.parts else {part.name: [outline(one) for one in part.parts]}


def test_folders_hold_what_is_below_them_the_largest_first() -> None:
    tree = folder_tree(folders(("/etc", 1), ("/usr/bin", 5), ("/usr/lib", 7)))
    assert (tree.name, tree.size, tree.files) == ("/", 13, 3)
    assert outline(tree) == {"/": [{"usr": [{"lib": 7}, {"bin": 5}]}, {"etc": 1}]}


def test_files_of_a_folder_stand_beside_the_folders_in_it() -> None:
    (usr,) = folder_tree(folders(("/usr", 3), ("/usr/bin", 5))).parts
    assert [(part.kind, part.size) for part in usr.parts] == [(Kind.FOLDER, 5), (Kind.FILES, 3)]
    assert usr.parts[1].title.startswith("files in /usr itself")


def test_a_folder_of_one_folder_is_no_step_of_its_own() -> None:
    (lib,) = folder_tree(folders(("/usr/lib/modules", 5))).parts
    assert (lib.name, lib.title) == ("usr/lib/modules", "/usr/lib/modules")


def test_endless_paths_do_not_end_the_program() -> None:
    tree = folder_tree(folders(("/d" * 5000, 5), ("/e" * 5000, 6), ("/d" * 5000 + "/x", 1)))
    assert tree.size == 12


def test_packages_are_measured_and_the_rest_belongs_to_none() -> None:
    contents = Fields(
        {
            "size": 10,
            "packages": [{"name": "a", "size": 3, "files": 1}, {"name": "b", "size": 5, "files": 2}],
            "unowned": {"size": 2, "files": 4},
        }
    )
    tree = package_tree(contents, ())
    assert [(part.name, part.size) for part in tree.parts] == [("b", 5), ("a", 3), ("no package", 2)]
    assert (tree.size, tree.files, tree.parts[2].kind) == (10, 7, Kind.UNOWNED)


def test_packages_of_older_sets_are_as_large_as_they_say() -> None:
    packages = objects([{"name": "a", "installed_size": 3}, {"name": "none", "installed_size": 0}])
    tree = package_tree(Fields(None), packages)
    assert [(part.name, part.size) for part in tree.parts] == [("a", 3)]
