"""Where one loader fails a second one runs: a file is judged as every loader that could take it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.core.report import Status
from fixtures import seven_zip
from fixtures.archives import real_tar, real_zip
from fixtures.opcodes import PROTO_2, STOP, call, system
from fixtures.scanning import rules_of, scan_bytes

EVIL = PROTO_2 + system("id") + STOP
FINE = PROTO_2 + call("collections.OrderedDict") + STOP
DANGEROUS, LYING = "pickle/dangerous-global", "artifact/lying-extension"


def _safetensors(pickled: bytes) -> bytes:
    header = json.dumps({"a": {"dtype": "U8", "shape": [len(pickled)], "data_offsets": [0, len(pickled)]}})
    return len(header).to_bytes(8, "little") + header.encode() + pickled


def _npz(pickled: bytes) -> bytes:
    head = repr({"descr": "|O", "fortran_order": False, "shape": (1,)}).encode().ljust(117) + b"\n"
    return real_zip(("a.npy", b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head + pickled))


def _whole_array() -> bytes:
    """What numpy pickles for an array of objects."""
    return np.array([None], dtype=object).dumps()


# The file's name, what is made of a pickle, and whether the name tells the truth.
FALLBACKS: dict[str, tuple[str, Callable[[bytes], bytes], bool]] = {
    "numpy falls back to a pickle": ("a.npy", lambda pickled: pickled, False),
    "numpy takes arrays out of a zip": ("a.npz", _npz, True),
    "torch falls back from zip to legacy": ("a.pt", lambda pickled: pickled, True),
    "torch takes a tar": ("a.pt", lambda pickled: real_tar(("pickle", pickled)), False),
    "joblib falls back to a plain pickle": ("a.joblib", lambda pickled: pickled, True),
    "joblib unpacks first": ("a.joblib", gzip.compress, True),
    "keras takes a zip that is named h5": ("a.h5", lambda pickled: real_zip(("m.pkl", pickled)), False),
    "a 7z in place of a zip": ("a.pt", lambda pickled: seven_zip.write([("data.pkl", pickled)]), False),
    "a zip by the name of safetensors": ("a.safetensors", lambda pickled: real_zip(("m", pickled)), False),
    "a pickle by the name of JSON": ("config.json", lambda pickled: pickled, False),
    "a pickle by the name of a table": ("a.csv", lambda pickled: pickled, False),
    "a pickle by no name": ("weights", lambda pickled: pickled, True),
}


@pytest.mark.parametrize("name", FALLBACKS)
def test_every_loader_counts(name: str, tmp_path: Path) -> None:
    file, make, _ = FALLBACKS[name]
    assert DANGEROUS in rules_of(scan_bytes(tmp_path, file, make(EVIL)))


@pytest.mark.parametrize("name", FALLBACKS)
def test_twin_is_told_for_its_name_alone(name: str, tmp_path: Path) -> None:
    file, make, honest = FALLBACKS[name]
    pickled = _whole_array() if file.endswith(".npz") else FINE
    report = scan_bytes(tmp_path, file, make(pickled))
    assert rules_of(report) <= (set() if honest else {LYING}), report
    assert report.coverage.skipped == ()


def test_bytes_of_two_formats_are_judged_as_both(tmp_path: Path) -> None:
    """A pickle with a zip behind it: torch opens the zip, a plain unpickler stops before it."""
    for front, back in ((EVIL, FINE), (FINE, EVIL)):
        both = front + real_zip(("archive/data.pkl", back))
        assert DANGEROUS in rules_of(scan_bytes(tmp_path, "a.pt", both))
    assert scan_bytes(tmp_path, "a.pt", _safetensors(FINE)).status is not Status.PASS  # by its name a pickle
    assert scan_bytes(tmp_path, "a.safetensors", _safetensors(FINE)).status is Status.PASS


@pytest.mark.parametrize("magic", [b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"], ids=["rar4", "rar5"])
def test_a_rar_in_place_of_a_zip_is_not_clean(magic: bytes, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "a.pt", magic + bytes(64))
    assert report.status is not Status.PASS
    assert any("rar" in skipped.reason for skipped in report.coverage.skipped)
