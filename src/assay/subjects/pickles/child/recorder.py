"""CPython's C unpickler over inert classes: every global becomes a class that only records its use."""

from __future__ import annotations

import copyreg
from _pickle import Unpickler
from collections.abc import Callable
from typing import Any

from .wire import Events, plausible, short

MAX_GLOBALS = 20_000
# The last stream's result: taking millions of objects apart can wait until the answer is sent.
HELD: list[object] = []
TOLD_CALLS = 3  # of each global; the rest is counted by nobody
MAX_NESTED_BYTES = 64 << 20
MAX_NESTED = 256
MAX_STORAGES = 200_000
_ARRAY = "joblib.numpy_pickle.NumpyArrayWrapper"

# Any extension code must surface as an error of the C machine, whatever was registered.
for _cache in (copyreg._extension_registry, copyreg._inverted_registry, copyreg._extension_cache):  # type: ignore[attr-defined]  # noqa: SLF001
    _cache.clear()


class Recorder:
    """Keeps what a stream imports and does, and tells it as it happens.

    Attributes:
        seen: (kind, text) pairs in order, for comparing two readings of one stream.
        nested: bytes handed to calls that look like pickles themselves.
        plausible: whether a global was named that could be one.
        storages: torch storages by key: the name of their class, and how many elements they have.
        arrays: whether joblib would read an array from between the opcodes.
    """

    def __init__(self, events: Events | None, storages: dict[str, tuple[str, int]] | None = None) -> None:
        self.events = events
        self._classes: dict[tuple[str, str], Inert] = {}
        self.seen: list[tuple[str, str]] = []
        self.nested: list[bytes] = []
        self._nested_left = MAX_NESTED_BYTES
        self.plausible = False
        self.storages = {} if storages is None else storages
        self.arrays = False

    def tell(self, kind: str, *what: str, offset: int | None = None) -> None:
        """Note an event, and send it on: kind, offset where known, and texts."""
        self.seen.append((kind, "\0".join(what)))
        if self.events is not None:
            self.events.emit(kind, offset, *what)

    def find_class(self, module: str, name: str) -> Inert:
        """The inert class for a global; told when it is first met."""
        key = (module, name)
        known = self._classes.get(key)
        if known is None:
            if len(self._classes) >= MAX_GLOBALS:
                raise MemoryError
            self.plausible |= plausible(module, name)
            self.tell("global", module[:1000], name[:1000])
            known = self._classes[key] = Inert(name[:100], (InertBase,), {"__slots__": ()})
            known.assay = (self, f"{module[:400]}.{name[:400]}", [0])
        return known

    def persistent(self, pid: object) -> object:
        """A persistent id: told by its first element's kind, and replaced by an inert object."""
        kind = pid[0] if type(pid) is tuple and pid and type(pid[0]) is str else "?"
        self.storage(pid, name_inert)
        cls = self._classes.get(("<persistent>", kind))
        if cls is None:
            cls = self._classes[("<persistent>", kind)] = Inert("persistent", (InertBase,), {"__slots__": ()})
            cls.assay = (self, f"<persistent id {kind[:40]}>", [0])
            self.tell("persistent", short(pid, inert=name_inert))
        return object.__new__(cls)  # type: ignore[arg-type]

    def storage(self, pid: object, name: Callable[[object], str | None]) -> None:
        """Note the torch storage that a persistent id stands for; `name` names its class."""
        if type(pid) is not tuple or len(pid) < 5 or pid[0] != "storage" or len(self.storages) > MAX_STORAGES:  # noqa: PLR2004
            return
        kind, key, count = name(pid[1]), pid[2], pid[4]
        if kind and type(key) is str and type(count) is int and len(key) < 100:  # noqa: PLR2004
            self.storages.setdefault(key, (kind, count))  # torch, too, goes by the first of a key

    def called(self, cls: Inert, args: tuple[Any, ...], kwargs: dict[str, Any], how: str) -> None:
        """A global was called."""
        _, name, count = cls.assay
        for value in args:
            if type(value) is bytes or type(value) is bytearray:
                self.look_inside(value)
        if count[0] < TOLD_CALLS:
            count[0] += 1
            shown = ", ".join(short(value, inert=name_inert) for value in args[:8])
            if kwargs:
                shown += ", **" + short(kwargs, inert=name_inert)
            self.tell("call", name, shown[:400], how)

    def changed(self, cls: Inert, state: object, how: str) -> None:
        """A global itself, not an instance of it, was changed."""
        self.tell("mutate", cls.assay[1], short(state, inert=name_inert)[:400], how)

    def look_inside(self, value: bytes | bytearray | memoryview) -> None:
        """Keep bytes that look like a pickle for a reading of their own."""
        if len(self.nested) >= MAX_NESTED or not looks_like_pickle(value):
            return
        self._nested_left -= len(value)
        if self._nested_left >= 0:
            self.nested.append(bytes(value))
        else:
            self.tell("limit", "nested-bytes", "more bytes that look like pickles than are followed")


