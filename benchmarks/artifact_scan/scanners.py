"""The scanners that are compared: how each is installed, called, and understood."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any


class Verdict(Enum):
    """What a scanner says of a file."""

    FLAGGED = "flagged"
    CLEAN = "clean"
    UNEXAMINED = "not examined"  # an error, a format it does not know, a file it skips, or no end in time


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call gave back; `code` is None where it did not end in time."""

    code: int | None
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Scanner:
    """One of them, with the settings that find most.

    Attributes:
        name, version: of the distribution.
        requirements: for pip.
        entry: module and function of its command.
        options: of the command, before the path.
        read: what an answer means.
        apart: whether it is only ever started as a program of its own.
        mode: what its settings are called where it is compared with several.
    """

    name: str
    version: str
    requirements: Sequence[str]
    entry: str
    options: Sequence[str]
    read: Callable[[Answer], Verdict]
    apart: bool = False
    mode: str = ""

    @property
    def label(self) -> str:
        """Its name, and which of several settings."""
        return f"{self.name} {self.mode}".strip()

    def python(self, cache: Path) -> Path:
        """Its own interpreter."""
        return cache / f"{self.name}-{self.version}" / "bin" / "python"

    def command(self, cache: Path, path: Path) -> list[str]:
        """The whole process that scans `path`."""
        return [str(self.python(cache).with_name(self.name)), *self.options, str(path)]

    def install(self, cache: Path) -> None:
        """Make its environment where there is none."""
        python = self.python(cache)
        if python.with_name(self.name).exists():
            return
        print(f"installing {self.name} {self.version}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *self.requirements], check=True)


@dataclass(frozen=True, slots=True)
class Assay(Scanner):
    """This project: it runs where this script runs."""

    def python(self, cache: Path) -> Path:
        """The interpreter of this script."""
        del cache
        return Path(sys.executable)

    def install(self, cache: Path) -> None:
        """It is installed already."""


def environment() -> dict[str, str]:
    """Nothing is sent anywhere, and TensorFlow keeps its logs to itself."""
    quiet = {
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "NO_ANALYTICS": "1",
        "DO_NOT_TRACK": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    return {**os.environ, **quiet}


def _document(text: str) -> Any:
    """The JSON object in what was printed, None where there is none."""
    start = text.find("{")
    try:
        # rich folds long lines within strings; strict JSON would refuse the line breaks.
        return json.JSONDecoder(strict=False).raw_decode(text[start:])[0] if start >= 0 else None
    except ValueError:
        return None


def _assay(answer: Answer) -> Verdict:
    document = _document(answer.stdout)
    status = {report["status"] for report in document["reports"]} if document else set()
    if "fail" in status:
        return Verdict.FLAGGED
    return Verdict.CLEAN if status == {"pass"} else Verdict.UNEXAMINED


def _picklescan(answer: Answer) -> Verdict:
    """Exit code 1 is a dangerous global, 2 an error; what is no pickle to it ends with 0 and a warning."""
    if answer.code == 1 or re.search(r"^Dangerous globals: [1-9]", answer.stdout, re.MULTILINE):
        return Verdict.FLAGGED
    told = answer.stdout + answer.stderr
    partly = re.search(r"could not parse|^Scanned files: 0|Invalid PyTorch magic|^ERROR", told, re.MULTILINE)
    return Verdict.UNEXAMINED if partly or answer.code != 0 else Verdict.CLEAN


def _modelscan(answer: Answer) -> Verdict:
    document = _document(answer.stdout)
    if document is None:
        return Verdict.UNEXAMINED
    if document["issues"]:
        return Verdict.FLAGGED
    summary = document["summary"]
    whole = summary["scanned"]["total_scanned"] and not document["errors"]
    return Verdict.CLEAN if whole and not summary["skipped"]["total_skipped"] else Verdict.UNEXAMINED


def _fickling(answer: Answer) -> Verdict:
    """Exit code 1 is unsafe, or an exception of its own, or only says "invalid opcode(s)"; 2 is an error."""
    if answer.code == 0:
        return Verdict.CLEAN
    told = [line for line in answer.stdout.splitlines() if line.strip() and "invalid opcode(s)" not in line]
    crashed = "Traceback (most recent call last)" in answer.stderr
    return Verdict.FLAGGED if answer.code == 1 and told and not crashed else Verdict.UNEXAMINED


def _modelaudit(answer: Answer) -> Verdict:
    """A warning or worse counts, whatever else went wrong; exit code 2 is an error or inconclusive."""
    document = _document(answer.stdout)
    if document is None:
        return Verdict.UNEXAMINED
    if any(issue["severity"] in {"warning", "critical"} for issue in document["issues"]):
        return Verdict.FLAGGED
    return Verdict.CLEAN if answer.code == 0 else Verdict.UNEXAMINED


_EXTRAS = "dill,flax,h5,joblib,onnx,safetensors,sevenzip,tflite,xgboost"
# numpy 2.3 took away what picklescan and modelscan call to read arrays of objects.
_PICKLESCAN = ("picklescan[7z]==1.0.5", "numpy<2.3")
_QUIET = ("scan", "--strict", "--no-cache", "-q", "-f", "json")
SCANNERS: tuple[Scanner, ...] = (
    Assay("assay", "", (), "assay.cli:main", ("scan", "--no-cache", "--no-progress", "-f", "json"), _assay),
    Scanner("picklescan", "1.0.5", _PICKLESCAN, "picklescan.cli:main", ("-p",), _picklescan),
    Scanner(
        "picklescan", "1.0.5", _PICKLESCAN, "picklescan.cli:main", ("--strict", "-p"), _picklescan,
        mode="--strict",
    ),
    Scanner(
        "modelscan", "0.8.8", ("modelscan[h5py,tensorflow]==0.8.8", "numpy<2.3"), "modelscan.cli:main",
        ("scan", "-r", "json", "--show-skipped", "-p"), _modelscan,
    ),
    # Below Python 3.12 it needs typing_extensions and does not say so.
    Scanner(
        "fickling", "0.1.12", ("fickling[archive]==0.1.12", "typing_extensions"), "",
        ("--check-safety", "-p", "--json-output", os.devnull), _fickling, apart=True,
    ),
    Scanner(
        "modelaudit", "0.2.54", (f"modelaudit[{_EXTRAS}]==0.2.54",), "modelaudit.cli:main", _QUIET,
        _modelaudit,
    ),
)  # fmt: skip
