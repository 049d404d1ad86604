"""Takes jobs from a socket, one at a time, until it closes.

The rules by which pickles are judged come as an argument of the process, packed. A job is one line
`mode start length memory seconds events` with the file's descriptor beside it; `mode` holds `w` to walk only,
`p` where it is not known that the bytes are a pickle; or it is `t` or `l` for the plan of a checkpoint's
tensors, of one pickle or of a legacy file. The last line of an answer is `done`.
"""

from __future__ import annotations

import _socket
import binascii
import gc
import mmap
import os
import sys
import zlib

from .checkpoint import tell_plan
from .confine import end_with_parent, job_limits, limits, seccomp
from .recorder import HELD
from .rules import Rules, parse
from .streams import Region, read_region
from .wire import Events, TooManyEventsError


def main() -> None:
    """Serve jobs on descriptor 0."""
    gc.disable()  # a collection over millions of inert objects costs more than reading them
    for encoding in ("latin-1", "ascii", "utf-8", "unicode_escape", "raw_unicode_escape"):
        "a".encode(encoding)  # loaded now: no file can be opened later
    _, _, packed, bond = sys.argv  # program, package, rules, and what tells that the parent is gone
    rules = parse(zlib.decompress(binascii.a2b_base64(packed)).decode())
    end_with_parent(int(bond))
    limits()
    link = _socket.socket(fileno=0)  # before seccomp: it asks for the socket's family
    note = seccomp()
    gc.freeze()  # what is there now is not looked through after every job
    Events(0, 1).send("ready", None, note)
    while True:
        line, ancillary, _, _ = link.recvmsg(400, 64)
        if not line:
            return
        fd = int.from_bytes(ancillary[0][2][:4], "little")
        mode, start, length, memory, seconds, most = line.decode().split()
        HELD.clear()
        gc.collect()
        size = os.fstat(fd).st_size
        job_limits(int(memory) + size, int(seconds))
        events = Events(0, int(most))
        try:
            _job(fd, mode, int(start), int(length), events, rules)
        except TooManyEventsError:
            events.send("limit", None, "events", "more events than are listened to")
        except MemoryError:
            events.send("limit", None, "memory", "out of memory")
        except Exception as error:  # noqa: BLE001  told to the parent: what was not read is not clean
            events.send("limit", None, "error", f"{type(error).__name__}: {str(error)[:200]}")
        events.send("done", None)


def _job(fd: int, mode: str, start: int, length: int, events: Events, rules: Rules) -> None:
    try:
        data = mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(fd)
    region = Region(data, start, start + length, rules)
    if mode in {"t", "l"}:
        tell_plan(region, events, legacy=mode == "l")
        return
    read_region(region, events, walk_only="w" in mode, probe="p" in mode)