def looks_like_pickle(value: bytes | bytearray | memoryview) -> bool:
    """Whether bytes deserve to be read as a pickle: a PROTO opcode, or an old protocol up to STOP."""
    if len(value) < 4:  # noqa: PLR2004
        return False
    if value[0] == 0x80 and value[1] <= 5:  # noqa: PLR2004
        return True
    return value[-1] == 0x2E and value[0] in b"(]}c[S"  # noqa: PLR2004


def name_inert(value: object) -> str | None:
    """How a recorded object is written in a short form."""
    if isinstance(value, Inert):
        return value.assay[1]
    if isinstance(value, InertBase):
        return f"{type(value).assay[1]}(…)"
    return None


class _OnClass:
    """A data descriptor of the metaclass: what is looked up on a class itself ends here."""

    def __init__(self, how: str) -> None:
        self._how = how

    def __get__(self, cls: Inert | None, owner: type) -> Callable[[object], None]:
        def record(state: object) -> None:
            if cls is not None:
                cls.assay[0].changed(cls, state, self._how)

        return record

    def __set__(self, cls: Inert, value: object) -> None:
        cls.assay[0].changed(cls, value, "setattr")


class Inert(type):
    """The class of the classes that stand for globals."""

    assay: tuple[Recorder, str, list[int]]
    __setstate__ = _OnClass("BUILD")
    append = _OnClass("APPEND")
    extend = _OnClass("APPENDS")
    add = _OnClass("ADDITEMS")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Record the call, and answer with an inert object."""
        cls.assay[0].called(cls, args, kwargs, "REDUCE")
        return object.__new__(cls)  # type: ignore[arg-type]

    def __setitem__(cls, key: object, value: object) -> None:
        cls.assay[0].changed(cls, {"key": key, "value": value}, "SETITEM")


class InertBase(metaclass=Inert):
    """The base of the classes that stand for globals: its instances take everything and do nothing."""

    __slots__ = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Record the call, and answer with an inert object."""
        cls.assay[0].called(cls, args, kwargs, "NEWOBJ")
        return object.__new__(cls)

    def __setstate__(self, state: object) -> None:
        recorder, name, count = type(self).assay
        recorder.arrays |= name == _ARRAY
        for value in state if type(state) is tuple else (state,):
            if type(value) is bytes:
                recorder.look_inside(value)
        if count[0] < TOLD_CALLS:
            recorder.tell("state", name, short(state, inert=name_inert)[:200])
            count[0] += 1

    def __call__(self, *args: Any, **_: Any) -> Any:
        """Record that a result was called."""
        cls = type(self)
        cls.assay[0].tell("computed-call", cls.assay[1], short(args, inert=name_inert)[:200])
        return self

    def append(self, _: object) -> None:
        """Take an item."""

    def extend(self, _: object) -> None:
        """Take items."""

    def add(self, _: object) -> None:
        """Take an item."""

    def __setitem__(self, key: object, value: object) -> None:
        """Take an item."""


class Endless:
    """Out-of-band buffers without end, all empty."""

    def __iter__(self) -> Endless:
        return self

    def __next__(self) -> bytearray:
        return bytearray()


class RecordingUnpickler(Unpickler):
    """The victim's machine, with nothing to hold on to."""

    def __init__(self, file: Any, recorder: Recorder) -> None:
        super().__init__(file, encoding="latin1", errors="strict", buffers=Endless())
        self._recorder = recorder

    def find_class(self, module: str, name: str) -> Any:
        """An inert class; nothing is imported."""
        return self._recorder.find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """An inert object."""
        return self._recorder.persistent(pid)
