"""The plan of a checkpoint: what no torch would save, and what a child that was taken over might answer."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from assay.core.errors import LimitError, SubjectError
from assay.subjects.child_answers import WrongAnswerError, answers
from assay.subjects.child_process import ChildDiedError
from assay.subjects.pickles.plan import TensorPlan, take_plan
from assay.subjects.pickles.tensors import TorchCheckpoint, read_torch_checkpoint
from fixtures.hostile_child import SAYS, child
from fixtures.opcodes import (
    FALSE,
    NONE,
    TRUE,
    build,
    call,
    dict_of,
    given,
    integer,
    list_of,
    named,
    new,
    raw,
    text,
    tuple_of,
)
from fixtures.torch_pickles import STORAGES, arguments, entries, legacy, shape, storage, tensor, zipped

PYTHON = sys.executable
Writer = Callable[[Path, bytes], Path]
Line: TypeAlias = "Sequence[object]"


def read(path: Path, *, tensors_only: bool = False) -> TorchCheckpoint:
    with path.open("rb") as file:
        return read_torch_checkpoint(file.fileno(), str(path), tensors_only=tensors_only)


def read_zip(folder: Path, root: bytes, *, tensors_only: bool = False) -> TorchCheckpoint:
    return read(zipped(folder / "m.pt", root), tensors_only=tensors_only)


def number(value: float) -> bytes:
    return b"G" + struct.pack(">d", value)


def nested(leaf: bytes, *, depth: int, width: int) -> bytes:
    """Tuples in tuples, each of one that is put into it `width` times: `width ** depth` paths."""
    body = leaf + b"q\x00"
    for level in range(depth):
        body += (
            b"0(" + b"h" + bytes([level]) + (b"h" + bytes([level])) * (width - 1) + b"tq" + bytes([level + 1])
        )
    return body


@pytest.mark.parametrize(
    ("leaf", "told"),
    [
        (tensor(), "names more than 200,000 tensors"),
        (integer(7), "more than 5,000,000 entries"),
        (raw(b"no plain value"), "more than 5,000,000 entries"),
    ],
)
def test_shared_tuples_in_tuples_are_not_followed_without_end(leaf: bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(LimitError, match=told):
        read_zip(tmp_path, nested(leaf, depth=16, width=10))


def test_shared_tuples_in_tuples_are_followed_within_bounds(tmp_path: Path) -> None:
    found = read_zip(tmp_path, nested(tensor(), depth=3, width=4))
    assert [found.tensors[0].name, found.tensors[-1].name, len(found.tensors)] == ["0.0.0", "3.3.3", 64]


def test_a_list_within_itself_is_met_once(tmp_path: Path) -> None:
    found = read_zip(tmp_path, b"]q\x00(" + tensor() + b"h\x00e")
    assert [one.name for one in found.tensors] == ["0"]


def test_what_is_nested_too_deeply_is_told(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match=r"nested more than 64 deep, at '0\.0"):
        read_zip(tmp_path, nested(tensor(), depth=70, width=1))
    assert len(read_zip(tmp_path, nested(tensor(), depth=60, width=1)).tensors) == 1


@pytest.mark.parametrize(
    ("builder", "more"),
    [
        ("torch._utils._rebuild_tensor_v2", ()),
        ("torch._utils._rebuild_tensor_v2", (NONE,)),
        ("torch._utils._rebuild_tensor_v2", (dict_of(conj=FALSE),)),
        ("torch._utils._rebuild_tensor_v3", (named("torch.float32"),)),
        ("torch._utils._rebuild_tensor_v3", (named("torch.float32"), dict_of(neg=FALSE))),
    ],
)
def test_torch_s_own_builders_give_tensors(builder: str, more: tuple[bytes, ...], tmp_path: Path) -> None:
    found = read_zip(tmp_path, entries({"w": tensor(builder=builder, more=more)})).tensors[0]
    assert (found.name, found.dtype, found.shape, found.stride) == ("w", "F32", (3, 4), (4, 1))


def test_the_first_builder_of_torch_gives_tensors(tmp_path: Path) -> None:
    first = call("torch._utils._rebuild_tensor", *arguments()[:4])
    wrapped = call("torch._utils._rebuild_parameter", first, TRUE, call("collections.OrderedDict"))
    noted = call("torch._utils._rebuild_parameter_with_state", first, TRUE, NONE, dict_of(rank=integer(8)))
    typed = call(
        "torch._tensor._rebuild_from_type_v2", named("torch._utils._rebuild_tensor"), named("torch.Tensor"),
        tuple_of(*arguments()[:4]), dict_of(tag=text("x"), more=first),
    )  # fmt: skip
    found = read_zip(tmp_path, entries({"a": first, "b": wrapped, "c": noted, "d": typed}))
    assert [one.name for one in found.tensors] == ["a", "b", "c", "d", "d.more"]
    assert found.values == {"c.rank": 8, "d.tag": "x"}


@pytest.mark.parametrize("builder", ["mine._rebuild_tensor_v2", "torch.utils._rebuild_tensor_v2"])
def test_builders_of_other_modules_are_none(builder: str, tmp_path: Path) -> None:
    root = entries({"v": tensor(), "w": tensor(builder=builder)})
    with pytest.raises(SubjectError, match=builder):
        read_zip(tmp_path, root)
    found = read_zip(tmp_path, root, tensors_only=True)
    assert [one.name for one in found.tensors] == ["v"]
    assert found.foreign == (builder,)
    assert found.others == (("w", f"an object of {builder}"),)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (tensor(of=storage(kind="mine.FloatStorage")), "mine.FloatStorage"),
        (tensor(of=storage(kind="torch.UntypedStorage", count=48)), "number format torch.UntypedStorage"),
        (tensor(of=storage(kind="torch.ComplexDoubleStorage")), "number format torch.ComplexDoubleStorage"),
        (tensor(more=(dict_of(conj=TRUE),)), "before its conjugation or negation"),
        (tensor(more=(dict_of(neg=TRUE),)), "before its conjugation or negation"),
        (tensor(more=(text("conj"),)), "before its conjugation or negation"),
        (call("torch._utils._rebuild_sparse_tensor", NONE, tuple_of()), "is sparse"),
        (tensor(builder="torch._utils._rebuild_qtensor"), "is quantized"),
        (call("torch._utils._rebuild_meta_tensor_no_storage"), "saved without its numbers"),
        (call("torch._utils._rebuild_wrapper_subclass"), "saved without its numbers"),
        (call("torch._utils._rebuild_nested_tensor", tensor()), "is nested"),
        (call("torch._utils._rebuild_device_tensor_from_cpu_tensor", tensor()), "saved from a device"),
        (
            tensor(of=storage("0", 12, "torch.FloatStorage", tuple_of(text("1"), integer(0), integer(4)))),
            "0.1",
        ),
        (tensor(builder="torch._utils._rebuild_tensor_v3"), "has the number format"),
        (tensor(builder="torch._utils._rebuild_tensor_v3", more=(named("torch.complex128"),)), "complex128"),
        (tensor(builder="torch._utils._rebuild_tensor_v3", more=(text("torch.float32"),)), "number format"),
    ],
)
def test_what_has_no_form_in_safetensors_is_named(value: bytes, told: str, tmp_path: Path) -> None:
    root = entries({"v": tensor(), "w": value})
    with pytest.raises(SubjectError, match=told):
        read_zip(tmp_path, root)
    with pytest.raises(SubjectError, match="tensor 'w' "):
        read_zip(tmp_path, root, tensors_only=True)


@pytest.mark.parametrize(
    "value",
    [
        tensor((3, 4), (4,)),
        tensor((-3, 4)),
        tensor((3, 4), (-4, 1)),
        tensor(offset=-1),
        tensor((1,) * 65, (1,) * 65),
        tensor((1 << 70, 1)),
        tensor(of=storage(count=-1)),
        tensor(of=storage("9")),
        tensor(of=text("storage") + b"Q"),
        tensor(of=NONE),
        call("torch._utils._rebuild_tensor_v2"),
        call("torch._utils._rebuild_tensor_v2", *arguments()[:2], list_of(integer(3)), shape(1)),
        call("torch._utils._rebuild_tensor_v2", storage(), FALSE, shape(3), shape(1)),
        call("torch._utils._rebuild_tensor_v2", storage(), integer(0), tuple_of(TRUE), shape(1)),
        call("torch._utils._rebuild_parameter", NONE),
        call("torch._utils._rebuild_parameter"),
        call("torch._tensor._rebuild_from_type_v2", named("torch._utils._rebuild_tensor")),
        call("torch._tensor._rebuild_from_type_v2", NONE, named("torch.Tensor"), tuple_of(*arguments())),
        call("torch._tensor._rebuild_from_type_v2", *[named("torch._tensor._rebuild_from_type_v2")] * 3),
    ],
)
def test_calls_that_no_torch_could_follow_are_refused(value: bytes, tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="tensor 'w' cannot be placed in the file"):
        read_zip(tmp_path, entries({"w": value}))


@pytest.mark.parametrize(
    "value",
    [
        tensor((3, 4000), (4000, 1)),
        tensor((3, 4), (4, 1), 1),
        tensor((3, 4), (5, 1)),
        tensor((1,), (1,), 12),
        tensor((), (), 12),
        tensor((1 << 40, 2), (0, 12)),
        tensor(of=storage(count=13)),
        tensor(of=storage(kind="torch.DoubleStorage")),
        tensor((0, 4), of=storage(count=99)),
    ],
)
@pytest.mark.parametrize("write", [zipped, legacy])
def test_tensors_reach_no_further_than_their_storage(value: bytes, write: Writer, tmp_path: Path) -> None:
    told = "reaches past its storage" if write is zipped else "reaches past its storage|do not add up"
    with pytest.raises(SubjectError, match=told):
        read(write(tmp_path / "m.pt", entries({"w": value})))


@pytest.mark.parametrize("write", [zipped, legacy])
def test_tensors_may_reach_to_the_end_of_their_storage(write: Writer, tmp_path: Path) -> None:
    values = {
        "whole": tensor(), "last": tensor((1,), (1,), 11), "point": tensor((), (), 11),
        "again": tensor((5, 4), (0, 1), 8), "none": tensor((0, 4), (4, 1), 1 << 40),
        "turned": tensor((4, 3), (1, 4)), "apart": tensor((6,), (2,)),
    }  # fmt: skip
    data = write(tmp_path / "m.pt", entries(values)).read_bytes()
    found = {one.name: one for one in read(tmp_path / "m.pt").tensors}
    assert set(found) == set(values)
    assert data[found["last"].file_offset :][:4] == struct.pack("<f", 11)
    assert found["again"].stride == (0, 1)


def test_a_storage_of_two_kinds_is_refused(tmp_path: Path) -> None:
    other = tensor(of=storage(kind="torch.IntStorage"))
    with pytest.raises(SubjectError, match="tensor 'b' names its storage as of another class or size"):
        read_zip(tmp_path, entries({"a": tensor(), "b": other}))
    with pytest.raises(SubjectError, match="tensor 'b' names its storage as of another class or size"):
        read_zip(tmp_path, entries({"a": tensor(), "b": tensor((2,), (1,), of=storage(count=8))}))
    untyped = storage(kind="torch.storage.UntypedStorage", count=48)
    third = "torch._utils._rebuild_tensor_v3"
    twice = {
        name: tensor(of=untyped, builder=third, more=(named(f"torch.{name}"),))
        for name in ("uint32", "float32")
    }
    assert len(read_zip(tmp_path, entries(twice)).tensors) == 2


@pytest.mark.parametrize("kind", ["tensors", "values"])
def test_two_entries_of_one_name_are_an_error(kind: str, tmp_path: Path) -> None:
    value = tensor() if kind == "tensors" else integer(1)
    joined = {"t": tensor(), "a.b": value, "a": entries({"b": value})}
    told = f"two of its {kind} would have the name 'a.b'"
    with pytest.raises(SubjectError, match=told):
        read_zip(tmp_path, entries(joined))
    with pytest.raises(SubjectError, match=told.replace("a.b", "1")):
        read_zip(tmp_path, b"}(" + text("1") + value + integer(1) + value + text("t") + tensor() + b"u")
    with pytest.raises(SubjectError, match=told.replace("a.b", "x")):
        read_zip(tmp_path, b"}" + (text("x") + value + b"s") * 2 + text("t") + tensor() + b"s")


def test_values_beside_tensors_are_told(tmp_path: Path) -> None:
    values = {
        "epoch": integer(3), "best": number(0.5), "worst": number(float("-inf")),
        "none": NONE, "yes": TRUE, "note": text("a\u00e9 note"), "dtype": named("torch.bfloat16"),
        "device": call("torch.device", text("cuda"), integer(1)), "steps": list_of(integer(1), integer(2)),
        "size": call("torch.Size", shape(2, 3)), "seen": call("builtins.set", list_of(integer(5))),
        "counts": call("collections.Counter", dict_of(a=integer(2))), "nothing": dict_of(),
        "deep": dict_of(er=dict_of(x=integer(0))), "mixed": list_of(integer(1), list_of(text("x"))),
        "seed": integer((1 << 64) - 1),
    }  # fmt: skip
    found = read_zip(tmp_path, entries({"w": tensor(), **values}))
    assert found.values == {
        "epoch": 3, "best": 0.5, "worst": "-inf", "none": None, "yes": True, "note": "a\u00e9 note",
        "dtype": "torch.bfloat16",
        "device": "cuda:1", "steps": [1, 2], "size": [2, 3], "seen": [5], "counts.a": 2, "deep.er.x": 0,
        "mixed.0": 1, "mixed.1": ["x"], "nothing": {}, "seed": (1 << 64) - 1,
    }  # fmt: skip
    assert (found.others, found.unnamed, found.foreign) == ((), 0, ())


def test_what_is_neither_tensor_nor_plain_value_is_named(tmp_path: Path) -> None:
    others = {
        "long": text("x" * 1001), "huge": integer(1 << 64), "bytes": raw(bytes(9)),
        "class": named("torch.Tensor"),
        "storage": storage(), "encoded": call("_codecs.encode", text("x"), text("latin1")),
        "odd": b"}" + tuple_of(integer(1)) + integer(2) + b"s",
    }  # fmt: skip
    found = read_zip(tmp_path, entries({"w": tensor(), **others}))
    assert found.others == (
        ("long", "text of 1,001 characters"), ("huge", "a value that is too large"),
        ("bytes", "bytes, 9 bytes of it"), ("class", "torch.Tensor"),
        ("storage", "a storage that is no tensor's"), ("encoded", "bytes"),
        ("odd", "an entry whose key is neither text nor a whole number"),
    )  # fmt: skip


def test_more_values_than_are_kept_are_counted(tmp_path: Path) -> None:
    listed = {str(index): integer(index) for index in range(12_000)}
    found = read_zip(tmp_path, entries({"w": tensor(), **listed}))
    assert (len(found.values), len(found.others), found.unnamed) == (10_000, 1_000, 1_000)
    for count, values in ((10_000, 1), (10_001, 10_000)):
        steps = {"w": tensor(), "steps": list_of(*[integer(0)] * count)}
        assert len(read_zip(tmp_path, entries(steps)).values) == values


def test_a_tensor_that_no_entry_leads_to_is_told(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match=r"1 of its 2 tensors lie in objects that are not followed$"):
        read_zip(tmp_path, tensor() + b"0" + entries({"w": tensor()}))
    keyed = b"}" + tuple_of(integer(1)) + tensor() + b"s"
    with pytest.raises(SubjectError, match="1 of its 2 tensors lie"):
        read_zip(tmp_path, entries({"w": tensor(), "keyed": keyed}))


def test_attributes_of_objects_are_followed_by_their_names(tmp_path: Path) -> None:
    module = given("mine.Layer", _parameters=dict_of(weight=tensor()), _modules=dict_of(), rank=integer(4))
    slots = build(new("mine.Slots"), tuple_of(NONE, dict_of(inner=tensor())))
    bare = build(new("mine.Bare"), list_of(tensor()))
    found = read_zip(tmp_path, entries({"a": module, "b": slots, "c": bare}), tensors_only=True)
    assert [one.name for one in found.tensors] == ["a.weight", "b.inner", "c.0"]
    assert found.foreign == ("mine.Layer", "mine.Slots", "mine.Bare")


def test_ordered_dicts_of_python_2_are_followed(tmp_path: Path) -> None:
    pair = list_of(text("w"), tensor())
    root = call("collections.OrderedDict", list_of(pair))
    noted = build(root, dict_of(_metadata=call("collections.OrderedDict"), kept=integer(1)))
    found = read_zip(tmp_path, noted)
    assert ([one.name for one in found.tensors], found.values) == (["w"], {"kept": 1})


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        (call("posix.system", text("true")) + b"0", "posix.system"),
        (text("sys") + text("exit") + b"\x93" + b"0", "sys.exit"),
        (text("sys") + NONE + b"\x930", "an import whose name it computes"),
        (b"\x82\x010", "an extension code"),
        (named("torch.Tensor") + dict_of(a=integer(1)) + b"b0", "a change of an object that it imports"),
        (raw(b"\x80\x02cposix\nsystem\n.") + b"0", "a pickle inside bytes"),
    ],
)
@pytest.mark.parametrize("write", [zipped, legacy])
def test_what_a_pickle_does_besides_is_named_first(
    planted: bytes, told: str, write: Writer, tmp_path: Path
) -> None:
    path = write(tmp_path / "m.pt", planted + entries({"w": NONE, "s": tensor(offset=-1)}))
    with pytest.raises(SubjectError, match=f"its pickle holds {told}"):
        read(path)


@pytest.mark.parametrize(
    "root",
    [
        b"\x95\x04\x00\x00\x00\x00\x00\x00\x00"
        + entries({"w": tensor()}),  # an opcode crosses its frame's end
        entries({"w": tensor()}) + b"t",
        b"h\x07" + entries({"w": tensor()}),
        b"\xff",
    ],
)
def test_streams_that_machines_read_differently_are_refused(root: bytes, tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="its pickle is damaged"):
        read_zip(tmp_path, root)


def test_bytes_after_the_pickle_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="bytes follow its end"):
        read_zip(tmp_path, entries({"w": tensor()}) + b".N")


def test_values_at_the_root(tmp_path: Path) -> None:
    assert read_zip(tmp_path, tensor()).tensors[0].name == "tensor"
    assert read_zip(tmp_path, raw(b"abc")).others == (("(root)", "bytes, 3 bytes of it"),)


def test_names_too_long_are_refused(tmp_path: Path) -> None:
    assert read_zip(tmp_path, entries({"n" * 1000: tensor()})).tensors
    with pytest.raises(LimitError, match="a name of more than 1,000 characters: 'nnn"):
        read_zip(tmp_path, entries({"n" * 1001: tensor()}))


# -- answers of a child that was taken over

LINES: list[Line] = [
    ["tensor", None, "w", "F32", "0", 48, 0, [3, 4], [4, 1]],
    ["value", None, "epoch", "3"],
    ["other", None, "long", "text of 2,000 characters"],
    ["more", None, 2],
    ["end", 90],
]


def plan(*lines: object, tensors_only: bool = False) -> TensorPlan:
    """The plan that a real process answers with, of which all lines are `lines`."""
    process = child(b"\n".join(json.dumps(line).encode() for line in lines))
    try:
        process.start()
        process.send("go", 2)
        return take_plan(answers(process), tensors_only=tensors_only)
    finally:
        process.close()


def test_an_ordinary_plan_is_taken() -> None:
    taken = plan(*LINES)
    assert taken.tensors["w"].shape == (3, 4)
    assert (taken.values, taken.others, taken.unnamed, taken.end) == (
        {"epoch": 3}, [("long", "text of 2,000 characters")], 2, 90,
    )  # fmt: skip


def answering(lines: list[Line] | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process that is started next answer with these lines, whatever it is asked."""
    said = lines if isinstance(lines, str) else b"\n".join(json.dumps(line).encode() for line in lines)
    program = tmp_path / "python"
    program.write_text(f"#!{PYTHON} -IS\n{SAYS.format(raw=said)}")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))


