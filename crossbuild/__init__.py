"""Build aarch64 system images for HPC clusters on x86_64 management servers.

    from pathlib import Path
    import crossbuild

    site = crossbuild.load_site()
    spec = crossbuild.load_spec(Path("examples/debian12-compute.yaml"), site)
    print(crossbuild.plan(spec, site).executor.reason)
    crossbuild.become_root(site)  # for others than root: in a private namespace
    made = crossbuild.build(spec, site, Path("out"))
    print(made.directory, made.record["arch"])

`plan` and `build` take an `on_event` function that hears what happens (crossbuild.model.events). Everything
raises `CrossbuildError`, whose `brief`, `details`, `resolution` and `exit_code` a front end shows.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it; importing typing takes as long as starting Python
if TYPE_CHECKING:
    from typing import Any

    from crossbuild.artifacts.store import diff_sets, load_set, verify_set
    from crossbuild.config.site import load_site
    from crossbuild.config.spec import load_spec
    from crossbuild.errors import CrossbuildError
    from crossbuild.host.namespace import become_root
    from crossbuild.model.artifact import ArtifactSet
    from crossbuild.model.plan import Plan
    from crossbuild.model.site import Site
    from crossbuild.model.spec import ImageSpec
    from crossbuild.pipeline.building import build, create_root, plan

__version__ = "0.1.0"

__all__ = [
    "ArtifactSet",
    "CrossbuildError",
    "ImageSpec",
    "Plan",
    "Site",
    "become_root",
    "build",
    "create_root",
    "diff_sets",
    "load_set",
    "load_site",
    "load_spec",
    "plan",
    "verify_set",
]

_HOMES = {
    "ArtifactSet": "crossbuild.model.artifact",
    "CrossbuildError": "crossbuild.errors",
    "ImageSpec": "crossbuild.model.spec",
    "Plan": "crossbuild.model.plan",
    "Site": "crossbuild.model.site",
    "become_root": "crossbuild.host.namespace",
    "build": "crossbuild.pipeline.building",
    "create_root": "crossbuild.pipeline.building",
    "diff_sets": "crossbuild.artifacts.store",
    "load_set": "crossbuild.artifacts.store",
    "load_site": "crossbuild.config.site",
    "load_spec": "crossbuild.config.spec",
    "plan": "crossbuild.pipeline.building",
    "verify_set": "crossbuild.artifacts.store",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `crossbuild --help` needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415  # `crossbuild run` would wait for it

    return getattr(importlib.import_module(_HOMES[name]), name)
