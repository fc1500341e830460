from __future__ import annotations

import pytest
from click.testing import CliRunner

from crossbuild.cli.completion import SHELLS
from crossbuild.cli.main import main


@pytest.mark.parametrize("shell", SHELLS)
def test_script_calls_back_with_the_shells_own_instruction(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert f"_CROSSBUILD_COMPLETE={shell}_complete" in done.output


def test_unknown_shell_is_refused() -> None:
    assert CliRunner().invoke(main, ["completion", "tcsh"]).exit_code == 2
