"""What the child brings back about one HDF5 file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes that the file holds as a string: an attribute, or items of a dataset.

    Attributes:
        path: of the object inside the file, `/` for the root.
        name: of the attribute, or "" for a dataset's own items.
        value: the bytes.
        single: whether it stands alone, rather than as an item of an array.
    """

    path: str
    name: str
    value: bytes
    single: bool

    @property
    def place(self) -> str:
        """Path and attribute, as shown to people: `model_weights@layer_names`."""
        return (f"{self.path}@{self.name}" if self.name else self.path).lstrip("/")


@dataclass(frozen=True, slots=True)
class Link:
    """Something that leads elsewhere.

    Attributes:
        kind: `soft`, `external` (a link), `storage` (raw data elsewhere) or `virtual` (parts of datasets).
        path: of the link or dataset.
        file: the file it names; "" or "." where that is the same file.
        target: the object it names.
    """

    kind: str
    path: str
    file: str
    target: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter, by its registered number, that reading a dataset needs."""

    path: str
    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A dataset that claims more bytes than the file has: `claimed` when read, `stored` in the file."""

    path: str
    claimed: int
    stored: int


@dataclass(frozen=True, slots=True)
class Hdf5Record:
    """What was recorded of one file.

    Attributes:
        groups, datasets: how many there are.
        incomplete: why not all of it was read; empty when it was.
        notes: what a reviewer should know.
    """

    texts: tuple[Text, ...] = ()
    links: tuple[Link, ...] = ()
    filters: tuple[Filter, ...] = ()
    shapes: tuple[Shape, ...] = ()
    groups: int = 0
    datasets: int = 0
    incomplete: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
