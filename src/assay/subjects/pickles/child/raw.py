"""Raw numbers after pickles: the storages of legacy PyTorch files, and pickles that hide in such numbers.

Source: torch/serialization.py `_legacy_save` and `_legacy_load`. Every length follows from what the pickle
itself declares; where it does not add up, nothing is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .literals import PROTO
from .recorder import Recorder
from .walk import WalkLimitError, WalkRecorder
from .walker import Walker
from .wire import storage_width

LENGTH = 8
WINDOW = 4 << 20
MAX_TRIES = 500_000
# Anything looser than PROTO and an opcode that may begin a value is met too often by chance.
_NAMED = re.compile(rb"c[A-Za-z_][\w.]+\n[A-Za-z_][\w.]+\n")
_STACKED = re.compile(rb"(?:\x8c.[A-Za-z_][\w.]{0,200}?[\x94]?){2}\x93", re.DOTALL)
_TELLING = frozenset({"call", "mutate", "computed-name", "computed-call", "extension"})


def legacy_storages(
    data: Any, at: int, end: int, keys: object, declared: dict[str, tuple[str, int]]
) -> tuple[int, str]:
    """Where the storages that follow a legacy checkpoint's key list end, and why not if they do not add up.

    Each is an int64 count of elements and the elements, in the order of `keys`; `declared` has, by key, the
    storage class and count of the persistent ids. torch refuses a count that differs, and so does this.
    """
    if not isinstance(keys, list) or not all(type(key) is str for key in keys):
        return at, "the list of storages cannot be read"
    for key in keys:
        kind, count = declared.get(key, ("", -1))
        width = storage_width(kind)
        if not width or count < 0:
            return at, f"storage {key[:40]!r} has no size that is known"
        if int.from_bytes(data[at : at + LENGTH], "little", signed=True) != count:
            return at, f"storage {key[:40]!r} does not have the size that its tensors state"
        after = at + LENGTH + count * width
        if after > end:
            return at, f"storage {key[:40]!r} reaches past the end"
        at = after
    return at, ""


def hidden_streams(data: Any, view: memoryview, start: int, end: int, recorder: Recorder) -> None:
    """Tell `recorder`'s listener of pickles inside raw numbers, for a loader that starts there.

    Chance bytes look like the first opcodes of a pickle now and then, so only what goes on to call, or comes
    to its STOP after an import, is told.
    """
    events = recorder.events
    for tries, at in enumerate(_starts(view[start:end])):
        if tries >= MAX_TRIES:
            if events is not None:
                events.emit("limit", start + at, "raw", "too much in the raw data looks like pickles")
            return
        quiet = Recorder(None, rules=recorder.rules)
        begin = start + at
        try:
            walk = Walker(view, data.find, WalkRecorder(quiet, strict=False)).run(
                begin, min(end, begin + WINDOW)
            )
        except (WalkLimitError, MemoryError):
            continue
        telling = quiet.plausible and any(kind in _TELLING for kind, _ in quiet.seen)
        clean_stop = quiet.plausible and walk.stopped and not walk.problem
        if events is not None and (telling or clean_stop):
            for kind, what in quiet.seen:
                events.emit(kind, begin, *what.split("\0"))


def _starts(view: memoryview) -> Iterator[int]:
    for pattern in (PROTO, _NAMED, _STACKED):
        for match in pattern.finditer(view):
            yield match.start()
