"""What makes a zip a PyTorch file: checkpoints, TorchScript archives, `torch.export` and `torch.package`.

Sources: torch/serialization.py (`_is_torchscript_zip`), torch/csrc/jit/serialization, torch/_export/serde,
torch/package/package_importer.py (`load_pickle`).
A member counts as raw numbers only where a pickle, or the package's own list of weights, states exactly its
size in bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from assay.checks.packaging.artifact_scan.blob import Blob, Outcome
from assay.checks.packaging.artifact_scan.inspectors import raw_storages
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import REVIEW
from assay.checks.packaging.artifact_scan.texts import torchscript
from assay.subjects.archives.zip_directory import STORED, ZipDirectory, ZipMember

CHECKPOINT, TORCHSCRIPT, EXPORT, PACKAGE = "pytorch-zip", "torchscript", "torch-export", "torch-package"
MAX_LIST = 16 << 20  # bytes of a package's list of weights
_PICKLES = {"data.pkl": "data/", "constants.pkl": "constants/"}
_OF_PACKAGE = ".data/"  # beside the folders of the packages; it holds what is no resource of theirs
# torch/_export/serde/schema.py ScalarType: bytes of one element
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 2, 7: 4, 8: 8, 9: 4, 10: 8, 11: 16, 12: 1, 13: 2, 28: 2, 29: 1,
           30: 1, 31: 1, 32: 1, 33: 1, 34: 4, 35: 8}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """What the names of a zip's members tell.

    Attributes:
        kind: the format, or "" where the zip is nothing of PyTorch.
        first: pickles that say what other members are; read them first.
        code: TorchScript sources.
        lists: lists of weights of an export package.
        root: of a `torch.package`, the folder that all its members lie in.
    """

    kind: str = ""
    first: tuple[ZipMember, ...] = ()
    code: tuple[ZipMember, ...] = ()
    lists: tuple[ZipMember, ...] = ()
    root: str = ""


def layout_of(directory: ZipDirectory) -> Layout:
    """Tell which PyTorch format a zip is, by its members."""
    if root := _root(directory):
        return Layout(PACKAGE, tuple(m for m in directory.members if _may_be_pickle(m.name, root)), root=root)
    base = {PurePosixPath(member.name).name for member in directory.members}
    first = tuple(m for m in directory.members if PurePosixPath(m.name).name in _PICKLES)
    if {"data.pkl", "constants.pkl"} <= base:
        code = tuple(m for m in directory.members if "code/" in m.name and m.name.endswith(".py"))
        return Layout(TORCHSCRIPT, first, code)
    if "data.pkl" in base:
        return Layout(CHECKPOINT, first)
    if "archive_format" in base and "archive_version" in base:
        lists = tuple(m for m in directory.members if m.name.endswith("_config.json"))
        return Layout(EXPORT, (), (), lists)
    return Layout()


def _root(directory: ZipDirectory) -> str:
    """The folder of a `torch.package`, with a slash; "" where the zip is none."""
    mark = f"/{_OF_PACKAGE}extern_modules"
    return next((m.name.removesuffix(mark) + "/" for m in directory.members if m.name.endswith(mark)), "")


def _may_be_pickle(name: str, root: str) -> bool:
    """Whether a package may load a member as a pickle, which then tells of storages: it names them freely."""
    return not name.startswith(root + _OF_PACKAGE) and not name.endswith((".py", ".txt", ".json"))


def storages(blob: Blob, layout: Layout, outcome: Outcome) -> dict[str, int]:
    """The members that are raw numbers, and how many bytes each must have. Pickles must have been read."""
    found: dict[str, int] = {}
    for member in layout.first:
        folder = PurePosixPath(member.name)
        stated = outcome.storages.get(f"{blob.path}!/{blob.inside(member.name)}", {})
        keys = {key: size for key, size in stated.items() if raw_storages.is_key(key)}
        if layout.root:  # every pickle of a package keeps its storages in one place
            found |= {f"{layout.root}{_OF_PACKAGE}{key}.storage": size for key, size in keys.items()}
        if folder.name in _PICKLES:
            prefix = member.name[: -len(folder.name)] + _PICKLES[folder.name]
            found |= {prefix + key: size for key, size in keys.items()}
    for member in layout.lists:
        found |= dict(_weights(blob, member))
    return found


def judge_code(inner: Blob, inspection: Inspection) -> None:
    """Judge a source of a TorchScript archive; one that is Python instead is examined as any file."""
    most = inspection.options.max_text
    try:
        text = inner.head(most).decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if not text or inner.size > most or not torchscript.is_torchscript(text):
        inspection.skip(inner, "is no TorchScript, though it lies where torch.jit.load looks for it", REVIEW)
        inspection.examine(inner)
        return
    inspection.outcome.documents.append({"file": inner.name, "format": TORCHSCRIPT})
    torchscript.judge(inner, text, inspection)


def _weights(blob: Blob, member: ZipMember) -> Iterator[tuple[str, int]]:
    """What a list of weights says: the member of each, beside the list, and its bytes."""
    if member.method != STORED or member.packed > MAX_LIST:
        return
    try:
        listed = json.loads(bytes(blob.data[member.start : member.start + member.packed]))
        entries = list(listed["config"].values())
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return
    folder = str(PurePosixPath(member.name).parent)
    for entry in entries:
        size = _bytes_of(entry)
        if size is not None:
            yield f"{folder}/{entry['path_name']}", size


def _bytes_of(entry: Any) -> int | None:
    """Bytes of a weight that is not pickled; None where that cannot be told."""
    try:
        meta = entry["tensor_meta"]
        dimensions = [side["as_int"] for side in meta["sizes"]]
        width = _WIDTHS[meta["dtype"]]
        plain = entry["use_pickle"] is False and isinstance(entry["path_name"], str)
    except (LookupError, TypeError):
        return None
    if not plain or not all(type(side) is int and 0 <= side < 1 << 48 for side in dimensions):
        return None
    count = 1
    for side in dimensions[:64]:
        count *= side
    return count * width
