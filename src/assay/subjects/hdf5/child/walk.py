"""Every group, link, dataset and attribute of an open HDF5 file; no link is followed but hard ones."""

from __future__ import annotations

from typing import Any

from h5py import h5a, h5d, h5g, h5l, h5o, h5t

from assay.subjects.hdf5.child import packed
from assay.subjects.hdf5.child.values import Budget, TextBudgetError, is_prose, is_text, items, names_of

MAX_OBJECTS = 500_000
MAX_ATTRIBUTES = 100_000
MAX_NAME = 1000
MAX_LISTED = 100  # external files, virtual sources and filters told of one dataset
# Deflate, shuffle, Fletcher32, SZIP, N-bit, scale-offset: in the library itself. LZF: in h5py.
_BUILT_IN = frozenset({1, 2, 3, 4, 5, 6, 32000})
_MANY = 1 << 30  # bytes that a dataset may claim without having them
_BROKEN = (KeyError, OSError, RuntimeError, ValueError, TypeError, OverflowError)  # what h5py raises


def walk(file: Any, events: Any, text: int) -> None:
    """Tell of all that is in an open file, in no more than `text` bytes of strings."""
    Walk(events, Budget(text)).run(file)


class Walk:
    """One walk. `events.emit` takes what is found: a kind, None, texts and numbers."""

    def __init__(self, events: Any, budget: Budget) -> None:
        self._emit = events.emit
        self._budget = budget
        self._seen: set[int] = set()
        self._pending: list[tuple[Any, bytes, str]] = []
        self._counts = {"group": 0, "dataset": 0}

    def run(self, root: Any) -> None:
        """Walk from the root group of an open file."""
        self._pending.append((root, b"/", "/"))
        while self._pending:
            parent, name, path = self._pending.pop()
            if len(self._seen) >= MAX_OBJECTS:
                self._limit(f"more than {MAX_OBJECTS:,} objects")
                break
            try:
                self._object(h5o.open(parent, name), path)
            except _BROKEN as error:
                self._limit(f"{path[:200]} cannot be read: {str(error)[:200]}")
        self._emit("count", None, self._counts["group"], self._counts["dataset"])

    def _object(self, opened: Any, path: str) -> None:
        address = h5o.get_info(opened).addr
        if address in self._seen:
            return
        self._seen.add(address)
        self._attributes(opened, path)
        if isinstance(opened, h5g.GroupID):
            self._counts["group"] += 1
            self._links(opened, path)
        elif isinstance(opened, h5d.DatasetID):
            self._counts["dataset"] += 1
            self._dataset(opened, path)
        elif not isinstance(opened, h5t.TypeID):
            self._limit(f"{path[:200]} is no group, dataset or type")

    def _links(self, group: Any, path: str) -> None:
        found: list[tuple[bytes, int]] = []

        def note(name: bytes, info: Any) -> bool | None:
            found.append((bytes(name), info.type))
            return True if len(found) > MAX_OBJECTS else None

        if len(group):
            group.links.iterate(note, info=True)
        for name, kind in found:
            self._link(group, name, kind, f"{path.rstrip('/')}/{_text(name)}")

    def _link(self, group: Any, name: bytes, kind: int, path: str) -> None:
        if kind == h5l.TYPE_HARD:
            # A name with a slash would be taken for a path, which could lead through links.
            if b"/" in name or name in {b"", b"."}:
                self._limit(f"{path[:200]} has a name that is no name")
            else:
                self._pending.append((group, name, path))
        elif kind == h5l.TYPE_SOFT:
            self._emit("link", None, "soft", path[:MAX_NAME], "", _text(group.links.get_val(name)))
        elif kind == h5l.TYPE_EXTERNAL:
            file, target = group.links.get_val(name)
            self._emit("link", None, "external", path[:MAX_NAME], _text(file), _text(target))
        else:
            self._limit(f"{path[:200]} is a link of the user-defined kind {kind}")

    def _attributes(self, opened: Any, path: str) -> None:
        for index in range(h5a.get_num_attrs(opened)):
            if index >= MAX_ATTRIBUTES:
                self._limit(f"{path[:200]} has more than {MAX_ATTRIBUTES:,} attributes")
                return
            attribute = h5a.open(opened, index=index)
            self._texts(attribute, path, _text(attribute.name))

    def _dataset(self, dataset: Any, path: str) -> None:
        made = dataset.get_create_plist()
        elsewhere = self._elsewhere(made, path)
        foreign = self._filters(made, path)
        if made.get_layout() == h5d.VIRTUAL:
            return  # asking for its shape would open its sources
        kind = dataset.get_type()
        claimed = dataset.get_space().get_simple_extent_npoints() * kind.get_size()
        stored = dataset.get_storage_size()
        if claimed > max(_MANY, stored):
            self._emit("shape", None, path[:MAX_NAME], str(claimed), str(stored))
        if foreign and is_text(kind):
            self._limit(f"{path[:200]} holds text behind a filter that is not judged")
        elif not elsewhere:
            self._texts(dataset, path, "", readable=not foreign)

    def _elsewhere(self, made: Any, path: str) -> bool:
        count = made.get_external_count()
        for index in range(min(count, MAX_LISTED)):
            name = made.get_external(index)[0]
            self._emit("link", None, "storage", path[:MAX_NAME], _text(name), "")
        virtual = made.get_virtual_count() if made.get_layout() == h5d.VIRTUAL else 0
        told: set[tuple[str, str]] = set()
        for index in range(min(virtual, MAX_OBJECTS)):
            told.add((_text(made.get_virtual_filename(index)), _text(made.get_virtual_dsetname(index))))
        for file, target in sorted(told)[:MAX_LISTED]:
            self._emit("link", None, "virtual", path[:MAX_NAME], file, target)
        if max(count, len(told)) > MAX_LISTED or virtual > MAX_OBJECTS:
            self._limit(f"{path[:200]} is put together from more files than are listed")
        return bool(count > 0)

    def _filters(self, made: Any, path: str) -> bool:
        foreign = False
        for index in range(made.get_nfilters()):
            number, _, _, name = made.get_filter(index)
            if number not in _BUILT_IN:
                foreign = True
                self._emit("filter", None, path[:MAX_NAME], int(number), _text(name))
        return foreign

    def _texts(self, holder: Any, path: str, name: str, *, readable: bool = True) -> None:
        kind = holder.get_type()
        if packed.is_numbers(kind) or packed.is_table(kind):
            self._packed(holder, kind, path, name, readable=readable)
        if not is_text(kind):
            names = names_of(kind)
            if names:
                self._emit("text", None, path[:MAX_NAME], name, _latin(b"\n".join(names)), 0)
            return
        try:
            self._values(holder, kind, path, name)
        except TextBudgetError:
            self._limit(f"{path[:200]} has more text than is read")
        except _BROKEN as error:
            self._limit(f"{path[:200]} cannot be read: {str(error)[:200]}")

    def _packed(self, holder: Any, kind: Any, path: str, name: str, *, readable: bool) -> None:
        """Tell of what starts as a pickle in numbers and tables."""
        if not readable:
            return
        values = packed.in_numbers if packed.is_numbers(kind) else packed.in_table
        try:
            for value in values(holder, self._budget):
                self._emit("text", None, path[:MAX_NAME], name, _latin(value), 1)
        except TextBudgetError:
            self._limit(f"{path[:200]} has more bytes than are read")
        except _BROKEN as error:
            self._limit(f"{path[:200]} cannot be read: {str(error)[:200]}")

    def _values(self, holder: Any, kind: Any, path: str, name: str) -> None:
        values = items(holder, self._budget)
        if is_prose(kind) and holder.get_space().get_simple_extent_npoints() != 1:
            joined = b"\n".join(values)
            self._emit("text", None, path[:MAX_NAME], name, _latin(joined), 0)
            return
        for value in values:
            self._emit("text", None, path[:MAX_NAME], name, _latin(value), 1)

    def _limit(self, reason: str) -> None:
        self._emit("limit", None, reason)


def _text(name: bytes | str) -> str:
    """A name cut to size, whatever its bytes are."""
    raw = name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")
    return raw[:MAX_NAME].encode("utf-8", "backslashreplace").decode("utf-8")


def _latin(value: bytes) -> str:
    """Bytes as text of the same length, which JSON can carry."""
    return value.decode("latin-1")
