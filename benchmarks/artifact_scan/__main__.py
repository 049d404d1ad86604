"""`artifact.scan` beside picklescan, modelscan, fickling and modelaudit.

    python -m benchmarks.artifact_scan detection [--only TEXT]
    python -m benchmarks.artifact_scan speed [--mb 191] [--zip-mb 1024] [--runs 5] [--limit 120]

Both take `--with NAME …`: these scanners alone.

The others are installed by pip into environments of their own below --cache, where they are not yet; with
TensorFlow, by which modelscan reads SavedModels, that is 2 GB. Nothing of them is imported by this process.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from . import detection, speed
from .scanners import SCANNERS


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["detection", "speed"])
    home = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "assay-benchmarks"
    parser.add_argument("--cache", type=Path, default=home, help="where the other scanners are installed")
    parser.add_argument("--only", default="", help="detection: cases whose name contains this")
    parser.add_argument(
        "--with", dest="names", nargs="*", default=[one.name for one in SCANNERS], help="which scanners"
    )
    parser.add_argument("--mb", type=int, default=191, help="speed: size of the pickle")
    parser.add_argument("--zip-mb", type=int, default=1024, help="speed: size of the PyTorch zip")
    parser.add_argument("--runs", type=int, default=5, help="speed: processes of each")
    parser.add_argument("--limit", type=float, default=120, help="speed: seconds that one process may take")
    return parser.parse_args()


def main() -> None:
    options = _options()
    cache = options.cache.absolute()
    cache.mkdir(parents=True, exist_ok=True)
    scanners = [scanner for scanner in SCANNERS if scanner.name in options.names]
    for scanner in scanners:
        scanner.install(cache)
    if options.what == "detection":
        lines = detection.report(cache, options.only, scanners)
    else:
        sizes = speed.Sizes(options.mb, options.zip_mb, options.runs, options.limit)
        lines = speed.report(cache, scanners, sizes)
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main()
