"""Which engine holds a new builder, and why; and the backend of each engine."""

from __future__ import annotations

from collections.abc import Sequence

from crossbuild.errors import HostNotReadyError
from crossbuild.model.builder import EngineChoice, EngineKind
from crossbuild.model.host import Engine


def choose_engine(wanted: EngineKind | None, engines: Sequence[Engine], *, private: bool) -> EngineChoice:
    """Return the engine of a new builder: *wanted*, else the first of *engines* that answers, else none.

    *private* says that this process is root of its own namespace only, where engines cannot reach its
    files. Raises HostNotReadyError where the one that is wanted does not answer.
    """
    if wanted is EngineKind.SANDBOX:
        return EngineChoice(kind=wanted, reason="it was asked for")
    if wanted is not None:
        return EngineChoice(kind=_answering(wanted, engines), reason="it was asked for")
    if private:
        return EngineChoice(kind=EngineKind.SANDBOX, reason="ordinary users share no engine with root")
    for engine in engines:
        if engine.reachable:
            return EngineChoice(kind=EngineKind(engine.name), reason=f"{engine.name} answers here")
    silent = " ".join(engine.reason for engine in engines) or "no engine was found."
    return EngineChoice(kind=EngineKind.SANDBOX, reason=f"no container engine answers: {silent}")


def _answering(wanted: EngineKind, engines: Sequence[Engine]) -> EngineKind:
    found = next((engine for engine in engines if engine.name == wanted.value), None)
    if found is None or not found.reachable:
        raise HostNotReadyError(
            f"{wanted.value.capitalize()} does not answer.",
            details=found.reason if found else "",
            resolution="Start it, or use `--engine sandbox`, which needs no engine.",
        )
    return wanted
