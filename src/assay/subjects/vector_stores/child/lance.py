"""Serves one LanceDB table and ends. A job is `lance memory seconds table`; the argument is the folder."""

from __future__ import annotations

import base64
import socket
import sys
from typing import Any

from assay.subjects.pickles.child.confine import end_with_parent

from . import answer
from .unreachable import refuse

_ROWS = 512


def main() -> None:
    """Serve one job on descriptor 0."""
    end_with_parent(int(sys.argv[-1]))
    link = socket.socket(fileno=0)
    answer.send("ready", "")
    line, _, _, _ = link.recvmsg(10_000, 64)
    if not line:
        return
    _, memory, seconds, table = line.decode().split(" ", 3)
    import lancedb  # noqa: PLC0415  an extra; before the process is confined, as imports open files for long

    if note := refuse():
        answer.send("note", note)
    _bound(int(memory), int(seconds))
    try:
        _read(lancedb, sys.argv[-2], table)
    except MemoryError:
        answer.skip("the rest of the store", "it took more memory than is allowed")
    except BaseException as error:  # noqa: BLE001  a panic of the library is none of Exception
        said = str(error).splitlines()
        answer.skip(
            "the rest of the store", f"LanceDB cannot read it: {(said or [type(error).__name__])[0][:300]}"
        )
    answer.send("done")


def _bound(memory: int, seconds: int) -> None:
    import resource  # noqa: PLC0415

    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    # Threads reserve address space that they never use: eight of them 64 MiB of arena and stack each.
    resource.setrlimit(resource.RLIMIT_AS, (mapped + memory + (1 << 30), resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, resource.RLIM_INFINITY))


def _read(lancedb: Any, folder: str, table: str) -> None:
    opened = lancedb.connect(folder).open_table(table)
    for batch in opened.search().to_batches(_ROWS):
        _batch(batch)


def _batch(batch: Any) -> None:
    import pyarrow  # noqa: ICN001, PLC0415  an extra

    vectors = {
        name: batch.column(name)
        for name in batch.schema.names
        if _is_vector(pyarrow, batch.schema.field(name).type)
    }
    plain = [name for name in batch.schema.names if name not in vectors]
    rows = batch.select(plain).to_pylist() if plain else [{} for _ in range(batch.num_rows)]
    packed = {name: _packed(pyarrow, column) for name, column in vectors.items()}
    for at, row in enumerate(rows):
        held = {name: those[at] for name, those in packed.items()}
        answer.row(row, {name: raw for name, raw in held.items() if raw is not None})


def _is_vector(arrow: Any, kind: Any) -> bool:
    lists = (
        arrow.types.is_list(kind) or arrow.types.is_fixed_size_list(kind) or arrow.types.is_large_list(kind)
    )
    return bool(lists and arrow.types.is_floating(kind.value_type))


def _packed(arrow: Any, column: Any) -> list[str | None]:
    """Each row's numbers as base64 of float32; None where there are none."""
    found: list[str | None] = []
    for scalar in column:
        if not scalar.is_valid:
            found.append(None)
            continue
        numbers = scalar.values.cast(arrow.float32(), safe=False)
        raw = numbers.to_numpy(zero_copy_only=False).astype("<f4").tobytes()
        found.append(base64.b64encode(raw).decode())
    return found
