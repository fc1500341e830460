"""Nodes and what they say, for tests that need some."""

from __future__ import annotations

from typing import Any

from crossbuild.model.architecture import Architecture
from crossbuild.model.node import Node, NodeFacts, Tool

KEY = "arm1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPqw/gqhd/xRxk7TwuQjia/51JpieqayGGACTTRMF4IF"
PYTHON = Tool(name="python3", path="/usr/bin/python3", version="Python 3.11.2")
DNF = Tool(name="dnf", path="/usr/bin/dnf", version="4.14.0")
PODMAN = Tool(name="podman", path="/usr/bin/podman", version="podman version 4.3.1")


def make_node(**changes: Any) -> Node:
    values = {
        "name": "arm1",
        "address": "build@arm1:2222",
        "arch": Architecture.AARCH64,
        "slots": 4,
        "host_keys": (KEY,),
        "added": "2026-01-01T00:00:00Z",
        **changes,
    }
    return Node(**values)


def make_facts(**changes: Any) -> NodeFacts:
    values = {
        "arch": "aarch64",
        "user": "build",
        "root": False,
        "cpus": 8,
        "load": 0.5,
        "memory_total": 16_000_000_000,
        "memory_available": 8_000_000_000,
        "disk_free": 100_000_000_000,
        "folder_writable": True,
        "tools": (PYTHON, DNF),
        "subordinate_ids": True,
        "jobs": (),
        "clock_skew": 0.0,
        **changes,
    }
    return NodeFacts(**values)