TENSOR = LINES[0]
STORAGE: Line = ["storage", None, "0", "torch.FloatStorage", 1]
WRONG: dict[str, list[Line]] = {
    "no end": LINES[:-1],
    "two ends": [["end", 1], ["end", 2]],
    "an end nowhere": [["end", None]],
    "more after the end": [*LINES, LINES[1]],
    "an unknown kind": [["run", None, "x"], *LINES],
    "an event of a scan": [["global", 0, "os", "system"], *LINES],
    "a field too many": [[*TENSOR, 1], ["end", 1]],
    "a field too few": [TENSOR[:-1], ["end", 1]],
    "another rank": [[*TENSOR[:-1], [4]], ["end", 1]],
    "a negative size": [[*TENSOR[:-2], [-3, 4], [4, 1]], ["end", 1]],
    "a fraction of a size": [[*TENSOR[:-2], [3.0, 4], [4, 1]], ["end", 1]],
    "a truth for a size": [[*TENSOR[:-2], [True, 4], [4, 1]], ["end", 1]],
    "a size in words": [[*TENSOR[:-2], "34", [4, 1]], ["end", 1]],
    "a size beyond all": [[*TENSOR[:-2], [1 << 63, 4], [4, 1]], ["end", 1]],
    "too many sizes": [[*TENSOR[:-2], [1] * 65, [1] * 65], ["end", 1]],
    "an offset before": [[*TENSOR[:6], -4, [3, 4], [4, 1]], ["end", 1]],
    "a name of another type": [["tensor", None, 7, *TENSOR[3:]], ["end", 1]],
    "a name without end": [["tensor", None, "n" * 1101, *TENSOR[3:]], ["end", 1]],
    "a format without end": [["tensor", None, "w", "F" * 21, *TENSOR[4:]], ["end", 1]],
    "a value that is no JSON": [["value", None, "v", "import os"], ["end", 1]],
    "a value that is no number": [["value", None, "v", "NaN"], ["end", 1]],
    "a value in lists in lists": [["value", None, "v", "[[1]]"], ["end", 1]],
    "a value deep down": [["value", None, "v", "[" * 100_000], ["end", 1]],
    "a value of things": [["value", None, "v", '{"a": 1}'], ["end", 1]],
    "a count below nothing": [["more", None, -1], ["end", 1]],
    "a storage twice": [STORAGE, STORAGE, ["end", 1]],
    "an unknown refusal": [["refused", None, "because", "", ""]],
    "a refusal without a reason": [["refused", None, "sparse"]],
    "names without end": [["foreign", None, f"m.{index}"] for index in range(1001)] + [["end", 1]],
    "others without end": [["other", None, str(index), ""] for index in range(1001)] + [["end", 1]],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_plan_is_refused(name: str) -> None:
    with pytest.raises(WrongAnswerError):
        plan(*WRONG[name], tensors_only=True)


def test_a_plan_without_end_is_refused() -> None:
    process = child('b\'["value",null,"v","\' + b\'1\' * 200000', most=100_000)
    process.start()
    process.send("go", 2)
    with pytest.raises(ChildDiedError):
        take_plan(answers(process), tensors_only=False)
    process.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"dtype": "F33"}, {"dtype": ""}, {"dtype": "F4"}, {"key": "1"}, {"key": "../0"}, {"size": 52},
        {"offset": 1},
        {"shape": [3, 5]}, {"stride": [5, 1]}, {"shape": [1 << 40, 1 << 40], "stride": [0, 1]},
        {"dtype": "F64"}, {"offset": 1 << 62},
    ],
)  # fmt: skip
def test_a_plan_beside_the_file_is_refused(
    wrong: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "m.pt", entries({"w": tensor()}))
    end = ["end", path.read_bytes().index(b"u.PK") + 2]
    answering([TENSOR, end], tmp_path, monkeypatch)
    assert len(read(path).tensors) == 1
    told = dict(zip(("dtype", "key", "size", "offset", "shape", "stride"), TENSOR[3:], strict=True)) | wrong
    answering([["tensor", None, "w", *told.values()], end], tmp_path, monkeypatch)
    with pytest.raises(SubjectError, match=r"cannot be placed in the file|reaches past its storage"):
        read(path)


