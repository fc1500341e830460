"""The worker as one file: those modules of crossbuild that make a root, for any Python that is new enough."""

from __future__ import annotations

import hashlib
import io
import secrets
import zipfile
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
PARTS = (
    "__init__.py",
    "errors.py",
    "acceleration/*.py",
    "distros/**/*.py",
    "executors/*.py",
    "formats/*.py",
    "host/**/*.py",
    "machines/*.py",
    "model/*.py",
    "pipeline/__init__.py",
    "pipeline/failures.py",
    "pipeline/inventory.py",
    "pipeline/narrator.py",
    "pipeline/phases.py",
    "worker/*.py",
)
"""Patterns below the package; nothing of them needs more than the standard library when it is imported."""
START = "import runpy; runpy.run_module('crossbuild.worker', run_name='__main__')\n"
MOMENT = (1980, 1, 1, 0, 0, 0)
"""Of every file in it, so that the same modules give the same bytes: the first that ZIP can express."""


def worker_file(cache: Path) -> Path:
    """Return the worker, made now unless *cache* has it; its name holds the digest of what is in it."""
    content = _zipped()
    target = cache / f"worker-{hashlib.sha256(content).hexdigest()[:16]}.pyz"
    if not target.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        scratch = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        scratch.write_bytes(content)
        scratch.rename(target)
    return target


def _zipped() -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_entry("__main__.py"), START)
        for path in _modules():
            name = path.relative_to(PACKAGE.parent).as_posix()
            archive.writestr(_entry(name), path.read_bytes())
    return whole.getvalue()


def _modules() -> Iterator[Path]:
    found = (path for pattern in PARTS for path in PACKAGE.glob(pattern))
    return iter(sorted(found))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
