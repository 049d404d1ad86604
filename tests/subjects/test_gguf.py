"""GGUF is read strictly: what a file does not hold, it may not claim."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import LimitError, SubjectError
from assay.subjects.gguf import Gap, GgufHeader, Span, UnknownVersionError, read_gguf, string_spans
from assay.subjects.gguf.types import TYPES
from fixtures.gguf_writer import Gguf, Tensor, ordinary


def _read(file: Gguf) -> GgufHeader:
    data = file.write()
    return read_gguf(data, 0, len(data))


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_version_and_byte_order_is_read(version: int, order: str) -> None:
    file = ordinary(version=version, order=order)
    data = file.write()
    header = read_gguf(data, 0, len(data))
    assert (header.version, header.order, header.alignment, header.problems) == (version, order, 32, ())
    assert [entry.key for entry in header.metadata] == [key for key, *_ in file.keys]
    assert header.metadata[3].value == 4096
    template = header.metadata[-1].value
    assert isinstance(template, Span)
    assert data[template.start : template.end].startswith(b"{% for")
    (tokens,) = header.metadata[6].arrays
    spans = string_spans(data, tokens, header.cursor(data))
    assert [data[start:end] for start, end in spans] == [b"<s>", b"</s>", b"a"]
    assert [(tensor.name, tensor.size) for tensor in header.tensors] == [
        ("token_embd.weight", 48),
        ("blk.0.attn_q.weight", 36),
        ("output_norm.weight", 8),
    ]
    assert all(gap.padding for gap in header.gaps)


def test_it_may_lie_inside_another_file() -> None:
    data = ordinary().write()
    header = read_gguf(b"x" * 7 + data + b"rest", 7, 7 + len(data))
    assert header.problems == ()
    assert (header.data_start - 7) % 32 == 0


@pytest.mark.parametrize("type_id", sorted(TYPES))
def test_every_type_takes_the_bytes_of_its_blocks(type_id: int) -> None:
    block = TYPES[type_id]
    tensor = Tensor("t", (block.elements * 2, 3), type_id, None, b"\1" * (block.size * 6))
    header = _read(Gguf(tensors=[tensor]))
    assert header.problems == ()
    assert header.tensors[0].size == block.size * 6
    assert [gap for gap in header.gaps if not gap.padding] == []


def _key(key: str, kind: int, value: Any) -> Gguf:
    return ordinary(keys=[("general.architecture", 8, "llama"), (key, kind, value)])


WRONG = {
    "dimensions that overflow": (ordinary(tensors=[Tensor("t", (1 << 62, 4))]), "overflows 63 bits"),
    "dimension beyond 2^63": (ordinary(tensors=[Tensor("t", ((1 << 64) - 1,))]), "overflows 63 bits"),
    "five dimensions": (ordinary(tensors=[Tensor("t", (2, 2, 2, 1, 1))]), "has 5 dimensions"),
    "larger than the data": (ordinary(tensors=[Tensor("t", (1 << 20,))]), "outside the 32 bytes"),
    "offset beyond the data": (ordinary(tensors=[Tensor("t", offset=1 << 40)]), "outside the 32 bytes"),
    "offset that wraps": (ordinary(tensors=[Tensor("t", offset=(1 << 64) - 32)]), "outside the 32 bytes"),
    "unaligned offset": (ordinary(tensors=[Tensor("t", (6,), offset=8)]), "not aligned to 32"),
    "overlap": (ordinary(tensors=[Tensor("a"), Tensor("b", offset=0)]), "overlaps the one before"),
    "doubled tensor": (ordinary(tensors=[Tensor("a"), Tensor("a")]), "stands twice"),
    "doubled key": (_key("general.architecture", 8, "other"), "stands twice"),
    "NUL in a name": (ordinary(tensors=[Tensor("a\0b")]), "holds a NUL"),
    "long name": (ordinary(tensors=[Tensor("a" * 128)]), "more than ggml sets aside"),
    "rows that blocks do not fill": (ordinary(tensors=[Tensor("a", (33,), 2)]), "do not fill"),
    "type out of any table": (ordinary(tensors=[Tensor("a", (8,), 1 << 31)]), "outside every table"),
    "alignment zero": (_key("general.alignment", 4, 0), "not a power of two"),
    "alignment of three": (_key("general.alignment", 4, 3), "not a power of two"),
    "alignment of 2 GB": (_key("general.alignment", 4, 1 << 31), "not a power of two"),
    "alignment as text": (_key("general.alignment", 8, "32"), "no 32-bit number"),
    "empty key": (_key("", 4, 1), "no name that can be read"),
    "neither true nor false": (_key("x.flag", 7, 2), "is true or false, but holds 2"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_a_problem(name: str) -> None:
    file, expected = WRONG[name]
    assert expected in "; ".join(_read(file).problems)


REFUSED: dict[str, Gguf | bytes] = {
    "no tensors where 2^63 are claimed": ordinary(tensor_count=1 << 63),
    "no keys where 2^62 are claimed": ordinary(key_count=1 << 62),
    "more tensors than there are": ordinary(tensor_count=4),
    "array of 2^61 strings": _key("a", 9, (8, [])),
    "a type that does not exist": _key("a", 13, 0),
    "an array of a type that does not exist": _key("a", 9, (99, [1])),
    "a hundred dimensions": ordinary(tensors=[Tensor("t", (1,) * 100)]),
    "version 0": ordinary(version=0),
    "a string of 2^60 bytes": b"GGUF\3\0\0\0" + (0).to_bytes(8, "little") + (1).to_bytes(8, "little")
    + (1 << 60).to_bytes(8, "little") + b"abc" * 20,
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused(name: str) -> None:
    file = REFUSED[name]
    data = file if isinstance(file, bytes) else file.write()
    if name == "array of 2^61 strings":
        data = data.replace(b"\x08\0\0\0" + b"\0" * 8, b"\x08\0\0\0" + (1 << 61).to_bytes(8, "little"))
    with pytest.raises(SubjectError) as refused:
        read_gguf(data, 0, len(data))
    assert not isinstance(refused.value, LimitError | UnknownVersionError)


def test_what_is_beyond_our_bounds_is_a_limit_and_not_a_defect() -> None:
    nested: tuple[int, Any] = (4, [1, 2])
    for _ in range(3):
        nested = (9, [nested])
    assert [array.count for array in _read(_key("a", 9, nested)).metadata[1].arrays] == [2]
    with pytest.raises(LimitError):
        _read(_key("a", 9, (9, [nested])))
    with pytest.raises(UnknownVersionError):
        _read(ordinary(version=4))


def test_bytes_between_and_behind_tensors_are_gaps() -> None:
    header = _read(ordinary(tensors=[Tensor("a"), Tensor("b", offset=64), Tensor("pad")], tail=b"hidden"))
    assert Gap(32, 64, padding=False) in header.gaps
    assert header.gaps[-1].end - header.gaps[-1].start == 6


def test_no_prefix_of_a_file_is_taken_for_the_whole() -> None:
    data = ordinary().write()
    end_of_data = len(data.rstrip(b"\0"))
    for length in range(end_of_data):
        with contextlib.suppress(SubjectError):
            assert read_gguf(data[:length], 0, length).problems, length


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_no_mutation_raises_anything_else(changes: list[tuple[int, int]]) -> None:
    data = bytearray(ordinary().write())
    for at, value in changes:
        data[at % len(data)] = value
    with contextlib.suppress(SubjectError):
        read_gguf(bytes(data), 0, len(data))
