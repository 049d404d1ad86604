"""Takes one job from a socket, answers it and ends: no file shares this process with another.

What is in the file is parsed by a large C library. Should it be taken over, then no other file's answer is in
its hands. A job is one line `start length memory seconds events text` with the file's descriptor beside it.
"""

from __future__ import annotations

import io
import mmap
import os
import platform
import socket
import sys
from typing import Any

import numpy as np

# h5py asks on import what machine this is, for which Python would start `uname -p`.
vars(platform.uname())["processor"] = ""

import h5py  # noqa: E402

from assay.subjects.hdf5.child.walk import walk  # noqa: E402
from assay.subjects.hdf5.child.window import Window  # noqa: E402
from assay.subjects.pickles.child.confine import end_with_parent, job_limits, limits, seccomp  # noqa: E402
from assay.subjects.pickles.child.wire import Events, TooManyEventsError  # noqa: E402


def main() -> None:
    """Serve one job on descriptor 0."""
    _warm_up()
    end_with_parent(int(sys.argv[-1]))
    limits()
    link = socket.socket(fileno=0)  # before seccomp: it asks for the socket's family
    note = seccomp()
    Events(0, 1).send("ready", None, note)
    line, ancillary, _, _ = link.recvmsg(400, 64)
    if not line:
        return
    fd = int.from_bytes(ancillary[0][2][:4], "little")
    start, length, memory, seconds, most, text = map(int, line.decode().split())
    job_limits(memory + os.fstat(fd).st_size, seconds)
    events = Events(0, most)
    try:
        data = mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
        read(data, start, start + length, events, text)
    except TooManyEventsError:
        events.send("limit", None, "more is in it than is listened to")
    except MemoryError:
        events.send("limit", None, "out of memory")
    except Exception as error:  # noqa: BLE001  told to the parent: what was not read is not clean
        events.send("limit", None, f"{type(error).__name__}: {str(error)[:200]}")
    events.send("done", None)


def read(data: mmap.mmap | bytes, start: int, end: int, events: Any, text: int) -> None:
    """Walk the HDF5 file in `data[start:end]`, sending no more than `text` bytes of strings."""
    with h5py.File(Window(data, start, end), "r") as file:
        walk(file.id, events, text)


def _warm_up() -> None:
    """Import and set up, by reading a small file, all that could not be opened later."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["text"] = "ä"
        file.attrs["list"] = np.array([b"a", b"b"])
        file.attrs["raw"] = np.void(b"a")
        group = file.create_group("group")
        group["soft"] = h5py.SoftLink("/numbers")
        file.create_dataset("numbers", data=np.ones(8), chunks=(4,), compression="gzip", shuffle=True)
        file.create_dataset("words", data=["a", "b"])
        rows = file.create_dataset("rows", (1,), dtype=h5py.vlen_dtype(np.uint8))
        rows[0] = np.zeros(2, np.uint8)
    raw = buffer.getvalue()
    read(raw, 0, len(raw), _Silence(), 1000)


class _Silence:
    """Events that nobody hears."""

    def emit(self, *event: object) -> None:
        """Drop it."""
