"""One region of a file, stream by stream, as every machine that could load it would read it."""

from __future__ import annotations

import mmap
import re

from .confine import processor_time
from .files import BoundaryReachedError, FrameFile, WholeFile
from .joblib_arrays import JoblibWalker
from .literals import literals, names_target
from .raw import hidden_streams, legacy_storages
from .recorder import HELD, Recorder, RecordingUnpickler
from .rules import NO_RULES, Rules
from .symbols import Items
from .walk import Walk, WalkLimitError, WalkRecorder
from .walker import Walker
from .wire import Events, TooManyEventsError, storage_width

MAX_STREAMS = 20_000
MAX_NESTING = 4
MAX_PADDING = 4096
SMALL = 4 << 20
# Honest pickles are read at 6 MB a second of processor time and more; hash bombs, which are not, are walked.
MACHINE_SECONDS, BYTES_PER_SECOND = 2, 4 << 20
LEGACY_TORCH = 0x1950A86A20F9469CFC6C
LEGACY_STREAMS = 5
KEPT_KEYS = 4096  # items of each container: enough for the key list of a legacy checkpoint
_START = re.compile(rb"\x80[\x00-\x05]|c[\w.]+\n[\w.]+\n|\(i[\w.]+\n[\w.]+\n")
COMPUTED = "a computed callable"
_NEWLINES = (b"\n", b"\r\n")
FAILURES = (Exception, RecursionError)


class Region:
    """Bytes `start` to `end` of `data` (an mmap or bytes), and the rules to read them by."""

    def __init__(self, data: mmap.mmap | bytes, start: int, end: int, rules: Rules = NO_RULES) -> None:
        self.rules = rules
        self.data = data
        self.view = memoryview(data)
        self.start = start
        self.end = end


def read_region(region: Region, events: Events, *, walk_only: bool, probe: bool, depth: int = 0) -> None:
    """Read all streams of a region and tell what they import and do."""
    at, index, legacy = region.start, 0, False
    recorder = Recorder(events, rules=region.rules)
    while at < region.end and not (index and _padding(region, at)):
        if index >= MAX_STREAMS:
            events.emit("limit", at, "streams", f"more than {MAX_STREAMS} streams")
            break
        recorder = Recorder(events, recorder.storages, region.rules)
        events.hold("stream", at, index, depth)
        end, stopped, result = _one(region, at, recorder, walk_only=walk_only, probe=probe, index=index)
        if index == 0:
            legacy = result == LEGACY_TORCH
            events.hold("kind", at, "pickle" if stopped or recorder.plausible else "none")
        if not stopped and (index or recorder.plausible):
            _junk(region, end, events)
        for raw in recorder.nested:  # last: what follows is told as theirs
            _nested(raw, events, region.rules, walk_only=walk_only, depth=depth)
        if not stopped:
            break
        at, index = end, index + 1
        if legacy and index == LEGACY_STREAMS:
            at = _legacy(region, at, result, recorder, events)
    if depth == 0:
        for key, (kind, count) in recorder.storages.items():
            events.hold("storage", None, key, count * storage_width(kind))


def _padding(region: Region, at: int) -> bool:
    """Whether only a block's padding of zeros is left, or the newline of a tool that ends files with one."""
    if region.end - at > MAX_PADDING:
        return False
    left = region.data[at : region.end]
    return left in _NEWLINES or not left.strip(b"\0")


def _legacy(region: Region, at: int, keys: object, recorder: Recorder, events: Events) -> int:
    """Step over a legacy checkpoint's storages, which are looked into for pickles all the same."""
    end, problem = legacy_storages(region.data, at, region.end, keys, recorder.storages)
    events.send("format", at, "pytorch-legacy")
    if problem:
        events.emit("limit", at, "storages", problem)
        end = region.end  # not told apart any more: all of it is looked into, and none of it counts as read
    hidden_streams(region.data, region.view, at, end, Recorder(events, rules=region.rules))
    return end


def _nested(raw: bytes, events: Events, rules: Rules, *, walk_only: bool, depth: int) -> None:
    if depth >= MAX_NESTING:
        events.emit("limit", None, "nesting", "pickles nested in bytes beyond the bound")
        return
    read_region(Region(raw, 0, len(raw), rules), events, walk_only=walk_only, probe=True, depth=depth + 1)


def _one(
    region: Region, at: int, recorder: Recorder, *, walk_only: bool, probe: bool, index: int
) -> tuple[int, bool, object]:
    """Read the stream at `at`: where it ends, whether by STOP, and its value."""
    trouble, end, result = (
        ("the walk was asked for", at, None) if walk_only else _machine(region, at, recorder)
    )
    if not trouble and not recorder.arrays:
        for literal in literals(region.data, region.view, at, end):
            recorder.look_inside(literal)
        if names_target(region.data, at, end):
            recorder.tell("asks", "a setting may say what to make: the walk tells which")
        recorder.tell("end", "c", "", offset=end)
        return end, True, result
    told = WalkRecorder(recorder, strict=(not probe or region.data[at] == 0x80) and index == 0)  # noqa: PLR2004
    try:
        walk, joblib = _walk(region, at, told, walk_only=walk_only)
    except (WalkLimitError, MemoryError):
        recorder.tell("limit", "walk", "the streaming pass needs more memory than its bound")
        recorder.plausible = True
        return region.end, False, None
    problem = walk.problem if walk_only or joblib else trouble
    if not walk.stopped and not problem:
        problem = walk.problem or "there is no STOP"
    recorder.tell("end", "walk", problem[:300], offset=walk.end)
    stopped = walk.stopped and (recorder.plausible or not walk.problem)
    return walk.end, stopped, _plain_result(walk.result)


