"""Reading a YAML file, and turning what is wrong with it into words for its author."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from crossbuild.errors import SpecError

Section = TypeVar("Section", bound=BaseModel)

QUOTE_HINT = "YAML reads an unquoted 9.10 as the number 9.1: put the value in quotes."


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002 -- PyYAML's own signature
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                problem = f"the key {key!r} stands here twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_document(path: Path) -> dict[str, object]:
    """Return the mapping that *path* holds; raise SpecError if it cannot be read or is no mapping."""
    try:
        text = path.read_text(encoding="utf-8")
        value = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 -- a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"Cannot read {path}.", details=str(error)) from error
    except yaml.YAMLError as error:
        raise SpecError(
            f"{path} is not valid YAML.", details=str(error), resolution="Correct the line that is named."
        ) from error
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise SpecError(f"{path} must hold keys and values.", details=f"It holds a {type(value).__name__}.")
    return value


def validate(model: type[Section], value: object, origin: Path) -> Section:
    """Return *value* as *model*; raise SpecError naming each wrong key by its path in *origin*."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise SpecError(
            f"{origin} is not valid.",
            details="\n".join(_explain(problem) for problem in error.errors()),
            resolution="Correct the keys above; docs/reference/ lists what each of them takes.",
        ) from error


def _explain(problem: object) -> str:
    assert isinstance(problem, dict)
    path = _path(problem["loc"])
    kind, given = problem["type"], problem.get("input")
    if kind == "extra_forbidden":
        return f"{path}: there is no such key"
    if kind == "string_type" and isinstance(given, int | float):
        return f"{path}: must be text, but is the number {given}. {QUOTE_HINT}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{path}: {message[0].lower()}{message[1:]}"


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".") or "(the whole file)"
