"""`sms-aarch64`: command lines of cross-sms-aarch64, as old scripts have them.

Without words it is `crossbuild shell`, with words `crossbuild run`. The environment is that of the ancestor's
script sms-aarch64.sh (its README, "Tips", and its Makefile for docker_image_tag):

| variable | meaning here |
|---|---|
| docker_image_tag | the builder's name; unset and `latest` mean `default` |
| HTTP_PROXY, HTTPS_PROXY, NO_PROXY | reach the builder, in small letters, too |
| YUM_REPOS_D, LOCAL_REPO | folders that the builder must show at /etc/yum.repos.d and at the old place |
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from crossbuild.cli.errors import guarded
from crossbuild.cli.options import Session
from crossbuild.errors import UsageError
from crossbuild.model.builder import Builder, Mount

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
YUM_REPOS_D = PurePosixPath("/etc/yum.repos.d")


def run(argv: Sequence[str] | None = None) -> int:
    """Do what sms-aarch64.sh did with *argv*, by default this process's, and return the exit status."""
    from crossbuild.cli import main

    words = list(sys.argv[1:] if argv is None else argv)
    os.environ.update(proxies(os.environ))
    if status := guarded(lambda: _check(os.environ), session=Session(), argv=words):
        return status
    return main.run(translated(words, os.environ))


def translated(words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return crossbuild's arguments for the ancestor's *words*."""
    builder = ["--builder", builder_name(environment)]
    return ["run", *builder, "--", *words] if words else ["shell", *builder]


def builder_name(environment: Mapping[str, str]) -> str:
    """Return the builder that docker_image_tag names."""
    tag = environment.get("docker_image_tag", "")
    return "default" if tag in {"", "latest"} else tag


def proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the proxies under their names in small letters, which most programs read, where unset."""
    return {
        name.lower(): environment[name]
        for name in PROXIES
        if environment.get(name) and not environment.get(name.lower())
    }


def wanted_mounts(environment: Mapping[str, str], prefix: Path) -> tuple[Mount, ...]:
    """Return what YUM_REPOS_D and LOCAL_REPO ask for; LOCAL_REPO below *prefix* is shown without it.

    Raises UsageError for a folder that is not there.
    """
    mounts = []
    if repos := environment.get("YUM_REPOS_D"):
        mounts.append(_mount("YUM_REPOS_D", repos, YUM_REPOS_D))
    if local := environment.get("LOCAL_REPO"):
        below = Path(local).is_relative_to(prefix) and Path(local) != prefix
        inside = PurePosixPath("/", Path(local).relative_to(prefix)) if below else PurePosixPath(local)
        mounts.append(_mount("LOCAL_REPO", local, inside))
    return tuple(mounts)


def require_mounts(builder: Builder, wanted: Sequence[Mount]) -> None:
    """Raise UsageError, saying how to make it anew, unless *builder* shows everything that is *wanted*."""
    shown = {(mount.source, mount.target) for mount in builder.mounts}
    missing = [mount for mount in wanted if (mount.source, mount.target) not in shown]
    if not missing:
        return
    flags = [word for mount in wanted for word in ("--mount", f"{mount.source}:{mount.target}")]
    raise UsageError(
        f"The builder `{builder.name}` does not show what YUM_REPOS_D and LOCAL_REPO name.",
        details="\n".join(f"{mount.source} at {mount.target}" for mount in missing),
        resolution="A builder gets its folders when it is made. Unset the variables, or make one with "
        f"`crossbuild builder create NAME {shlex.join(flags)}` and set docker_image_tag to its name.",
    )


def _mount(variable: str, folder: str, inside: PurePosixPath) -> Mount:
    source = Path(folder)
    if not source.is_absolute() or not source.is_dir():
        raise UsageError(f"{variable} must name a folder of this host by its whole path.", details=folder)
    return Mount(source=source, target=inside, read_only=False)


def _check(environment: Mapping[str, str]) -> int:
    if not (environment.get("YUM_REPOS_D") or environment.get("LOCAL_REPO")):
        # The usual case: nothing is loaded for it.
        return 0
    from crossbuild.builders import store
    from crossbuild.config.site import load_site

    site = load_site()
    wanted = wanted_mounts(environment, site.prefix)
    require_mounts(store.load(site, builder_name(environment)), wanted)
    return 0
