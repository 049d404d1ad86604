"""What torch saved and loads, against what `assay convert` made of the same file: equal to the last bit."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.cli.app import run

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

DTYPES = (
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool",
    "complex64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "uint16", "uint32",
    "uint64",
)  # fmt: skip
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="."), max_size=5)


def bits(tensor: Any) -> bytes:
    """The bytes of a tensor in C order, which tell also NaN from NaN and -0 from 0."""
    packed = torch.empty(tensor.numel(), dtype=tensor.dtype)
    packed.copy_(tensor.detach().flatten())
    return bytes(packed.view(torch.uint8).numpy().tobytes())


@st.composite
def views(draw: st.DrawFn) -> Any:
    """A tensor of any format, holding any bits, as a view of any kind."""
    dtype = getattr(torch, draw(st.sampled_from(DTYPES)))
    shape = draw(st.lists(st.integers(0, 5), max_size=4))
    count = torch.Size(shape).numel()
    width = torch.empty((), dtype=dtype).element_size()
    raw = torch.frombuffer(bytearray(draw(st.binary(min_size=1, max_size=8))), dtype=torch.uint8)
    raw = raw.repeat(count * width // len(raw) + 1)[: count * width].clone()
    stored = (raw > 99).view(dtype) if dtype == torch.bool else raw.view(dtype)
    return draw(st.sampled_from(VIEWS))(stored.reshape(shape))


def _permuted(tensor: Any) -> Any:
    return tensor.permute(tuple(reversed(range(tensor.dim()))))


VIEWS = (
    lambda tensor: tensor,
    _permuted,
    lambda tensor: tensor[..., 1:] if tensor.dim() else tensor,
    lambda tensor: tensor[::2] if tensor.dim() else tensor,
    lambda tensor: tensor[..., ::3] if tensor.dim() else tensor,
    lambda tensor: (
        tensor[..., :1].expand(*tensor.shape[:-1], 4) if tensor.dim() and tensor.shape[-1] else tensor
    ),
    lambda tensor: tensor.unsqueeze(0).expand(3, *tensor.shape),
    lambda tensor: tensor.flatten()[0] if tensor.numel() else tensor,
    lambda tensor: torch.nn.Parameter(tensor, requires_grad=False),
    torch.nn.Buffer,
)


def trees() -> st.SearchStrategy[Any]:
    """Dicts, ordered dicts, lists and tuples of tensors and plain values, some of them in several places."""
    leaf = st.one_of(views(), st.integers(), st.floats(), st.text(max_size=3), st.none(), st.booleans())
    keys = st.one_of(NAMES, st.integers(0, 9))
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.dictionaries(keys, inner, max_size=4),
            st.dictionaries(keys, inner, max_size=4).map(OrderedDict),
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            inner.map(lambda value: [value, value]),
        ),
        max_leaves=8,
    )


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The tensors in a tree, by the names that they should get."""
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, dict | list | tuple):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from flat(item, f"{name}.{key}" if name else str(key))


@pytest.mark.parametrize("zipped", [True, False])
@settings(max_examples=60)
@given(st.dictionaries(NAMES.filter(bool), trees(), max_size=3), views())
def test_every_tensor_comes_out_as_torch_loads_it(zipped: bool, tree: dict[str, Any], more: Any) -> None:
    tree["more"] = more
    expected = list(flat(tree))
    with TemporaryDirectory() as folder:
        path, target = Path(folder) / "m.pt", Path(folder) / "m.safetensors"
        torch.save(copy.copy(tree), path, _use_new_zipfile_serialization=zipped)
        code = run(["convert", str(path), "-o", str(target)])
        if code == 2:  # what no two names tell apart
            names = [name for name, _ in flat_values(tree)]
            assert len(set(names)) < len(names)
            return
        assert code in {0, 4}
        found = safetensors_torch.load_file(target)
    assert sorted(found) == sorted(name for name, _ in expected)
    for name, tensor in expected:
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape)
        assert bits(found[name]) == bits(tensor)


def flat_values(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Tensors, and by their names everything that is no container with something in it."""
    if isinstance(value, dict | list | tuple) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from flat_values(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


@pytest.mark.parametrize("zipped", [True, False])
def test_a_training_checkpoint_keeps_its_numbers(zipped: bool, tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "best_acc": 0.5}
    torch.save(saved, tmp_path / "last.ckpt", _use_new_zipfile_serialization=zipped)
    target = tmp_path / "last.safetensors"
    assert run(["convert", str(tmp_path / "last.ckpt"), "-o", str(target)]) == 0
    found = safetensors_torch.load_file(target)
    assert all(bits(found[name]) == bits(tensor) for name, tensor in flat(saved))
    assert len(found) == len(list(flat(saved)))


def test_a_shared_tensor_written_once_loads_as_safetensors_own_do(tmp_path: Path) -> None:
    class Tied(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
            self.second.weight = self.first.weight

    saved, loaded = Tied(), Tied()
    torch.save(saved.state_dict(), tmp_path / "m.pt")
    target = tmp_path / "m.safetensors"
    assert run(["convert", str(tmp_path / "m.pt"), "-o", str(target), "--shared-once"]) == 0
    assert safetensors_torch.load_model(loaded, target) == (set(), [])
    assert all(bits(tensor) == bits(loaded.state_dict()[name]) for name, tensor in saved.state_dict().items())


REFUSED: dict[str, Callable[[Any], Any]] = {
    "is sparse": lambda plain: plain.to_sparse(),
    "is sparse, for": lambda plain: plain.to_sparse_csr(),
    "is quantized": lambda plain: torch.quantize_per_tensor(plain, 0.1, 0, torch.qint8),
    "is nested": lambda plain: torch.nested.nested_tensor([plain, plain[:1]]),
    "without its numbers": lambda _: torch.empty(3, device="meta"),
    "before its conjugation": lambda plain: torch.complex(plain, plain).conj(),
    "or negation": lambda plain: torch.complex(plain, plain).conj().imag,
    "ComplexDoubleStorage": lambda plain: plain.to(torch.complex128),
    "float8_e8m0fnu": lambda plain: plain.to(torch.uint8).view(torch.float8_e8m0fnu),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("told", REFUSED)
def test_what_torch_saves_and_safetensors_cannot_is_named(
    told: str, zipped: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = torch.arange(6.0).reshape(2, 3)
    saved = {"good": plain, "bad": REFUSED[told](plain)}
    torch.save(saved, tmp_path / "m.pt", _use_new_zipfile_serialization=zipped)
    for options in ([], ["--tensors-only"]):
        assert run(["convert", str(tmp_path / "m.pt"), "-o", str(tmp_path / "m.safetensors"), *options]) == 2
        shown = capsys.readouterr().err
        assert told in shown
        assert "tensor 'bad' " in shown
    assert [path.name for path in tmp_path.iterdir()] == ["m.pt"]