def _walk(region: Region, at: int, told: WalkRecorder, *, walk_only: bool) -> tuple[Walk, bool]:
    """Walk the stream at `at`, as joblib does where it holds joblib's arrays; whether it does."""
    find, recorder = region.data.find, told.recorder
    if not walk_only and not recorder.arrays:
        return Walker(region.view, find, told, KEPT_KEYS).run(at, region.end), False
    walker = JoblibWalker(
        region.view,
        find,
        told,
        KEPT_KEYS,
        lambda start: _machine(region, start, Recorder(recorder.events, rules=region.rules))[:2],
    )
    walk = walker.run(at, region.end)
    if walker.arrays:
        recorder.tell("format", "joblib")
        if walk_only:  # where the C machine did not read it as a plain loader does
            Walker(region.view, find, told).run(at, region.end)
    for start, end in walker.skipped:
        hidden_streams(region.data, region.view, start, end, recorder)
    return walk, walker.arrays > 0


def _machine(region: Region, at: int, recorder: Recorder) -> tuple[str, int, object]:
    """Run the C machine; what troubled it ("" for nothing), where the stream ended, and its value."""
    data, end = region.data, region.end
    framed = end - at > 2 and data[at] == 0x80 and data[at + 1] >= 4  # noqa: PLR2004
    if data.find(b"\x95", at, end) < 0:
        return _from_bytes(region, at, recorder)
    if framed:
        return _from_file(region, at, recorder)
    first = _from_bytes(region, at, recorder)
    again = Recorder(None, rules=region.rules)
    second = _from_file(region, at, again) if end - at <= SMALL else _plain_file(region, at, again)
    if not first[0] and (second[0] or second[1] != first[1] or again.seen != recorder.seen):
        recorder.tell("frame", "machines read this stream differently")
        return "C reads it differently from bytes and from a file", at, None
    return first


def machine_objects(region: Region) -> str:
    """Why the C machine does not read the bytes of a region as one stream; "" where it does."""
    trouble, end, _ = _machine(region, region.start, Recorder(None, rules=region.rules))
    if trouble and trouble != COMPUTED:
        return trouble
    return "" if end == region.end else f"C reads it to byte {end}"


def _from_bytes(region: Region, at: int, recorder: Recorder) -> tuple[str, int, object]:
    file = WholeFile(region.view, at, region.end, region.data.find)
    trouble, result = _load(RecordingUnpickler(file, recorder), recorder, region.end - at)
    return trouble, file.position, _plain_result(result)


def _plain_file(region: Region, at: int, recorder: Recorder) -> tuple[str, int, object]:
    data = region.data
    if not isinstance(data, mmap.mmap):
        return _from_file(region, at, recorder)
    data.seek(at)
    trouble, _ = _load(RecordingUnpickler(data, recorder), recorder, region.end - at)
    return trouble, data.tell(), None


def _from_file(region: Region, at: int, recorder: Recorder) -> tuple[str, int, object]:
    file = FrameFile(region.view, at, region.end, region.data.find)
    unpickler = RecordingUnpickler(file, recorder)
    trouble, result = _load(unpickler, recorder, region.end - at)
    if not trouble:
        file.closed = True  # what is left of the last frame would be run by a second load()
        try:
            unpickler.load()
            file.violated = True
        except BoundaryReachedError:
            pass
        except FAILURES:
            file.violated = True
    if file.violated:
        recorder.tell("frame", "an opcode crosses the end of its frame")
        trouble = trouble or "an opcode crosses the end of its frame"
    return trouble, file.position, _plain_result(result)


def _load(unpickler: RecordingUnpickler, recorder: Recorder, size: int) -> tuple[str, object]:
    HELD.clear()
    try:
        with processor_time(MACHINE_SECONDS + size // BYTES_PER_SECOND):
            result = unpickler.load()
        HELD.append(result)
    except MemoryError:
        recorder.tell("limit-soft", "memory", "the machine reached its memory bound")
        return "the machine reached its memory bound", None
    except TooManyEventsError:
        raise
    except FAILURES as error:
        return f"{type(error).__name__}: {str(error)[:200]}", None
    if any(kind == "computed-call" for kind, _ in recorder.seen[:1000]):
        return COMPUTED, None
    return "", result


def _plain_result(result: object) -> object:
    """An integer or a list of texts, which is what a legacy checkpoint's frame is made of."""
    if isinstance(result, Items) and result.kind == "list":
        result = result.items if len(result.items) < KEPT_KEYS else None
    plain = type(result) is int or (type(result) is list and all(type(item) is str for item in result))
    return result if plain else None


def _junk(region: Region, at: int, events: Events) -> None:
    """After bytes that no machine reads: look for streams that a loader which seeks could start at."""
    tries = 0
    for match in _START.finditer(region.view, at, min(region.end, at + (64 << 20))):
        tries += 1
        if tries > 200:  # noqa: PLR2004
            break
        recorder = Recorder(events, rules=region.rules)
        walker = Walker(region.view, region.data.find, WalkRecorder(recorder, strict=False))
        try:
            walker.run(match.start(), min(region.end, match.start() + SMALL))
        except (WalkLimitError, MemoryError):
            continue
    events.send("junk", at, region.end - at)
