"""Speed of the ledger: appends in batch and one by one, verification, look-up and proofs.

    python benchmarks/ledger.py [--entries 100000] [--singles 1000] [--batch 1000] [--folder DIR]

Signing is not part of the append figures; it is shown on its own line. The folder should lie on the disk that
the ledger will use: single appends are bound by its fsync, which the table shows for comparison.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.core.evidence import REPORT, statement
from assay.ledger import EntryKind, Keyring, Ledger, SigningKey, sign


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--singles", type=int, default=1_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--folder", type=Path, default=None, help="where to put the ledger")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="assay-ledger-", dir=arguments.folder))
    print(f"{'what':<44}{'count':>9}{'seconds':>10}{'per second':>13}{'CPU s':>9}")
    try:
        measure(folder, arguments.entries, arguments.singles, arguments.batch)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, entries: int, singles: int, batch: int) -> None:
    key = SigningKey.generate()
    with timed("sign", entries):
        envelopes = [sign(report(number), key) for number in range(entries)]
    probe_disk(folder, singles)
    with Ledger.open(folder / "single.db") as ledger, timed("append, one by one, each fsynced", singles):
        for envelope in envelopes[:singles]:
            ledger.append(EntryKind.EVIDENCE, envelope)
    with Ledger.open(folder / "ledger.db") as ledger:
        with timed(f"append in batches of {batch:,}, each fsynced", entries):
            for start in range(0, entries, batch):
                ledger.append_many((EntryKind.EVIDENCE, e) for e in envelopes[start : start + batch])
        anchor = ledger.signed_head(key)
        with timed("verify all (leaves, nodes, signatures, index)", entries):
            found = ledger.verify(Keyring.of(key), anchor=anchor)
        found.require_sound()
        repeat("look up by subject", lambda n: list(ledger.entries(subject=f"{n % entries:064x}")))
        repeat("inclusion proof", lambda n: ledger.inclusion_proof(n % entries))
    size = (folder / "ledger.db").stat().st_size
    print(f"\n{size / entries:,.0f} bytes per entry on disk, {len(envelopes[-1]):,} of them the envelope")


def report(number: int) -> bytes:
    """A statement of about the size of a small check's report."""
    findings = [{"rule": "x/y", "severity": "low", "message": "m" * 60, "n": i} for i in range(5)]
    predicate: dict[str, Any] = {"report": {"findings": findings}, "execution": {"candidate": "c" * 64}}
    return statement([{"name": "model", "digest": {"sha256": f"{number:064x}"}}], REPORT, predicate)


def probe_disk(folder: Path, count: int) -> None:
    with (
        (folder / "probe").open("wb", buffering=0) as file,
        timed("fdatasync of 4 KiB, for comparison", count),
    ):
        for _ in range(count):
            file.write(bytes(4096))
            os.fdatasync(file.fileno())


def repeat(name: str, call: Callable[[int], object], count: int = 500) -> None:
    with timed(name, count):
        for number in range(count):
            call(number * 7919)


@contextmanager
def timed(name: str, count: int) -> Iterator[None]:
    start, used = time.perf_counter(), sum(os.times()[:4])
    yield
    seconds, cpu = time.perf_counter() - start, sum(os.times()[:4]) - used
    print(f"{name:<44}{count:>9,}{seconds:>10.2f}{count / seconds:>13,.0f}{cpu:>9.2f}", flush=True)


if __name__ == "__main__":
    main()
