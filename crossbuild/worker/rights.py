"""Whoever works here need not be root: in a private namespace he is, for files of many owners."""

from __future__ import annotations

from crossbuild.errors import CrossbuildError
from crossbuild.host.private_root import become_root_natively
from crossbuild.worker.folder import JobFolder, failed


def became_root(folder: JobFolder) -> bool:
    """Become what builds need; where that is not allowed, say so as the outcome of the job of *folder*."""
    try:
        become_root_natively()
    except CrossbuildError as error:
        folder.conclude(failed(error))
        return False
    return True


def remove_all(folder: JobFolder) -> None:
    """Delete what is left of a job; where its worker was killed, files of many owners are."""
    if folder.scratch.exists():
        become_root_natively()
    folder.remove()
