"""Builds on this host: outside steps on its own programs, inside steps in a sandbox on the root."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crossbuild.executors import edits
from crossbuild.host.command import LineSink
from crossbuild.machines.environment import environment_of_builds
from crossbuild.machines.sandbox import Bind, Sandbox, SandboxMachine
from crossbuild.machines.tools import ToolsRoot
from crossbuild.model.host import Handler
from crossbuild.model.plan import ACCELERATE, COUNT, ROOT, WORK, CommandStep, ImportStep, Layer, Place

HOSTNAME = "localhost"
"""Scripts that look for a host name must not find the build host's."""

TEMPORARY = Path("/tmp")  # noqa: S108 -- programs outside and scripts chrooted inside both find a folder there


class LocalExecutor:
    """Carries out steps on one root; satisfies both `hybrid` and `native`.

    The two differ in who runs the root's programs: binfmt_misc and qemu, or the processor itself.
    """

    def __init__(
        self,
        epoch: int,
        *,
        root: Path,
        work: Path,
        import_base: Callable[[Path], None],
        tools: ToolsRoot | None = None,
        handler: Handler | None = None,
    ) -> None:
        """*root* is what the steps fill; *work*, beside it, is what the package manager was prepared in.

        *epoch* is SOURCE_DATE_EPOCH. *import_base* makes the new folder that it is given the tree of the
        spec's base. Outside steps run on *tools* instead of this host's programs, and *handler* takes the
        root's instead of its handlers.
        """
        self._tools = tools
        self.root, self.work, self._import_base, self._handler = root, work, import_base, handler
        self.epoch = epoch
        self._env = {**environment_of_builds(), "SOURCE_DATE_EPOCH": str(epoch)}

    def run(self, layer: Layer, on_line: LineSink) -> None:
        """Carry out the steps of *layer*, each line of output to *on_line*.

        Raises CommandFailedError or BuildFailedError at the first step that fails.
        """
        for step in layer.steps:
            if isinstance(step, CommandStep):
                self._command(step, on_line)
            elif isinstance(step, ImportStep):
                self._import_base(self.root)
            else:
                edits.apply(step, self.root)

    def _command(self, step: CommandStep, on_line: LineSink) -> None:
        machine = self._outside(step) if step.place is Place.OUTSIDE else self._inside()
        env = {name: self._filled(value) for name, value in step.env}
        machine.run([self._filled(word) for word in step.argv], on_line=on_line, env=env)

    def _outside(self, step: CommandStep) -> SandboxMachine:
        sandbox = self._of_tools(step, self._tools) if self._tools else self._of_host(step)
        return SandboxMachine(sandbox=sandbox, env=self._env)

    def _of_tools(self, step: CommandStep, tools: ToolsRoot) -> Sandbox:
        # The same folder for every build, so that the places in the root of tools are the same.
        work = self.work.parents[1]
        return tools.sandbox(
            self.root, work, self._binds(step), bare=step.bare, hostname=HOSTNAME, handler=self._handler
        )

    def _of_host(self, step: CommandStep) -> Sandbox:
        return Sandbox(
            root=self.root,
            pivot=False,
            api=not (step.mounts_itself or step.bare),
            binds=self._binds(step),
            writable=(self.work.parent, TEMPORARY),
            hostname=HOSTNAME,
            network=False,
            confined=not step.mounts_itself,
            handler=self._handler,
        )

    def _binds(self, step: CommandStep) -> tuple[Bind, ...]:
        shown = (
            Bind(source=Path(self._filled(source)), target=Path(self._filled(target)))
            for source, target in step.binds
        )
        # A program that makes its own mounts shows the twin itself; else it lies on a /run.
        return (*shown, *(() if step.mounts_itself or step.bare else self._twin()))

    def _inside(self) -> SandboxMachine:
        sandbox = Sandbox(
            root=self.root, pivot=True, binds=self._twin(), hostname=HOSTNAME, handler=self._handler
        )
        return SandboxMachine(sandbox=sandbox, env=self._env)

    def _twin(self) -> tuple[Bind, ...]:
        """Return what shows the twin in the root, on the sandbox's own /run: nothing where there is none."""
        folder, place = self.work / ACCELERATE, self.root / "run/crossbuild"
        if not folder.is_dir():
            return ()
        # Other builds use the same files: nothing that runs in this root may change them.
        shown = Bind(source=folder, target=place, read_only=True)
        return shown, Bind(source=folder / COUNT, target=place / COUNT)

    def _filled(self, word: str) -> str:
        return word.replace(ROOT, str(self.root)).replace(WORK, str(self.work))
