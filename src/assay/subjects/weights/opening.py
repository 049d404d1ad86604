"""Finds the files of a model's weights and checks that they agree with each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Self

from assay.core.digest import IGNORED
from assay.core.errors import LimitError, SubjectError
from assay.core.folders import unreadable, walk
from assay.subjects.weights.shards import check_index, read_index
from assay.subjects.weights.tensor import DTYPES, Tensor, WeightsFile

if TYPE_CHECKING:
    from assay.subjects.pickles.plan import Value

SAFETENSORS = (".safetensors",)
TORCH = (".bin", ".pt", ".pth", ".ckpt")
# Formats that hold weights and that nothing here reads: they are named, never passed over.
OTHER = (".gguf", ".ggml", ".h5", ".hdf5", ".keras", ".msgpack", ".npz", ".onnx", ".tflite", ".pb")
INDEX = ".index.json"
MAX_FILES = 10_000
MAX_TENSORS = 1_000_000
_AGAIN = "Get it again from its source, or convert it to safetensors."


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file or tensor that was not opened: its name, why, and what to do."""

    name: str
    reason: str
    remedy: str


@dataclass(slots=True)
class Weights:
    """The tensors of a model by name; close it, or use it as a context manager.

    Attributes:
        path: the file or folder, or the index of shards.
        tensors: name to tensor, in the order of the files.
        problems: what the files say that cannot be true together, as sentences.
        unreadable: files with weights that could not be opened, and tensors that lie outside theirs.
        doubled: names under which two files hold a tensor.
        foreign: with `tensors_only`, full names of what checkpoints import that no tensor is made of.
        values: plain values beside the tensors of checkpoints, by name.
        others: what else checkpoints hold: name, and what it is; `unnamed` more are not named.
    """

    path: Path
    tensors: dict[str, Tensor] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    others: list[tuple[str, str]] = field(default_factory=list)
    unnamed: int = 0
    tensors_only: bool = False
    _open: ExitStack = field(default_factory=ExitStack)

    @property
    def root(self) -> Path:
        """The folder that names of files are relative to."""
        return self.path if self.path.is_dir() else self.path.parent

    @property
    def size(self) -> int:
        """Bytes in all tensors whose format is known."""
        return sum(t.numel * t.itemsize for t in self.tensors.values() if t.known)

    def close(self) -> None:
        """Close the files."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_weights(path: Path, *, tensors_only: bool = False) -> Weights:
    """Open the weights at `path`: a file, a folder with all that lies below it, or an index of shards.

    Of an index (`*.index.json`) its shards are opened and nothing else of the folder. In a folder every file
    of weights is opened, also those that a loader would pass over. Where two files hold a tensor of the same
    name, the later one's is kept as `name @ file`.

    Raises:
        SubjectError: there are none, the only file is broken, a shard is missing, or a PyTorch
            checkpoint asks for code. No code of it is run.
        LimitError: more than 10,000 files or a million tensors.
    """
    weights = Weights(path, tensors_only=tensors_only)
    try:
        if path.is_dir():
            _open_folder(weights)
        elif path.name.endswith(INDEX):
            _open_index(weights)
        else:
            for problem in _add_file(weights, path, path.name, prefix=""):
                weights.problems.append(problem)
    except BaseException:
        weights.close()
        raise
    return weights


def _open_index(weights: Weights) -> None:
    index = read_index(weights.root, weights.path.name)
    listed = set(index.shards.values())
    found = [name for name in _listing(weights.root) if name in listed and name.endswith(SAFETENSORS + TORCH)]
    for name in found:
        _try_file(weights, name)
    weights.problems += check_index(index, weights.tensors, set(found))


def _open_folder(weights: Weights) -> None:
    names = _listing(weights.path)
    found = [name for name in names if name.endswith(SAFETENSORS + TORCH)]
    weights.unreadable += [
        Unreadable(name, "this format of weights cannot be compared", "Convert it to safetensors.")
        for name in names
        if name.endswith(OTHER)
    ]
    if not found:
        raise SubjectError(
            "holds no weights in safetensors or PyTorch format",
            subject=str(weights.path),
            remedy="Name the folder or file with the model's weights.",
        )
    indexes = [read_index(weights.path, name) for name in names if name.endswith(INDEX)]
    failures = [_try_file(weights, name) for name in found]
    for index in indexes:
        weights.problems += check_index(index, weights.tensors, set(found))
    errors = [failure for failure in failures if failure is not None]
    if len(errors) == len(found):
        raise errors[0]


def _listing(folder: Path) -> list[str]:
    """Regular files and links to files below `folder`, sorted so that safetensors come first."""
    names = list(_walk(folder))
    return sorted(names, key=lambda name: (not name.endswith(SAFETENSORS), name.count("/"), name))


def _walk(folder: Path) -> Iterator[str]:
    count = 0

    def refuse(error: OSError) -> None:
        raise unreadable(Path(error.filename), error, done="listed") from error

    for place, folders, files in walk(folder, unlisted=refuse):
        relative = place.relative_to(folder)
        folders[:] = [name for name in folders if (relative / name).as_posix() not in IGNORED]
        for name in files:
            if not name.endswith((*SAFETENSORS, *TORCH, *OTHER, INDEX)):
                continue
            count += 1
            if count > MAX_FILES:
                raise LimitError(
                    f"more than {MAX_FILES:,} files of weights",
                    subject=str(folder),
                    remedy="Name the model's own folder.",
                )
            yield (relative / name).as_posix()


def _try_file(weights: Weights, name: str) -> SubjectError | None:
    prefix = name[: name.rfind("/") + 1]
    try:
        weights.problems += _add_file(weights, weights.root / name, name, prefix=prefix)
    except LimitError:
        raise
    except SubjectError as error:
        weights.unreadable.append(Unreadable(name, error.cause, error.remedy or _AGAIN))
        return error
    return None


def _add_file(weights: Weights, path: Path, name: str, *, prefix: str) -> list[str]:
    file = weights._open.enter_context(WeightsFile(path, name))  # noqa: SLF001  the same module's value
    problems: list[str] = []
    tensors = _safetensors(file, problems) if _is_safetensors(file) else _torch(file, weights, prefix)
    for tensor in tensors:
        if len(weights.tensors) >= MAX_TENSORS:
            raise LimitError(f"more than {MAX_TENSORS:,} tensors", subject=str(weights.path))
        key = prefix + tensor.name
        other = weights.tensors.get(key)
        if other is not None:
            # The same weights in two formats is how hubs publish them; twice in one format is not.
            if other.file.name.endswith(SAFETENSORS) == name.endswith(SAFETENSORS):
                problems.append(f"tensor {key[:100]!r} stands in both {other.file.name} and {name}")
            weights.doubled.append(key)
            key = f"{key} @ {name}"
        if tensor.offset + _span(tensor) * tensor.itemsize > file.size:
            weights.unreadable.append(Unreadable(key, f"lies beyond the end of {name}", "Fetch it again."))
        elif tensor.name != key:
            weights.tensors[key] = Tensor(key, *_rest(tensor))
        else:
            weights.tensors[key] = tensor
    return problems


def _rest(t: Tensor) -> tuple[str, tuple[int, ...], WeightsFile, int, tuple[int, ...]]:
    return t.dtype, t.shape, t.file, t.offset, t.stride


def _span(tensor: Tensor) -> int:
    """Elements from the first to the last one in memory."""
    if tensor.numel == 0:
        return 0
    if not tensor.stride:
        return prod(tensor.shape)
    return 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride, strict=True))


def _is_safetensors(file: WeightsFile) -> bool:
    """By content: a header length, then an opening brace. The name decides only what is neither."""
    head = bytearray(min(file.size, 9))
    file.read_into(0, memoryview(head))
    if head[8:] == b"{":
        return True
    return file.name.endswith(SAFETENSORS)


def _safetensors(file: WeightsFile, problems: list[str]) -> list[Tensor]:
    from assay.subjects.safetensors_header import read_header  # noqa: PLC0415  start-up

    header = read_header(file.path)
    problems += [f"{file.name}: {problem}" for problem in header.problems]
    tensors = []
    for entry in header.tensors:
        tensor = Tensor(entry.name, entry.dtype, entry.shape, file, header.data_start + entry.start)
        if entry.dtype in DTYPES and tensor.numel * tensor.itemsize != entry.end - entry.start:
            problems.append(f"{file.name}: {entry.name[:100]!r} has a size that its shape does not give")
        tensors.append(tensor)
    return tensors


def _torch(file: WeightsFile, weights: Weights, prefix: str) -> list[Tensor]:
    from assay.subjects.pickles.tensors import read_torch_checkpoint  # noqa: PLC0415  start-up

    found = read_torch_checkpoint(file.fd, str(file.path), tensors_only=weights.tensors_only)
    weights.foreign += found.foreign
    weights.others += ((prefix + name, what) for name, what in found.others)
    for name, value in found.values.items():
        if weights.values.setdefault(prefix + name, value) != value:
            weights.others.append((prefix + name, f"of {file.name}, where another file has another value"))
    weights.unnamed += found.unnamed
    return [Tensor(t.name, t.dtype, t.shape, file, t.file_offset, t.stride) for t in found.tensors]
