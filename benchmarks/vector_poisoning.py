"""Recall and false alarms of `vector.poisoning` on 10,000 passages, and the time that 100,000 take.

    python benchmarks/vector_poisoning.py [--corpus packages|library|manual] [--seeds 10] [--targets 10]
    python benchmarks/vector_poisoning.py --scale 100000

The corpora are what lies on the machine: docstrings of the installed packages, of Python's own library, and
manual pages. They are embedded by the embedded MiniLM once, and kept below the cache folder
(XDG_CACHE_HOME). Passages are planted as `tests/fixtures/planted_passages.py` makes them: five for each
target, ten targets in a store.

Recall is over planted passages that are in a group that is reported. Its interval, 95 %, is a bootstrap over
targets, since the five of a target are found or missed together. False positives are honest entries in
reported groups.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.checks.deployment.vector_poisoning.contrast import contrast
from assay.checks.deployment.vector_poisoning.findings import planted_severity
from assay.checks.deployment.vector_poisoning.neighbours import nearest, unit
from assay.checks.deployment.vector_poisoning.planted import PlantedGroups
from assay.core.finding import Severity
from assay.embeddings import Encoder
from assay.subjects.vector_stores.snapshot import Snapshot

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from fixtures.planted_passages import KINDS, chunks, docstrings, planted, topic_of

SIZE = 10_000
RATE = 0.01
Vectors = NDArray[np.float32]
Rows = list[tuple[str, str]]


def manual_pages(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Passages of the manual pages of programs, formats and games."""
    paths = sorted(Path("/usr/share/man").glob("man[15678]/*.gz"))
    rng.shuffle(paths)
    seen: set[str] = set()
    for path in paths:
        with gzip.open(path, "rt", errors="replace") as file:
            text = file.read()
        text = re.sub(r'^\.\\".*$', "", text, flags=re.MULTILINE)
        text = re.sub(r"^\.(SH|SS|TP|PP|IP|P|LP|Sh|Pp)\b.*$", "\n", text, flags=re.MULTILINE)
        text = re.sub(r"^['.]\S*\s?", "", text, flags=re.MULTILINE)
        text = re.sub(r"\\f.|\\\*\(..|\\&|\\[|^]", "", text).replace("\\-", "-")
        for passage in chunks(text):
            if passage not in seen:
                seen.add(passage)
                yield path.name, passage


def corpus(name: str, folder: Path) -> tuple[Rows, Vectors]:
    """10,000 passages with their sources, and their vectors; embedded where they are not kept yet."""
    folder.mkdir(parents=True, exist_ok=True)
    kept, numbers = folder / f"{name}.json", folder / f"{name}.npy"
    if not numbers.exists():
        rng = random.Random(0)
        paths = sysconfig.get_paths()
        made = {
            "packages": lambda: docstrings(Path(paths["purelib"]), rng),
            "library": lambda: docstrings(Path(paths["stdlib"]), rng),
            "manual": lambda: manual_pages(rng),
        }[name]()
        rows = [row for row, _ in zip(made, range(SIZE), strict=False)]
        kept.write_text(json.dumps(rows))
        np.save(numbers, embed([text for _, text in rows]))
    return [(source, text) for source, text in json.loads(kept.read_text())], np.load(numbers)


def embed(texts: list[str]) -> Vectors:
    encoder = Encoder(threads=os.cpu_count() or 1)
    return np.concatenate([encoder.embed(texts[at : at + 256]) for at in range(0, len(texts), 256)])


@dataclass
class Score:
    """What was found over all seeds.

    Attributes:
        targets: share of each target's passages that were reported, at any severity and from medium on.
        honest: share of honest entries in each store that were reported, likewise.
    """

    targets: list[tuple[float, float]] = field(default_factory=list)
    honest: list[tuple[float, float]] = field(default_factory=list)

    def line(self, kind: str, known: str) -> str:
        """A row of the table."""
        cells = [interval([pair[at] for pair in self.targets]) for at in (0, 1)]
        false = [f"{np.mean([pair[at] for pair in self.honest]):.2%}" for at in (0, 1)]
        return f"| {kind} | {known} | {cells[0]} | {false[0]} | {cells[1]} | {false[1]} |"


