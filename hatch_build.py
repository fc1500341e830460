"""Compiles crossbuild-exec while the package is built; without a compiler the package comes without it."""

from __future__ import annotations

import platform
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLATFORM = "manylinux1_x86_64"
"""The program needs no library at all, so any Linux will do (PEP 513)."""


class CompileExec(BuildHookInterface[Any]):
    """Hatchling's hook for wheels and editable installations."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  hatchling's signature
        """Compile, and say in *build_data* that the wheel holds a program for x86_64."""
        if platform.machine() != "x86_64":
            return
        building = runpy.run_path(str(Path(self.root, "crossbuild/acceleration/build.py")))
        target: Path = building["FRONT"]
        if not self._compile(building["compile_command"](target)):
            target.unlink(missing_ok=True)
            return
        build_data["artifacts"].append(str(target.relative_to(self.root)))
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{PLATFORM}"

    def _compile(self, command: list[str]) -> bool:
        compiler = shutil.which(command[0])
        if compiler is None:
            self.app.display_warning("No C compiler: crossbuild comes without acceleration.")
            return False
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            self.app.display_warning(f"crossbuild comes without acceleration:\n{done.stderr}")
        return not done.returncode
