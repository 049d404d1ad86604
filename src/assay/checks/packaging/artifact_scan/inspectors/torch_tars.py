"""The tars that PyTorch wrote up to 0.1.10: pickles with raw numbers between them.

Source: torch/serialization.py `legacy_load`. `storages` holds a count, then for each storage a pickle of key,
place and class, an int64 count of elements and the elements, then a pickle of views. `tensors` holds a
count, then for each tensor a pickle and its sizes and strides. Where the raw parts do not add up, nothing is
skipped: all that is left is examined as a file.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Sequence

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import AGAIN
from assay.subjects.archives.tar_members import TarMember
from assay.subjects.pickles.child.wire import storage_width

RAW = {"storages", "tensors"}
MAX_PICKLE = 1 << 20  # bytes of one of the small pickles
MAX_ITEMS = 1_000_000
MAX_DIMENSIONS = 64


def is_legacy(members: Sequence[TarMember]) -> bool:
    """Whether these are the members of such a tar."""
    return {"sys_info", "pickle", "storages", "tensors"} <= {member.name for member in members}


def inspect_raw(blob: Blob, name: str, inspection: Inspection) -> None:
    """Judge the pickles of `storages` or `tensors`, and step over the numbers between them."""
    inspection.outcome.documents.append({"file": blob.name, "format": f"pytorch-tar {name}"})
    at, problem = _follow(blob, name, inspection)
    if problem or at < blob.end:
        inspection.skip(blob, f"the raw {name} do not add up: {problem or 'bytes are left over'}", AGAIN)
        rest = blob.region(at, blob.end)
        if rest.size > 0:
            inspection.pickle(rest, probe=True)


def _follow(blob: Blob, name: str, inspection: Inspection) -> tuple[int, str]:
    at, count = _judged(blob, blob.start, inspection)
    if not isinstance(count, int) or not 0 <= count <= MAX_ITEMS:
        return blob.start, "there is no count"
    for _ in range(count):
        after, described = _judged(blob, at, inspection)
        size = _tensor(blob, after) if name == "tensors" else _storage(blob, after, described)
        if size < 0 or after + size > blob.end:
            return at, "an item has no size that is known"
        at = after + size
    if name == "storages":
        after, views = _judged(blob, at, inspection)
        return after, "" if views is not None else "the list of views is not there"
    return at, ""


def _judged(blob: Blob, at: int, inspection: Inspection) -> tuple[int, int | str | None]:
    """Judge the small pickle at `at`: where it ends, and the integer or the storage class it names.

    The value is None where there is no pickle, and "" where it is of another kind.
    """
    window = io.BytesIO(bytes(blob.data[at : min(at + MAX_PICKLE, blob.end)]))
    value: int | str = ""
    last: object = None
    try:
        for opcode, argument, _ in pickletools.genops(window):
            if opcode.name in {"GLOBAL", "STACK_GLOBAL"}:
                value = str(argument).replace(" ", ".")
            elif opcode.name == "STOP":
                break
            else:
                last = argument if opcode.name not in {"PROTO", "PUT", "BINPUT", "MEMOIZE"} else last
    except Exception as error:  # noqa: BLE001  pickletools raises ValueError and whatever a codec raises
        reason = f"no pickle can be read at byte {at - blob.start:,}: {type(error).__name__}"
        inspection.skip(blob, reason, AGAIN)
        return at, None
    after = at + window.tell()
    inspection.pickle(blob.region(at, after), probe=True)
    return after, last if value == "" and type(last) is int else value


def _storage(blob: Blob, at: int, described: int | str | None) -> int:
    """Bytes of the count and the elements that lie at `at`; -1 where they are not known."""
    width = storage_width(described) if isinstance(described, str) else 0
    count = int.from_bytes(blob.data[at : min(at + 8, blob.end)], "little", signed=True)
    return 8 + count * width if width and count >= 0 else -1


def _tensor(blob: Blob, at: int) -> int:
    """Bytes of the number of dimensions (4, and 4 unused), sizes, strides and offset."""
    dimensions = int.from_bytes(blob.data[at : min(at + 4, blob.end)], "little", signed=True)
    return 8 + 16 * dimensions + 8 if 0 <= dimensions <= MAX_DIMENSIONS else -1