def interval(shares: list[float]) -> str:
    """Mean and 95 % interval, by 2,000 resamples of the targets."""
    if not shares:
        return "-"
    values, rng = np.asarray(shares), np.random.default_rng(0)
    means = rng.choice(values, (2_000, len(values))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def attacked(rows: Rows, kind: str, targets: int, rng: random.Random) -> list[list[str]]:
    """Passages planted for questions about entries drawn at random."""
    return [planted(topic_of(text, rng), rng, kind)[1] for _, text in rng.sample(rows, targets)]


def measure(rows: Rows, vectors: Vectors, sets: list[list[str]], score: Score, *, known: bool) -> None:
    """Search one store and add to the score."""
    texts = [text for one in sets for text in one]
    points = np.concatenate([vectors, embed(texts)]) if texts else vectors
    names = [source for source, _ in rows] + ["upload"] * len(texts)
    snapshot = Snapshot(
        tuple(map(str, range(len(points)))),
        (*(text for _, text in rows), *texts),
        points,
        tuple(names) if known else ("",) * len(names),
        ("",) * len(names),
    )
    near = nearest(unit(points))
    search = PlantedGroups(snapshot, near, contrast(near), rate=RATE, seed=0).search()
    ranks = np.full(len(points), -1)
    for group in search.groups:
        ranks[list(group.members)] = planted_severity(group).rank
    least = (Severity.LOW.rank, Severity.MEDIUM.rank)
    honest = ranks[: len(rows)]
    score.honest.append(tuple(float((honest >= rank).mean()) for rank in least))  # type: ignore[arg-type]
    start = len(rows)
    for one in sets:
        found = ranks[start : start + len(one)]
        score.targets.append(tuple(float((found >= rank).mean()) for rank in least))  # type: ignore[arg-type]
        start += len(one)


def table(name: str, seeds: int, targets: int, cache: Path) -> None:
    """Print recall and false positives for each kind of attack."""
    rows, vectors = corpus(name, cache)
    print(f"{name}: {len(rows):,} passages of {len({source for source, _ in rows}):,} files\n")
    print(
        "| attack | sources | recall | honest entries | recall, medium and above | honest, medium and above |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for kind in ("none", *KINDS):
        for known in (True, False):
            score = Score()
            for seed in range(seeds if kind != "none" else 1):
                rng = random.Random(f"{kind} {seed}")
                sets = attacked(rows, kind, targets, rng) if kind != "none" else []
                measure(rows, vectors, sets, score, known=known)
            print(score.line(kind, "known" if known else "unknown"), flush=True)


def scale(size: int) -> None:
    """Print time and memory of the search for neighbours, and time of the groups, on clustered vectors."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(size // 20, 384))
    points = unit(
        (centres[rng.integers(0, len(centres), size)] + rng.normal(size=(size, 384))).astype(np.float32)
    )
    del centres
    words = [f"word{at}" for at in range(20_000)]
    texts = tuple(" ".join(rng.choice(words, 80)) for _ in range(size))
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
    before = memory("VmRSS")
    started = time.perf_counter()
    near = nearest(points)
    found = time.perf_counter()
    after = memory("VmHWM")
    empty = ("",) * size
    snapshot = Snapshot(tuple(map(str, range(size))), texts, points, empty, empty)
    PlantedGroups(snapshot, near, contrast(near), rate=RATE, seed=0).search()
    done = time.perf_counter()
    print(
        f"{size:,} entries of 384 numbers: neighbours {found - started:.0f} s, "
        f"{(after - before) / 1024:.0f} MB above the vectors; groups {done - found:.0f} s"
    )


def memory(name: str) -> int:
    """Kilobytes that the process has or had at most, as Linux counts them."""
    (line,) = re.findall(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", choices=("packages", "library", "manual"), default="packages")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--targets", type=int, default=10)
    parser.add_argument("--scale", type=int, default=0)
    options = parser.parse_args()
    if options.scale:
        scale(options.scale)
        return
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    table(options.corpus, options.seeds, options.targets, root / "assay-benchmarks")


if __name__ == "__main__":
    main()
