"""What the system refuses, as errors that say what to do."""

from __future__ import annotations

import errno

from crossbuild.errors import DISK_FULL, BuildFailedError, CrossbuildError, StorageError


def as_error(error: OSError) -> CrossbuildError:
    """Return *error*, which a file caused, in words."""
    place = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageError(DISK_FULL, details=place, resolution="Free some space and run it again.")
    return BuildFailedError("A file could not be read or written.", details=place)
