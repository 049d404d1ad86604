"""How long a user waits for `assay --help`, and for the scan of a small pickle.

python benchmarks/startup.py [--runs 20]
"""

from __future__ import annotations

import argparse
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def wall(arguments: list[str], runs: int) -> tuple[float, float]:
    """Median and worst wall time, in seconds, of a command after one run to warm the disk."""
    taken = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:]), max(taken[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    assay = str(Path(sys.executable).with_name("assay"))
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.pkl"
        small.write_bytes(pickle.dumps({"weights": [0.5] * 100}))
        for label, command in (
            ("assay --help", [assay, "--help"]),
            ("assay scan of a 1 KB pickle", [assay, "scan", str(small)]),
            ("python -c pass", [sys.executable, "-c", "pass"]),
        ):
            median, worst = wall(command, runs)
            print(f"{label:<32} median {median:.3f} s  worst {worst:.3f} s")


if __name__ == "__main__":
    main()
