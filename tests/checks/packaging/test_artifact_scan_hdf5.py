"""HDF5 files: what they hold, what they lead to, what stands around them."""

from __future__ import annotations

import io
import json
import pickle
import random
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.core.report import Report, Status
from fixtures.baits import touching
from fixtures.hdf5_files import hdf5, keras_model, keras_weights
from fixtures.keras_models import archive, layer, marshalled, model, old_model
from fixtures.scanning import found
from fixtures.scanning import scan as scan_path

SIGNATURE = b"\x89HDF\r\n\x1a\n"
FOREIGN = ("hdf5/foreign-bytes", "medium")
OUTSIDE = ("hdf5/external-file", "high")
CALL = b"cos\nsystem\n(S'id'\ntR."
Scan = Callable[[bytes], Report]


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    pytest.importorskip("h5py")

    def run(content: bytes) -> Report:
        file = tmp_path / "model.h5"
        file.write_bytes(content)
        return scan_path(file)

    return run


def test_without_h5py_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)  # as Python itself marks a module that cannot be imported
    file = tmp_path / "model.h5"
    head = SIGNATURE + bytes([2, 8, 8, 0]) + bytes(8) + b"\xff" * 8 + (48).to_bytes(8, "little")
    file.write_bytes(head.ljust(48, b"\0"))
    report = scan_path(file)
    assert report.status is Status.INCOMPLETE
    (skipped,) = report.coverage.skipped
    assert skipped.reason == "HDF5 is read by h5py, which is not installed"
    assert skipped.remedy == "pip install 'assay-llm[hdf5]'"


