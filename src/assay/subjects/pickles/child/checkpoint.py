"""Answers with the plan of a checkpoint: what its tensors are called, how they look and where they lie.

Its lines, in this order: `foreign` what it imports that no tensor is made of · `tensor` name, number format,
key and bytes of its storage, offset, shape, stride · `value` name and JSON · `other` name and what it is ·
`more` how many others are not named · `storage` key, class and count, for a legacy file in its order ·
`end` where the pickles end. Instead of what cannot be told comes `refused` with a code, a name, a detail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .contents import Contents
from .rebuilding import Placed, RefusedError, is_plain, makes_tensor
from .recorder import Recorder
from .streams import LEGACY_STREAMS, LEGACY_TORCH, Region, machine_objects
from .symbols import Call, Global, Items
from .walk import Walk, WalkLimitError, WalkRecorder
from .walker import Walker

if TYPE_CHECKING:
    from .wire import Events

MAX_PICKLE = 256 << 20
MAX_TENSORS = 200_000
MAX_FOREIGN = 1_000
MAX_VALUES = 10_000
MAX_VALUE_TEXT = 1 << 20
MAX_OTHERS = 1_000
KEEP = 10_000_000
_KINDS = {
    "nested": "a pickle inside bytes",
    "mutate": "a change of an object that it imports",
    "computed-name": "an import whose name it computes",
    "computed-call": "a call of something that it computes",
    "extension": "an extension code",
}


def tell_plan(region: Region, events: Events, *, legacy: bool) -> None:
    """Tell what the checkpoint in a region holds: one pickle, or the five of a legacy file."""
    try:
        _Reading(region, events).run(legacy=legacy)
    except RefusedError as refusal:
        events.send("refused", None, refusal.code, refusal.name[:1000], refusal.detail[:300])


class _Reading(Recorder):
    """Walks the pickles, and keeps what they met, to tell what is not made of tensors."""

    def __init__(self, region: Region, events: Events) -> None:
        super().__init__(None)
        self._region = region
        self._out = events
        self._walked = _Counting(self)

    def look_inside(self, value: bytes | bytearray | memoryview) -> None:
        """A pickle inside bytes has no place here."""
        self.tell("nested", str(len(value)))

    def run(self, *, legacy: bool) -> None:
        """Tell all of it.

        Raises:
            RefusedError: it is damaged, or holds what cannot be written.
        """
        at, trouble = self._region.start, ""
        results: list[object] = []
        while not trouble and len(results) < (LEGACY_STREAMS if legacy else 1):
            walk = self._walk(at)
            trouble = self._trouble(at, walk)
            results.append(walk.result)
            at = walk.end
        self._tell_foreign()
        if trouble:
            raise RefusedError("damaged", detail=trouble)
        if legacy:
            self._require_head(results)
        plan = _Plan(self._out)
        contents = Contents(plan)
        contents.look(results[LEGACY_STREAMS - 2] if legacy else results[0])
        plan.finish()
        made = len(self._walked.made)
        if made > len(contents.met):
            raise RefusedError("lost", detail=f"{made - len(contents.met):,} of its {made:,} tensors lie")
        if legacy:
            self._tell_storages(results[-1])
        self._out.send("end", at)

    def _walk(self, start: int) -> Walk:
        region, end = self._region, min(self._region.end, self._region.start + MAX_PICKLE)
        try:
            return Walker(region.view, region.data.find, self._walked, keep=KEEP).run(start, end)
        except (WalkLimitError, RecursionError) as error:
            raise RefusedError("large") from error

    def _trouble(self, start: int, walk: Walk) -> str:
        """Why a stream is not what torch would read, which has the C machine for it; "" where it is."""
        trouble = walk.problem or ("" if walk.stopped else "it has no end")
        return trouble or machine_objects(Region(self._region.data, start, walk.end))

    def _require_head(self, results: list[object]) -> None:
        magic, _, system = results[:3]
        pairs = zip(system.items[::2], system.items[1::2], strict=False) if isinstance(system, Items) else ()
        if magic != LEGACY_TORCH or ("little_endian", True) not in list(pairs):
            raise RefusedError("head")

    def _tell_foreign(self) -> None:
        told: dict[str, None] = {}
        for kind, what in self.seen:
            module, _, rest = what.partition("\0")
            name = rest.partition("\0")[0]
            if kind == "global" and not is_plain(module, name):
                told[f"{module}.{name}"[:400]] = None
            elif kind not in {"global", "call", "persistent"}:
                told[_KINDS.get(kind, kind)] = None
        for name in list(told)[:MAX_FOREIGN]:
            self._out.hold("foreign", None, name)

    def _tell_storages(self, listed: object) -> None:
        keys = listed.items if isinstance(listed, Items) and listed.kind == "list" else []
        for key in keys:
            kind, count = self.storages.get(key, ("", -1)) if isinstance(key, str) else ("", -1)
            if count < 0 or not isinstance(key, str):
                raise RefusedError("storage", detail=str(key)[:40])
            self._out.hold("storage", None, key, kind, count)


class _Counting(WalkRecorder):
    """Keeps every call that makes a tensor."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self.made: list[Call] = []

    def called(
        self, made: Call, function: Global, args: tuple[object, ...], *, keywords: bool = False
    ) -> None:
        """A global was called."""
        super().called(made, function, args, keywords=keywords)
        if makes_tensor(function):
            self.made.append(made)


class _Plan:
    """Sends what there is, within bounds."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._tensors = self._values = self._others = self._text = 0

    def tensor(self, name: str, tensor: Placed) -> None:
        """A tensor."""
        self._tensors += 1
        if self._tensors > MAX_TENSORS:
            raise RefusedError("tensors")
        place = (tensor.key, tensor.size, tensor.offset, tensor.shape, tensor.stride)
        self._events.hold("tensor", None, name, tensor.dtype, *place)

    def value(self, name: str, text: str) -> None:
        """A plain value."""
        self._values += 1
        self._text += len(text) + len(name)
        if self._values > MAX_VALUES or self._text > MAX_VALUE_TEXT:
            self.other(name, "one value of many")
        else:
            self._events.hold("value", None, name, text)

    def other(self, name: str, what: str) -> None:
        """Something else."""
        self._others += 1
        if self._others <= MAX_OTHERS:
            self._events.hold("other", None, name, what)

    def finish(self) -> None:
        """Tell how many were not named."""
        self._events.hold("more", None, max(0, self._others - MAX_OTHERS))
