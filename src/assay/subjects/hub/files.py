"""Small files of a model folder, read with bounds."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from assay.core.errors import LimitError, SubjectError


def read_small(path: Path, limit: int) -> bytes | None:
    """The bytes of a regular file, or None where there is none.

    Raises:
        SubjectError: it cannot be read, or is no regular file.
        LimitError: it is larger than `limit` bytes.
    """
    try:
        # O_NONBLOCK: a FIFO in the file's place must not hang us.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:  # noqa: PTH123  from a descriptor
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise SubjectError("not a regular file", subject=path.name)
            raw = file.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SubjectError(f"cannot be read: {reason}", subject=path.name) from error
    if len(raw) > limit:
        raise LimitError(f"is larger than {limit:,} bytes", subject=path.name)
    return raw
