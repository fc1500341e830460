"""What the kernel is told about the layers of a tree."""

from __future__ import annotations

from crossbuild.machines.overlay import OverlaySpec, options

LAYERS = OverlaySpec(folder="/b/layers", lower=["3", "1", "0"], upper="4", work="4.work", users="/b/users")


def test_layers_are_named_without_a_path_the_topmost_first() -> None:
    words = options(LAYERS, private=False).split(",")
    assert {"lowerdir=3:1:0", "upperdir=4", "workdir=4.work"} <= set(words)


def test_a_second_mount_of_the_same_layer_is_refused_by_the_kernel() -> None:
    assert "index=on" in options(LAYERS, private=False).split(",")


def test_only_a_private_namespace_keeps_notes_that_others_could_write() -> None:
    assert "userxattr" in options(LAYERS, private=True).split(",")
    assert "userxattr" not in options(LAYERS, private=False)
