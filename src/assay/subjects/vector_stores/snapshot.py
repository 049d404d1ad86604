"""All entries of a store as arrays, and the digest that names them whatever files they lie in."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.subjects.dataset import Tally
from assay.subjects.vector_stores.entry import Entry

MAX_ENTRIES = 200_000
MAX_NUMBERS = 1 << 30  # in all vectors: 4 GiB
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The entries of a store, in its order.

    Attributes:
        ids, texts, sources, tenants: one each; a text is None where the store does not hold it.
        vectors: as stored; shape (entries, width).
        bound: the store holds more than were taken.
    """

    ids: tuple[str, ...]
    texts: tuple[str | None, ...]
    vectors: Vectors
    sources: tuple[str, ...]
    tenants: tuple[str, ...]
    bound: bool = False

    def __len__(self) -> int:
        return len(self.ids)

    def entries(self) -> Iterator[Entry]:
        """The entries, one at a time."""
        for at, key in enumerate(self.ids):
            yield Entry(key, self.texts[at], self.vectors[at], self.sources[at], self.tenants[at])

    def entry_digest(self, at: int) -> str:
        """SHA-256 over one entry: id, text, source, tenant and the vector as little-endian float32."""
        said = [self.ids[at], self.texts[at], self.sources[at], self.tenants[at]]
        digest = hashlib.sha256(json.dumps(said).encode())
        digest.update(self.vectors[at].astype("<f4").tobytes())
        return digest.hexdigest()

    def sha256(self) -> str:
        """SHA-256 over the entries' digests, sorted: the same for the same entries in any order or file."""
        digests = sorted(self.entry_digest(at) for at in range(len(self)))
        return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def take(entries: Iterable[Entry], tally: Tally, most: int = MAX_ENTRIES) -> Snapshot:
    """Gather entries, at most `most` of them and `MAX_NUMBERS` numbers; the rest is counted in `tally`.

    Vectors that are not as wide as most others are left out, and counted too.
    """
    kept: list[Entry] = []
    numbers, bound = 0, False
    for entry in entries:
        numbers += len(entry.vector)
        if len(kept) >= most or numbers > MAX_NUMBERS:
            tally.skip(
                "the rest of the store",
                f"only the first {len(kept):,} entries were read",
                "Raise the option max_entries, or check the store in parts.",
            )
            bound = True
            break
        kept.append(entry)
    return _arrays(_of_one_width(kept, tally), bound=bound)


def _of_one_width(kept: list[Entry], tally: Tally) -> list[Entry]:
    widths = Counter(len(entry.vector) for entry in kept)
    if len(widths) < 2:  # noqa: PLR2004
        return kept
    usual = widths.most_common(1)[0][0]
    for entry in kept:
        if len(entry.vector) != usual:
            reason = f"its vector has {len(entry.vector):,} numbers where most have {usual:,}"
            tally.skip(f"entry {entry.id}", reason, "Embed it again with the store's own model.")
    return [entry for entry in kept if len(entry.vector) == usual]


def _arrays(kept: list[Entry], *, bound: bool) -> Snapshot:
    vectors = np.stack([entry.vector for entry in kept]) if kept else np.zeros((0, 0), np.float32)
    return Snapshot(
        tuple(entry.id for entry in kept),
        tuple(entry.text for entry in kept),
        vectors,
        tuple(entry.source for entry in kept),
        tuple(entry.tenant for entry in kept),
        bound=bound,
    )
