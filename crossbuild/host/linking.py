"""Second names for files that many builds share."""

from __future__ import annotations

import errno
import os
import shutil


def link_or_copy(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Give *source* the name *target*, too, or copy it where that lies on another file system.

    Raises FileExistsError where *target* is there, OSError where it cannot be made.
    """
    try:
        os.link(source, target)
    except OSError as error:
        # EMLINK: of one file a file system keeps so many names and no more.
        if error.errno not in {errno.EXDEV, errno.EMLINK, errno.EPERM}:
            raise
        shutil.copy2(source, target)
