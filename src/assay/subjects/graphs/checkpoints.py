"""The index of a TensorFlow checkpoint: a table that says where each tensor lies in its shards.

Source: tensorflow/core/lib/io/table_format.txt and tensorflow/core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from assay.core.errors import LimitError, SubjectError
from assay.subjects.graphs.protobuf import Data, Reader, Span, varint
from assay.subjects.graphs.schemas import schema

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER = 48
TRAILER = 5  # how the block is packed, and its checksum
MAX_ENTRIES = 1_000_000
MAX_KEY = 1 << 16


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where one tensor lies: its key, the number of its shard, and the bytes there."""

    name: str
    shard: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class CheckpointIndex:
    """What an index says.

    Attributes:
        shards: how many files hold the tensors.
        tensors: all of them.
        unknown: fields that this version does not know.
    """

    shards: int
    tensors: tuple[StoredTensor, ...]
    unknown: tuple[str, ...]


def read_index(data: Data, start: int, end: int) -> CheckpointIndex:
    """Read the index in `data[start:end]` to its last byte.

    Raises:
        SubjectError: it is no table of a checkpoint, or holds bytes that no block covers.
        LimitError: it has too many entries.
    """
    body = end - FOOTER
    if body < start:
        raise SubjectError("it is too short for a table")
    at, metaindex = _handle(data, body, end, start)
    _, index = _handle(data, at, end, start)
    blocks = [metaindex, index]
    reader, shards = Reader(data, schema("tensorflow")), 0
    tensors: list[StoredTensor] = []
    for _, place in _entries(data, index, body):
        _, block = _handle(data, *place, start)
        blocks.append(block)
        for key, value in _entries(data, block, body):
            if not key:
                shards = reader.read("BundleHeaderProto", *value).number(1)
                continue
            entry = reader.read("BundleEntryProto", *value)
            if entry.number(3) >= shards:
                raise SubjectError("an entry names a shard that is not there")
            tensors.append(StoredTensor(key, entry.number(3), entry.number(4), entry.number(5)))
            if len(tensors) > MAX_ENTRIES:
                raise LimitError(f"more than {MAX_ENTRIES:,} entries")
    _covered(blocks, start, body)
    if not 0 < shards <= 100_000:  # noqa: PLR2004  shards are named by five digits
        raise SubjectError("it has no header of a checkpoint")
    return CheckpointIndex(shards, tuple(tensors), tuple(reader.unknown))


def _handle(data: Data, at: int, end: int, start: int) -> tuple[int, Span]:
    offset, at = varint(data, at, end)
    size, at = varint(data, at, end)
    return at, (start + offset, start + offset + size)


def _entries(data: Data, block: Span, body: int) -> Iterator[tuple[str, Span]]:
    """The keys of a block, and where the value of each lies."""
    at, end = block
    if end + TRAILER > body or end - at < 4:  # noqa: PLR2004  the number of restarts
        raise SubjectError("a block reaches past the end")
    if data[end]:
        raise SubjectError("a block is packed, which no checkpoint's is")
    (restarts,) = struct.unpack_from("<I", data, end - 4)
    end -= 4 + 4 * restarts
    key = b""
    while at < end:
        shared, at = varint(data, at, end)
        more, at = varint(data, at, end)
        size, at = varint(data, at, end)
        if shared > len(key) or shared + more > MAX_KEY or at + more + size > end:
            raise SubjectError("an entry reaches past its block")
        key = key[:shared] + bytes(data[at : at + more])
        at += more
        yield key.decode("utf-8", "replace"), (at, at + size)
        at += size
    if at != end:
        raise SubjectError("a block does not end where it says")


def _covered(blocks: list[Span], start: int, body: int) -> None:
    at = start
    for begin, end in sorted(blocks):
        if begin != at:
            raise SubjectError("it has bytes that no block covers, or that two cover")
        at = end + TRAILER
    if at != body:
        raise SubjectError("it has bytes that no block covers")
