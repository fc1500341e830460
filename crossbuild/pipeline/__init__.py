"""The whole flow from a spec to an artifact set or a root: the only package that knows all of it."""

from crossbuild.pipeline.building import build, create_root, plan

__all__ = ["build", "create_root", "plan"]
