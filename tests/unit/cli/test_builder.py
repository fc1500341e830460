"""What a builder is to be made of, from the options of `crossbuild builder create`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from crossbuild.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from-root", "a", "--from-image", "b"], "one thing"),
        (["--recipe", "rocky9", "--package", "gcc"], "one thing"),
        (["--from-image", "b", "--release", "12"], "one thing"),
        (["--distro", "ubuntu"], "Which release of ubuntu"),
        (["--from-archive", "no-such-file"], "does not exist"),
        (["--mount", "here"], "is not FOLDER:PLACE"),
    ],
)
def test_options_that_contradict_each_other_are_refused_before_anything_is_done(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    result = CliRunner().invoke(main, ["builder", "create", *arguments], env={"HOME": str(tmp_path)})
    assert (result.exit_code, said in result.output) == (2, True), result.output
