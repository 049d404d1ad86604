"""CPython's C unpickler over inert classes: every global becomes a class that only records its use."""

from __future__ import annotations

import copyreg
from _pickle import Unpickler
from collections.abc import Callable
from typing import Any

from . import misuse
from .inert import LIVE, TOLD_CALLS, Inert, InertBase, name_inert, shorten
from .rules import FREE, NO_RULES, Rule, Rules
from .wire import Events, plausible, short

MAX_GLOBALS = 20_000
# The last stream's result: taking millions of objects apart can wait until the answer is sent.
HELD: list[object] = []
MAX_NESTED_BYTES = 1 << 30
MAX_NESTED = 20_000
MAX_STORAGES = 200_000
_FIRST = b"(])}c[SVIJKLMNFGTUXPBC"  # opcodes that a pickle of an old protocol may begin with
Trace = Callable[[], "tuple[str, str]"]  # source and steps, made only where somebody listens
ARRAY = ("joblib.numpy_pickle", "NumpyArrayWrapper")

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
        past_array: whether an array of objects of joblib was passed, whose pickle this machine reads as a
            part of this one.
        rules: in what shape globals are used.
    """

    def __init__(
        self,
        events: Events | None,
        storages: dict[str, tuple[str, int]] | None = None,
        rules: Rules = NO_RULES,
    ) -> None:
        self.events = events
        self.rules = rules
        self._misuses: dict[tuple[str, str], int] = {}
        self._classes: dict[tuple[str, str], Inert] = {}
        self._nameless: dict[str, Inert] = {}
        self.seen: list[tuple[str, str]] = []
        self.nested: list[bytes] = []
        self._known: set[bytes] = set()
        self._nested_left, self._nested_lost = MAX_NESTED_BYTES, False
        self.plausible = False
        self.storages = {} if storages is None else storages
        self.arrays = self.past_array = False

    def tell(self, kind: str, *what: str, offset: int | None = None, trace: Trace | None = None) -> None:
        """Note an event, and send it on: kind, offset where known, texts, and how it comes about."""
        self.seen.append((kind, "\0".join(what)))
        if self.events is not None:
            (self.events.hold if kind == "end" else self.events.emit)(kind, offset, *what)
            if trace is not None:
                self.events.trace(*trace())

    def find_class(self, module: str, name: str) -> Inert:
        """The inert class for a global; told when it is first met."""
        key = (module, name)
        known = self._classes.get(key)
        if known is None:
            if len(self._classes) >= MAX_GLOBALS:
                raise MemoryError
            self.plausible |= plausible(module, name)
            self.tell("global", module[:1000], name[:1000], *self._plain())
            self.arrays |= key == ARRAY
            known = self._inert(f"{module[:400]}.{name[:400]}", self.rules.get(key, FREE))
            self._classes[key] = known
        return known

    def _inert(self, name: str, rule: Rule) -> Inert:
        made = Inert("inert", (InertBase,), {"__slots__": ("note",) if rule.notes else ()})
        made.assay = (self, name, [0], rule)
        return made

    def nameless(self, what: str) -> Any:
        """An inert object of no class that is named: for persistent ids, and for results that are called."""
        known = self._nameless.get(what)
        if known is None:
            known = self._nameless[what] = self._inert(what, FREE)
        return object.__new__(known)  # type: ignore[arg-type]

    def persistent(self, pid: object) -> object:
        """A persistent id: told by its first element's kind, and replaced by an inert object."""
        parts, kind = pid if type(pid) is tuple else (), kind_of(pid)
        self.storage(pid, name_inert)
        what = f"<persistent id {kind}>"
        if what not in self._nameless:
            self.tell("persistent", short(pid, inert=name_inert))
        stands_for = self.nameless(what)
        if kind == "reduce_package" and len(parts) > 2 and callable(parts[-2]) and type(parts[-1]) is tuple:  # noqa: PLR2004
            return parts[-2](self.nameless("<importer>"), *parts[-1])  # as torch.package's importer does
        if kind == "module" and len(parts) > 1 and isinstance(parts[1], Inert):
            return parts[1]  # legacy torch: a class, with its source for comparison
        return stands_for

    def storage(self, pid: object, name: Callable[[object], str | None]) -> None:
        """Note the torch storage that a persistent id stands for; `name` names its class."""
        if type(pid) is not tuple or len(pid) < 5 or pid[0] != "storage" or len(self.storages) > MAX_STORAGES:  # noqa: PLR2004
            return
        kind, key, count = name(pid[1]), pid[2], pid[4]
        if type(key) is int and 0 <= key < 1 << 62:  # as torch.package numbers them
            key = str(key)
        if kind and type(key) is str and type(count) is int and len(key) < 100:  # noqa: PLR2004
            self.storages.setdefault(key, (kind, count))  # torch, too, goes by the first of a key

    def called(self, cls: Inert, args: tuple[Any, ...], kwargs: dict[str, Any], how: str) -> None:
        """A global was called."""
        _, name, count, rule = cls.assay
        for value in args:
            if type(value) is bytes or type(value) is bytearray:
                self.look_inside(value)
            elif rule.gives == "bytes" and type(value) is str and value[:1] == "\x80":
                self.look_inside(value.encode("latin-1", "replace"))
        reason = misuse.of_call(rule, args, LIVE, how=how, keywords=bool(kwargs))
        if reason:
            self.misused(name, reason, shorten(*args), how)
        if count[0] < TOLD_CALLS:
            count[0] += 1
            shown = shorten(*args)
            if kwargs:
                shown += ", **" + short(kwargs, inert=name_inert)
            self.tell("call", name, shown[:400], how)

    def misused(self, name: str, reason: str, shown: str, how: str, offset: int | None = None) -> None:
        """A global that has a rule was used against it."""
        count = self._misuses.get((name, reason), 0)
        if count < TOLD_CALLS and len(self._misuses) < MAX_GLOBALS:
            self._misuses[(name, reason)] = count + 1
            self.tell("misuse", name, reason, shown, how, *self._plain(), offset=offset)

    def _plain(self) -> tuple[str, ...]:
        return ("plain",) if self.past_array else ()

    def changed(self, cls: Inert, state: object, how: str) -> None:
        """A global itself, not an instance of it, was changed."""
        self.tell("mutate", cls.assay[1], short(state, inert=name_inert)[:400], how)

    def look_inside(self, value: bytes | bytearray | memoryview) -> None:
        """Keep bytes that look like a pickle for a reading of their own."""
        if not looks_like_pickle(value):
            return
        value = bytes(value)  # bytes are not copied by that
        if value in self._known:
            return
        self._known.add(value)
        self._nested_left -= len(value)
        if self._nested_left >= 0 and len(self.nested) < MAX_NESTED:
            self.nested.append(value)
        elif not self._nested_lost:
            self._nested_lost = True
            self.tell("limit", "nested-bytes", "more bytes that look like pickles than are followed")


def kind_of(pid: object) -> str:
    """What a persistent id is of, as torch writes it first."""
    return pid[0][:40] if type(pid) is tuple and pid and type(pid[0]) is str else "?"


def looks_like_pickle(value: bytes | bytearray | memoryview) -> bool:
    """Whether bytes deserve to be read as a pickle: a PROTO opcode, or an old protocol up to STOP."""
    if len(value) < 4:  # noqa: PLR2004
        return False
    if value[0] == 0x80 and value[1] <= 5:  # noqa: PLR2004
        return True
    return value[-1] == 0x2E and value[0] in _FIRST  # noqa: PLR2004


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