@pytest.mark.parametrize(
    "content", [b"....", bytes([9]), bytes([0]), bytes([2, 8, 8]), bytes([2, 3]) + bytes(90)]
)
def test_broken_superblock_is_never_clean(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(SIGNATURE + content)
    assert scan_path(tmp_path / "file").status is Status.INCOMPLETE


BENIGN: dict[str, Callable[[], bytes]] = {
    "weights": lambda: hdf5(keras_weights),
    "model": lambda: hdf5(keras_model(old_model())),
    "model of Keras 3": lambda: hdf5(keras_model(model())),
    "newest layout": lambda: hdf5(keras_model(old_model()), libver="latest"),
    "empty user block": lambda: hdf5(keras_weights, userblock_size=2048),
    "zeros at the end": lambda: hdf5(keras_weights) + bytes(4096),
    "numbers only": lambda: hdf5(lambda file: file.create_dataset("x", data=np.arange(5.0))),
    "words": lambda: hdf5(lambda file: file.create_dataset("x", data=["a", "os.system"])),
    "scalars": lambda: hdf5(lambda file: file.attrs.update({"a": 1, "b": True, "c": "3.15.1", "d": b"end."})),
    "references": lambda: hdf5(_references),
    "a cycle": lambda: hdf5(_cycle),
    "virtual within the file": lambda: hdf5(lambda file: _virtual(file, ".")),
    "pickled settings": lambda: hdf5(lambda file: _opaque(file, pickle.dumps({"a": [1, 2]}, 0))),
}


def _references(file: Any) -> None:
    file["x"] = np.zeros(3, dtype=[("n", "i4"), ("text", "S3")])
    file["r"] = file["x"].ref
    file["named"] = np.dtype("f4")


def _cycle(file: Any) -> None:
    group = file.create_group("a/b")
    group["back"] = file["a"]
    group["root"] = file["/"]


def _virtual(file: Any, source: str) -> None:
    h5py = pytest.importorskip("h5py")
    file["source"] = np.arange(10)
    layout = h5py.VirtualLayout((10,), "i8")
    layout[:] = h5py.VirtualSource(source, "source", (10,))
    file.create_virtual_dataset("whole", layout)


def _opaque(file: Any, value: bytes) -> None:
    file.attrs["settings"] = np.bytes_(value)


@pytest.mark.parametrize("name", sorted(BENIGN))
def test_benign_file_passes(name: str, scan: Scan) -> None:
    report = scan(BENIGN[name]())
    assert (report.status, report.findings) == (Status.PASS, ()), report


def test_lambda_in_a_model_configuration(tmp_path: Path, scan: Scan) -> None:
    tripwire = tmp_path / "tripwire"
    config = {
        "name": "l",
        "function": [marshalled(touching(tripwire)), None, None],
        "function_type": "lambda",
    }
    report = scan(hdf5(keras_model(old_model({"class_name": "Lambda", "config": config}))))
    (finding,) = report.findings
    assert (finding.rule, finding.severity.value) == ("keras/lambda", "critical")
    assert finding.location.member == "@model_config"
    assert finding.location.name == "config.layers[2].config"
    assert not tripwire.exists()


def test_loss_in_a_training_configuration_of_a_nested_group(scan: Scan) -> None:
    evil = {"loss": {"module": "os", "class_name": "function", "config": "system", "registered_name": "x"}}

    def fill(file: Any) -> None:
        file.create_group("a/b").attrs["training_config"] = json.dumps(evil)

    (finding,) = scan(hdf5(fill)).findings
    assert finding.rule == "keras/dangerous-reference"
    assert finding.location.member == "a/b@training_config"


def test_large_configuration_is_read_whole(scan: Scan) -> None:
    evil = {"class_name": "system", "module": "os", "config": {}}
    layers = [layer("Dense", {"name": f"dense_{at}", "note": "x" * 200}) for at in range(3_000)]
    assert scan(hdf5(keras_model(model(*layers)))).status is Status.PASS
    assert scan(hdf5(keras_model(model(*layers, evil)))).status is Status.FAIL


def test_configuration_nested_too_deeply_is_not_clean(scan: Scan) -> None:
    text = '{"class_name":' + "[" * 100_000 + "]" * 100_000 + "}"
    assert scan(hdf5(lambda file: file.attrs.update({"model_config": text}))).status is Status.INCOMPLETE


def test_other_files_are_told_and_never_read(tmp_path: Path, scan: Scan) -> None:
    h5py = pytest.importorskip("h5py")
    secret = tmp_path / "secret.h5"
    secret.write_bytes(hdf5(lambda file: file.attrs.update({"model_config": "{{ cycler.__init__ }}"})))

    def link(file: Any) -> None:
        file["model_weights"] = h5py.ExternalLink(str(secret), "/")

    def storage(file: Any) -> None:
        file.create_dataset("kernel", (4,), "f4", external=[("/etc/passwd", 0, 16)])

    def words(file: Any) -> None:
        file.create_dataset("words", (1,), "S16", external=[(str(secret), 0, 16)])

    for fill in (link, storage, words, lambda file: _virtual(file, str(secret))):
        assert found(scan(hdf5(fill))) == {OUTSIDE}
    (finding,) = scan(hdf5(storage)).findings
    assert finding.message == "The data of '/kernel' lie in the file '/etc/passwd'."
    assert finding.location.name == "/kernel"


def test_soft_link_is_noted(scan: Scan) -> None:
    h5py = pytest.importorskip("h5py")
    report = scan(hdf5(lambda file: file.update({"a": h5py.SoftLink("/b")})))
    assert (report.status, found(report)) == (Status.PASS, {("hdf5/soft-link", "low")})


@pytest.mark.parametrize(("number", "severity"), [(32_001, "low"), (40_000, "medium")])
def test_filter_plugins(number: int, severity: str, scan: Scan) -> None:
    h5py = pytest.importorskip("h5py")

    def fill(file: Any) -> None:
        made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        made.set_chunk((4,))
        made.set_filter(number, h5py.h5z.FLAG_OPTIONAL, (1,))
        space = h5py.h5s.create_simple((8,))
        h5py.h5d.create(file.id, b"x", h5py.h5t.NATIVE_INT32, space, made)

    assert found(scan(hdf5(fill))) == {("hdf5/filter-plugin", severity)}


def test_shape_bomb(scan: Scan) -> None:
    bomb = hdf5(lambda file: file.create_dataset("x", (1 << 40,), "f4", chunks=(1024,)))
    assert found(scan(bomb)) == {("hdf5/shape-bomb", "medium")}
    small = hdf5(lambda file: file.create_dataset("x", (1 << 20,), "f4", chunks=(1024,)))
    assert found(scan(small)) == set()


def test_what_stands_around_the_file_is_examined(scan: Scan) -> None:
    good = hdf5(keras_weights)
    behind = hdf5(keras_weights, userblock_size=512)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        zipped.writestr("x.pkl", b"\x80\x02" + CALL)
    evil = ("pickle/dangerous-global", "critical")
    assert found(scan(good + b"\x80\x02" + CALL)) >= {FOREIGN, evil}
    assert found(scan(good + packed.getvalue())) >= {FOREIGN, evil}
    assert found(scan((b"\x80\x02" + CALL).ljust(512, b"\0") + behind[512:])) >= {FOREIGN, evil}
    assert scan(b"#!/bin/sh\nid\n".ljust(512, b"\0") + behind[512:]).status is Status.FAIL
    report = scan(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + behind[512:])
    assert (report.status, found(report)) == (Status.PASS, {("hdf5/foreign-bytes", "info")})


def test_pickles_that_pytables_would_load(scan: Scan) -> None:
    h5py = pytest.importorskip("h5py")

    def rows(file: Any) -> None:
        held = file.create_dataset("rows", (2,), dtype=h5py.vlen_dtype(np.uint8))
        held[0] = np.frombuffer(pickle.dumps([1]), np.uint8)
        held[1] = np.frombuffer(CALL, np.uint8)

    for fill in (
        rows,
        lambda file: _opaque(file, CALL),
        lambda file: file.attrs.update({"v": np.void(CALL)}),
    ):
        assert ("pickle/dangerous-global", "critical") in found(scan(hdf5(fill)))


def _bytes(value: bytes) -> Any:
    return np.frombuffer(value, np.uint8)


def _tables(value: bytes) -> dict[str, Any]:
    opaque, nested = f"V{len(value)}", np.dtype([("deep", f"V{len(value)}")])
    numbers = np.zeros(3, [("a", "i4"), ("b", "u1", len(value))])
    numbers["b"][2] = _bytes(value)
    return {
        "opaque": np.array([(1, b""), (2, value)], [("a", "i4"), ("b", opaque)]),
        "nested": np.array([(1, (value,))], [("a", "i4"), ("b", nested)]),
        "string": np.array([(1, value)], [("a", "i4"), ("b", f"S{len(value)}")]),
        "numbers": numbers,
    }


def _packed(value: bytes) -> dict[str, Callable[[Any], object]]:
    """Ways to keep bytes in numbers and tables."""
    large = np.concatenate([_bytes(value), np.zeros(5 << 20, np.uint8)])
    rows = np.zeros((3, len(value) + 20), np.uint8)
    rows[2, : len(value)] = _bytes(value)
    square = np.resize(np.append(_bytes(value), np.zeros(64, np.uint8)), (4, (len(value) + 64) // 4))
    made: dict[str, Callable[[Any], object]] = {
        "dataset": lambda file: file.create_dataset("x", data=_bytes(value)),
        "signed": lambda file: file.create_dataset("x", data=_bytes(value).view("i1")),
        "packed": lambda file: file.create_dataset("x", data=_bytes(value), compression="gzip"),
        "attribute": lambda file: file.attrs.update({"x": _bytes(value)}),
        "large": lambda file: file.create_dataset("x", data=large, compression="gzip"),
        "large, of several axes": lambda file: file.create_dataset(
            "x", data=large[: 5 << 20].reshape(5, 1024, -1)
        ),
        "row": lambda file: file.create_dataset("x", data=rows),
        "rows of a type": lambda file: _array_type(file, rows),
        "several axes": lambda file: file.create_dataset("x", data=square),
    }
    for name, table in _tables(value).items():
        made[f"table: {name}"] = partial(_dataset, table)
        made[f"attribute: {name}"] = partial(_attribute, table)
    return made


def _dataset(value: Any, file: Any) -> None:
    file.create_dataset("x", data=value)


def _attribute(value: Any, file: Any) -> None:
    file.attrs["x"] = value


def _array_type(file: Any, rows: Any) -> None:
    held = file.create_dataset("x", rows.shape[:1], dtype=np.dtype(("u1", rows.shape[1:])))
    held[...] = rows


WAYS = tuple(_packed(b"x" * 24))
ATTACKS = {
    "protocol 4": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.",
    "no protocol": b"\x8c\x02os\x94\x8c\x06system\x93\x8c\x02id\x85R.",
    "protocol 0": CALL,
    "protocol 0, later": b"(lp0\nI1\na0" + CALL,
}


@pytest.mark.parametrize(
    ("attack", "way"),
    # Rows are told by the protocol that they start with.
    [(attack, way) for attack in ATTACKS for way in WAYS if attack == "protocol 4" or "row" not in way],
)
def test_pickles_in_numbers_and_tables(attack: str, way: str, scan: Scan) -> None:
    report = scan(hdf5(_packed(ATTACKS[attack])[way]))
    assert ("pickle/dangerous-global", "critical") in found(report), report


@pytest.mark.parametrize("way", WAYS)
def test_harmless_bytes_in_numbers_and_tables(way: str, scan: Scan) -> None:
    rng = np.random.default_rng(0)
    for value in (pickle.dumps({"a": [1, 2.5]}), b"plain words. " * 4, bytes(40), rng.bytes(4000)):
        report = scan(hdf5(_packed(value)[way]))
        assert report.status is Status.PASS, (report.findings, report.coverage.skipped)


def test_pictures_and_tables_pass(scan: Scan) -> None:
    rng = np.random.default_rng(0)

    def fill(file: Any) -> None:
        file.create_dataset("x", data=rng.integers(0, 256, (4000, 32, 32), np.uint8))
        file.create_dataset("y", data=rng.integers(0, 10, 4000, np.uint8), chunks=(100,), compression="gzip")
        file.create_dataset("z", data=rng.integers(0, 256, (40_000, 16), np.uint8), compression="lzf")
        table = np.zeros(500_000, [("name", "S80"), ("value", "f8")])
        table["name"] = b"a name of something. " * 3
        file.create_dataset("table", data=table, compression="gzip")
        file.create_dataset("empty", (0, 3), "u1")
        file.create_dataset("claims", (1 << 24,), "u1", chunks=(1 << 20,))

    report = scan(hdf5(fill))
    assert report.status is Status.PASS, (report.findings, report.coverage.skipped)


def test_more_opaque_bytes_than_are_read_are_never_clean(scan: Scan) -> None:
    table = np.zeros(40, [("a", "i4"), ("b", f"V{1 << 20}")])
    report = scan(hdf5(lambda file: file.create_dataset("x", data=table, compression="gzip")))
    assert report.status is Status.INCOMPLETE
    chunk = (1 << 28) + 1
    report = scan(
        hdf5(lambda file: file.create_dataset("x", (chunk,), "u1", chunks=(chunk,), compression="gzip"))
    )
    assert report.status is Status.INCOMPLETE


def test_templates_in_attributes_and_names(scan: Scan) -> None:
    evil = "{{ cycler.__init__.__globals__.os.popen('id').read() }}"
    for fill in (
        lambda file: file.attrs.update({"chat_template": evil}),
        lambda file: file.attrs.update({"layer_names": [b"dense", evil.encode()]}),
        lambda file: file.create_dataset("t", data=[evil, "b"]),
        lambda file: file.create_dataset("t", data=np.zeros(1, dtype=[(evil, "i4")])),
    ):
        assert ("template/injection", "critical") in found(scan(hdf5(fill)))


def test_more_text_than_is_read_is_not_clean(scan: Scan) -> None:
    wide = np.zeros(40, "S1000000")
    assert scan(hdf5(lambda file: file.create_dataset("t", data=wide, compression="gzip"))).status is (
        Status.INCOMPLETE
    )


def test_keras_archive_with_weights(tmp_path: Path, scan: Scan) -> None:
    h5py = pytest.importorskip("h5py")
    file = tmp_path / "model.keras"
    file.write_bytes(archive(model(), hdf5(keras_weights), vocabulary="the\ncat"))
    report = scan_path(file)
    assert (report.status, report.findings) == (Status.PASS, ()), report
    linked = hdf5(lambda held: held.update({"layers": h5py.ExternalLink("/etc/x.h5", "/")}))
    file.write_bytes(archive(model(), linked))
    (finding,) = scan_path(file).findings
    assert (finding.rule, finding.location.member) == ("hdf5/external-file", "model.weights.h5")
    assert scan(hdf5(keras_weights)).status is Status.PASS


@pytest.mark.parametrize("layout", ["earliest", "latest"])
def test_no_truncation_is_clean(layout: str, scan: Scan) -> None:
    whole = hdf5(keras_model(old_model()), libver=layout)
    for length in [*range(1, len(whole), len(whole) // 20), len(whole) - 1]:
        assert scan(whole[:length]).status is not Status.PASS, length


def test_damaged_bytes_never_raise(scan: Scan) -> None:
    whole = hdf5(keras_model(old_model()))
    choose = random.Random(3)
    for _ in range(30):
        damaged = bytearray(whole)
        for _ in range(choose.randint(1, 8)):
            damaged[choose.randrange(len(damaged))] = choose.randrange(256)
        assert scan(bytes(damaged)).status in {Status.PASS, Status.INCOMPLETE, Status.FAIL}
