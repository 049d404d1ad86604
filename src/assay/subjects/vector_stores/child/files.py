"""Takes one job from a socket, answers it and ends.

A job is `kind memory seconds table`, the file's path the argument of the process. The file is opened before
the process is confined and parsed afterwards.
"""

from __future__ import annotations

import mmap
import os
import socket
import sys

from assay.subjects.pickles.child.confine import end_with_parent, job_limits, limits, seccomp

from . import answer, chroma, qdrant
from .database import SchemaError, connect, harden
from .values import ForeignGlobalError, values


def main() -> None:
    """Serve one job on descriptor 0."""
    for encoding in ("latin-1", "ascii", "utf-8", "unicode_escape", "raw_unicode_escape"):
        "a".encode(encoding)  # loaded now: no file can be opened later
    end_with_parent(int(sys.argv[-1]))
    link = socket.socket(fileno=0)
    answer.send("ready", "")
    line, ancillary, _, _ = link.recvmsg(10_000, 64)
    if not line:
        return
    fd = int.from_bytes(ancillary[0][2][:4], "little")
    kind, memory, seconds, table = line.decode().split(" ", 3)
    database = connect(sys.argv[-2]) if kind != "labels" else None
    limits()
    if note := seccomp():
        answer.send("note", note)
    job_limits(int(memory) + os.fstat(fd).st_size, int(seconds))
    try:
        if database is None:
            data = mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
            chroma.labels(values(data[:], "chromadb"))
        else:
            harden(database)
            qdrant.read(database) if kind == "qdrant" else chroma.read(database, table)
    except ForeignGlobalError as error:
        answer.send("code", "the index's metadata", str(error))
    except SchemaError as error:
        answer.skip("the store", error)
    except MemoryError:
        answer.skip("the rest of the store", "it took more memory than is allowed")
    except Exception as error:  # noqa: BLE001  told to the parent: what was not read is not clean
        answer.skip("the rest of the store", f"cannot be read: {type(error).__name__}: {error}")
    answer.send("done")
