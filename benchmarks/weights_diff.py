"""Times `model.weights-diff` on two large models against the straightforward torch loop.

    python benchmarks/weights_diff.py [--megabytes 500] [--torch-python PATH] [--folder FOLDER]

Every figure is the best of `--repeat` runs of its own process, with both files in the page cache. `read`
copies both files into a buffer that is used again. Memory is the process's highest resident set less what
it had before the work began. Imports are not counted on either side, but for numba's, which only some
runs need. Factors are against the last row. Seconds of processor are what to compare on
a machine that is busy with other things.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

FORMATS = {"F32": 4, "F16": 2, "BF16": 2}
LAYERS = 24

TIMER = """
import json, sys, time
def peak():  # getrusage would count what the parent held before exec
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
def report(work):
    before, started, used = peak(), time.perf_counter(), time.process_time()
    work()
    print(json.dumps([time.perf_counter() - started, time.process_time() - used, peak() - before]))
first, second, option = sys.argv[1:4]
"""

TORCH = """
import torch
from safetensors.torch import load_file
def work():
    a, b = load_file(first), load_file(second)
    for name, x in a.items():
        x, y = getattr(x, option)(), getattr(b[name], option)()
        d = y - x
        figures = (d.norm().item(), (d.norm() / x.norm()).item(), d.abs().max().item(),
                   torch.dot(x.flatten(), y.flatten()).item() / (x.norm() * y.norm()).item(),
                   (d != 0).double().mean().item())
report(work)
"""

READ = """
import os
from concurrent.futures import ThreadPoolExecutor
def part(job):
    path, start, stop = job
    buffer = bytearray(1 << 18)
    with open(path, "rb", buffering=0) as file:
        for offset in range(start, stop, len(buffer)):
            os.preadv(file.fileno(), [buffer], offset)
def work():
    jobs = [(path, start, min(start + (8 << 20), os.path.getsize(path)))
            for path in (first, second) for start in range(0, os.path.getsize(path), 8 << 20)]
    with ThreadPoolExecutor(int(option)) as pool:
        list(pool.map(part, jobs))
report(work)
"""

ASSAY = """
from pathlib import Path
import numpy
import assay.subjects.safetensors_header
from assay.checks.finetuning.weights_diff import WeightsDiff
from assay.core.check import Context
from assay.core.subject import Subject, SubjectKind
one, other = (Subject(SubjectKind.FILE, p, {"sha256": p}, p) for p in (first, second))
context = Context(Path.cwd(), {"kernel": option}, one)
context.parsed(WeightsDiff.info.options), assay.subjects.safetensors_header  # imports what a run does
report(lambda: WeightsDiff().run(other, context))
"""


def write(path: Path, dtype: str, megabytes: int, *, shift: float) -> None:
    """A model of `megabytes` in `LAYERS` layers; `shift` scales the noise added to the same weights."""
    width = 1024
    rows = megabytes * (1 << 20) // FORMATS[dtype] // width // LAYERS
    size = rows * width * FORMATS[dtype]
    names = [f"model.layers.{i}.mlp.up_proj.weight" for i in range(LAYERS)]
    header = {
        name: {"dtype": dtype, "shape": [rows, width], "data_offsets": [i * size, (i + 1) * size]}
        for i, name in enumerate(names)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for i in range(LAYERS):
            numbers = np.random.default_rng(i).standard_normal((rows, width), np.float32) * np.float32(0.02)
            if shift:
                noise = np.random.default_rng(1000 + i).standard_normal((rows, width), np.float32)
                numbers += noise * np.float32(0.02 * shift)
            file.write(encode(numbers, dtype))


def encode(numbers: np.ndarray[tuple[int, ...], np.dtype[np.float32]], dtype: str) -> bytes:
    if dtype == "F16":
        return numbers.astype(np.float16).tobytes()
    if dtype == "BF16":
        return (numbers.view(np.uint32) >> 16).astype(np.uint16).tobytes()
    return numbers.tobytes()


def measure(python: str, code: str, files: tuple[Path, Path], option: str, repeat: int) -> list[float]:
    """Seconds by the clock, seconds of processor and megabytes: the least of `repeat` processes."""
    command = [python, "-c", TIMER + code, *map(str, files), option]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(repeat)
    ]
    return [min(figures) for figures in zip(*runs, strict=True)]


def bench(dtype: str, arguments: argparse.Namespace, folder: Path) -> None:
    base, tuned = folder / f"base-{dtype}.safetensors", folder / f"tuned-{dtype}.safetensors"
    write(base, dtype, arguments.megabytes, shift=0.0)
    write(tuned, dtype, arguments.megabytes, shift=0.01)
    pair, equal = (base, tuned), (base, folder / f"copy-{dtype}.safetensors")
    equal[1].write_bytes(base.read_bytes())
    cores = str(os.cpu_count() or 1)
    rows: list[tuple[str, list[float]]] = [
        ("read, one thread", measure(sys.executable, READ, pair, "1", arguments.repeat)),
        ("read, a thread per core", measure(sys.executable, READ, pair, cores, arguments.repeat)),
        ("assay, numpy", measure(sys.executable, ASSAY, pair, "numpy", arguments.repeat)),
        ("assay, numpy, equal files", measure(sys.executable, ASSAY, equal, "numpy", arguments.repeat)),
    ]
    if not arguments.no_numba:
        rows.append(("assay, numba", measure(sys.executable, ASSAY, pair, "numba", arguments.repeat)))
    if arguments.torch_python:
        for width in ("double", "float"):
            figures = measure(arguments.torch_python, TORCH, pair, width, arguments.repeat)
            rows.append((f"torch loop, .{width}()", figures))
    print(f"\n{dtype}, 2 x {arguments.megabytes} MB")
    print(f"  {'':<28}{'clock':>9}{'':>8}{'processor':>12}{'':>8}{'memory':>9}")
    torch = rows[-1][1]
    for label, (seconds, processor, megabytes) in rows:
        print(
            f"  {label:<28}{seconds:8.3f}s{torch[0] / seconds:7.1f}x"
            f"{processor:11.3f}s{torch[1] / processor:7.1f}x{megabytes:6.0f} MB"
        )
    for file in (*pair, equal[1]):
        file.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--torch-python", default="", help="a Python that has torch and safetensors")
    parser.add_argument("--folder", default=None, help="where the models are written for the time being")
    parser.add_argument("--formats", default="F32,F16,BF16")
    parser.add_argument("--no-numba", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for dtype in arguments.formats.split(","):
            bench(dtype, arguments, Path(folder))


if __name__ == "__main__":
    main()
