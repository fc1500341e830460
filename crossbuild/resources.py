"""Finds templates/, dockerfiles/ and etc/ in a checkout or a wheel; the one door to Jinja2."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2

from crossbuild.errors import SpecError
from crossbuild.wording import printable


@cache
def data_folder() -> Path:
    """Return the folder that holds templates/, dockerfiles/ and etc/."""
    installed = Path(__file__).with_name("_data")
    return installed if installed.is_dir() else Path(__file__).parent.parent


@cache
def _environment(*, pages: bool = False) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(data_folder() / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=pages,
        finalize=_visible if pages else None,
    )


def _visible(value: object) -> object:
    """Return what a template fills in, with control characters to be seen, not obeyed; markup as it is."""
    return printable(value) if type(value) is str else value


def render(template: str, **values: object) -> str:
    """Return the template of that name below templates/ with *values* filled in."""
    return _environment().get_template(template).render(values)


def render_page(template: str, **values: object) -> str:
    """Return an HTML template with *values* filled in, in which nothing of them is markup."""
    return _environment(pages=True).get_template(template).render(values)


def render_text(text: str, variables: Mapping[str, str], *, origin: str) -> str:
    """Return *text*, written by a user, with *variables* filled in; raise SpecError naming *origin*."""
    try:
        return _environment().from_string(text).render(variables)
    except jinja2.TemplateError as error:
        known = ", ".join(sorted(variables)) or "none"
        raise SpecError(
            f"{origin} cannot be filled in.",
            details=f"{error}. Known variables: {known}.",
            resolution="Define it under `variables:` in the configuration file, or correct the name.",
        ) from error
