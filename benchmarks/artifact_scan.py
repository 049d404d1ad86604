"""How fast `assay scan` is: a large pickle, a large PyTorch zip and many small files.

    python benchmarks/artifact_scan.py [--mb 192] [--zip-mb 1024] [--picklescan PATH] [--fickling PATH]

All times are wall times of whole processes, the subject's SHA-256 included. Other scanners, where named, read
the same files in the same run.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

SMALL = 500


def wall(arguments: list[str]) -> tuple[float, int]:
    """Seconds and exit code of a command."""
    began = time.perf_counter()
    done = subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - began, done.returncode


def large_pickle(path: Path, megabytes: int) -> int:
    """A list of small dicts of that size, protocol 4; how many there are."""
    count = 2_000_000 * megabytes // 192
    rows = [{"id": i, "name": f"item-{i}", "score": i * 0.5, "tags": f"{i:052d}"} for i in range(count)]
    with path.open("wb") as file:
        pickle.dump(rows, file, 4)
    return count


def torch_zip(path: Path, megabytes: int) -> None:
    """A PyTorch zip with one storage of that size, written by hand."""
    count = megabytes << 18
    body = (
        b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\n"
        b"FloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu" + pickle.dumps(count, 2)[2:-1]
        + b"tQK\x00" + pickle.dumps((count,), 2)[2:-1] + b"K\x01\x85\x89ccollections\nOrderedDict\n)RtRs."
    )  # fmt: skip
    noise = hashlib.shake_256(b"weights").digest(1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", body)
        archive.writestr("archive/byteorder", b"little")
        with archive.open("archive/data/0", "w", force_zip64=True) as storage:
            for _ in range(megabytes):
                storage.write(noise)
        archive.writestr("archive/version", b"3\n")


def small_pickles(folder: Path) -> None:
    """Five hundred pickles of a kilobyte."""
    folder.mkdir()
    for index in range(SMALL):
        (folder / f"{index}.pkl").write_bytes(pickle.dumps({"weights": [index * 0.5] * 100}, 4))


def hashing(path: Path) -> float:
    """Seconds that SHA-256 over the file takes alone."""
    began = time.perf_counter()
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    return time.perf_counter() - began


def scanners(others: argparse.Namespace) -> Iterator[tuple[str, list[str]]]:
    """Name and command of every scanner, without the path."""
    yield "assay", [str(Path(sys.executable).with_name("assay")), "scan"]
    if others.picklescan:
        yield "picklescan", [others.picklescan, "-p"]
    if others.fickling:
        yield "fickling", [others.fickling, "--check-safety"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mb", type=int, default=192)
    parser.add_argument("--zip-mb", type=int, default=1024)
    parser.add_argument("--picklescan", default="")
    parser.add_argument("--fickling", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = large_pickle(folder / "large.pkl", options.mb)
        torch_zip(folder / "large.pt", options.zip_mb)
        small_pickles(folder / "small")
        size = (folder / "large.pkl").stat().st_size / 1e6
        subjects = (
            (f"pickle of {rows:,} dicts, {size:.0f} MB", folder / "large.pkl"),
            (f"PyTorch zip, {options.zip_mb} MB", folder / "large.pt"),
            (f"{SMALL} small pickles", folder / "small"),
        )
        for label, path in subjects:
            for scanner, command in scanners(options):
                if scanner == "fickling" and path.name != "large.pkl":
                    continue  # it reads one pickle at a time
                seconds, code = wall([*command, str(path)])
                print(f"{label:<40} {scanner:<11} {seconds:7.2f} s  exit {code}", flush=True)
            if path.is_file():
                print(f"{label:<40} {'SHA-256':<11} {hashing(path):7.2f} s", flush=True)


if __name__ == "__main__":
    main()
