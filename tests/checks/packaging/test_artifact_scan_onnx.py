"""ONNX: what a model reaches for outside of itself is found, wherever it is nested; ordinary models pass."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import pytest

from assay.core.report import Status
from fixtures.graphs import external, message, onnx_graph, onnx_model, onnx_node, rules, tensor
from fixtures.onnx_attacks import external_data
from fixtures.scanning import scan

LOCATION = [("graph/path-leaves-folder", "high")]


@pytest.mark.parametrize("name", sorted(external_data()))
def test_external_data_is_found_wherever_it_is_nested(name: str, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(external_data()[name])
    report = scan(file)
    assert rules(report) == LOCATION, report
    assert "'../../.ssh/id_rsa'" in report.findings[0].message
    assert report.status is Status.FAIL


@pytest.mark.parametrize(
    "location",
    [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "..\\x",
        "C:\\x",
        "\\\\host\\share",
        "https://evil/x",
        "file:/x",
        "~/x",
        "a\0b",
    ],
)
def test_paths_that_leave_the_folder(location: str, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(onnx_model(onnx_graph(onnx_node(), tensors=[external(location)])))
    assert rules(scan(file)) == LOCATION


@pytest.mark.parametrize("location", ["model.onnx.data", "./weights/a..b.bin", "weight_1"])
def test_data_beside_the_model_pass(location: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    data = folder / location
    data.parent.mkdir(parents=True)
    graph = onnx_graph(
        onnx_node(), tensors=[external(location, (4,)), external(location, (2, 2), offset=4096, length=16)]
    )
    (folder / "model.onnx").write_bytes(onnx_model(graph))
    data.write_bytes(b"\1\2\3\xff" * 4 + b"\0" * 4080 + b"\xfe\0\0\0" * 4)
    report = scan(folder)
    assert report.status is Status.PASS, report
    data.write_bytes(b"\1\2\3\xff" * 4 + b"\0" * 4079 + b"!" + b"\xfe\0\0\0" * 4)
    assert scan(folder).status is Status.INCOMPLETE  # a byte that no tensor names


def test_data_that_are_missing_are_noted(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(onnx_model(onnx_graph(onnx_node(), tensors=[external("model.data")])))
    report = scan(file)
    assert report.status is Status.PASS
    assert "model.data: its tensors were not there to be examined" in report.coverage.notes


@pytest.mark.parametrize(
    "entries",
    [
        {"offset": -1}, {"length": "1e3"}, {"offset": 2**63}, {"length": 2**63}, {"length": 17},
        {"offset": 8}, {"offset": "٣"},
    ],
)  # fmt: skip
def test_ranges_that_do_not_fit(entries: dict[str, int | str], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    graph = onnx_graph(onnx_node(), tensors=[external("w.bin", (4,), **entries)])
    (folder / "model.onnx").write_bytes(onnx_model(graph))
    (folder / "w.bin").write_bytes(b"\0\1\2\3" * 4)
    assert ("graph/external-data-range", "high") in rules(scan(folder))


def test_a_claim_makes_no_code_clean(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(onnx_model(onnx_graph(onnx_node(), tensors=[external("m.pyc")])))
    (folder / "m.pyc").write_bytes(b"\xa7\x0d\x0d\x0a" + b"\0" * 12)
    assert scan(folder).status is Status.INCOMPLETE
    (folder / "model.onnx").write_bytes(onnx_model(onnx_graph(onnx_node(), tensors=[external("m.bin")])))
    (folder / "m.pyc").rename(folder / "m.bin")
    assert scan(folder).status is Status.PASS
    (folder / "m.bin").write_bytes(b"cos\nsystem\n(S'id'\ntR.".ljust(16))
    assert scan(folder).status is Status.FAIL


def test_operators(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    name = message((1, "func_name"), (4, "acme.Evil"), (20, 3))
    cases = {
        "stock": (
            [onnx_node("Relu"), onnx_node("Gelu", "com.microsoft"), onnx_node("SVM", "ai.onnx.ml")],
            [],
        ),
        "custom": ([onnx_node("Fancy", "acme")], [("graph/custom-operator", "low")]),
        "python": ([onnx_node("PythonOp", "com.microsoft", name)], [("graph/dangerous-operator", "high")]),
    }
    for case, (nodes, expected) in cases.items():
        file.write_bytes(onnx_model(onnx_graph(*nodes)))
        assert rules(scan(file)) == expected, case
    assert scan(file).findings[0].message == (
        "Running the graph calls a Python class by its name ('acme.Evil'): operator PythonOp."
    )
    function = message((1, "Fancy"), (10, "acme"), (7, onnx_node()))
    file.write_bytes(onnx_model(onnx_graph(onnx_node("Fancy", "acme")), (25, function)))
    assert scan(file).findings == ()


def test_context_of_an_accelerator(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    for path, expected in (("ctx.bin", 1), ("../ctx.bin", 2)):
        attributes = (message((1, "embed_mode"), (3, 0)), message((1, "ep_cache_context"), (4, path)))
        file.write_bytes(onnx_model(onnx_graph(onnx_node("EPContext", "com.microsoft", *attributes))))
        assert len(scan(file).findings) == expected


def test_texts_and_pickles_inside(tmp_path: Path) -> None:
    tripwire, file = tmp_path / "tripwire", tmp_path / "model.onnx"
    evil = b"cos\nsystem\n(S'touch " + bytes(tripwire) + b"'\ntR."
    for payload, status in ((pickle.dumps({"a": 1}), Status.PASS), (evil, Status.FAIL)):
        spots = (
            onnx_graph(onnx_node("A", "", message((1, "s"), (4, payload), (20, 3)))),
            onnx_graph(onnx_node(), tensors=[tensor(raw=payload, dims=(len(payload),), kind=2)]),
        )
        for graph in spots:
            file.write_bytes(onnx_model(graph))
            assert scan(file).status is status
    gadget = "{{ cycler.__init__.__globals__.os.popen('id').read() }}"
    file.write_bytes(onnx_model(None, (14, message((1, "chat_template"), (2, gadget)))))
    assert rules(scan(file)) == [("template/injection", "critical")]
    assert not tripwire.exists()


def test_inside_archives_and_beside_a_zip(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.onnx", external_data()["subgraph"])
    (tmp_path / "model.zip").write_bytes(packed.getvalue())
    assert rules(scan(tmp_path / "model.zip")) == LOCATION
    # A reader of zips takes the numbers of the last tensor for an archive.
    raw = packed.getvalue()
    (tmp_path / "model.onnx").write_bytes(
        onnx_model(onnx_graph(onnx_node(), tensors=[tensor(raw=raw, dims=(len(raw),), kind=2)]))
    )
    assert ("archive/inconsistent", "high") in rules(scan(tmp_path / "model.onnx"))


def test_no_prefix_is_clean(tmp_path: Path) -> None:
    whole = onnx_model()
    folder = tmp_path / "prefixes"
    folder.mkdir()
    for size in range(1, len(whole) + 1):
        (folder / f"{size:04d}.onnx").write_bytes(whole[:size])
    report = scan(folder)
    told = {item.what for item in report.coverage.skipped} | {f.location.path for f in report.findings}
    assert told == {f"{size:04d}.onnx" for size in range(1, len(whole))}


def test_unknown_and_wrong_fields_are_never_clean(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    for node in (message((99, b"x"), (4, "Relu")), message((4, 5)), b"\x0b\x0c", b"\x22\xff\xff\xff\xff\x0f"):
        file.write_bytes(onnx_model(onnx_graph(node)))
        assert scan(file).status is Status.INCOMPLETE
    deep = onnx_graph(onnx_node())
    for _ in range(200):
        deep = onnx_graph(onnx_node("If", "", message((1, "b"), (6, deep), (20, 5))))
    file.write_bytes(onnx_model(deep))
    assert scan(file).status is Status.INCOMPLETE


def test_a_name_that_lies(tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(onnx_model())
    assert rules(scan(file)) == [("artifact/lying-extension", "medium")]