@pytest.mark.parametrize(
    "lines",
    [
        [["storage", None, "0", "torch.FloatStorage", 12], ["end", 0]],
        [["storage", None, "0", "torch.DoubleStorage", 12], ["end", "right"]],
        [["storage", None, "0", "os.system", 12], ["end", "right"]],
        [["storage", None, "0", "torch.FloatStorage", 11], ["end", "right"]],
        [["end", "right"]],
        [["storage", None, "0", "torch.FloatStorage", 12], ["end", 1 << 62]],
    ],
)
def test_storages_beside_a_legacy_file_are_refused(
    lines: list[Line], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = legacy(tmp_path / "m.pt", entries({"w": tensor()}))
    right = path.stat().st_size - 8 - len(STORAGES["0"])
    honest: list[Line] = [TENSOR, ["storage", None, "0", "torch.FloatStorage", 12], ["end", right]]
    answering(honest, tmp_path, monkeypatch)
    assert len(read(path).tensors) == 1
    said: list[Line] = [[right if field == "right" else field for field in line] for line in lines]
    answering(said, tmp_path, monkeypatch)
    with pytest.raises(SubjectError, match="do not add up"):
        read(path)


def test_a_child_that_dies_makes_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "m.pt", entries({"w": tensor()}))
    answering("os._exit(7)", tmp_path, monkeypatch)
    with pytest.raises(SubjectError, match="was not read to its end: the reading process died") as caught:
        read(path)
    assert "assay scan" in caught.value.remedy
