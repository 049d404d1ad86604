"""TensorFlow: operators that reach files and Python are found; what every saved model has is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.core.report import Report, Status
from fixtures.graphs import (
    checkpoint_index,
    graph_def,
    message,
    onnx_graph,
    onnx_model,
    onnx_node,
    rules,
    saved_model,
    tf_constant,
    tf_function,
    tf_node,
)
from fixtures.scanning import scan

DANGEROUS = "graph/dangerous-operator"
PATH = "graph/path-leaves-folder"
SAVER = (
    tf_node("saver_filename", "Placeholder"),
    tf_constant("suffix", "_temp/part"),
    tf_node("join", "StringJoin", ["saver_filename", "suffix"]),
    tf_node("sharded", "ShardedFilename", ["join", "shard", "count"]),
    tf_constant("names", "../not/a/path"),
    tf_node("save", "SaveV2", ["sharded", "names", "slices", "v"]),
    tf_node("merge", "MergeV2Checkpoints", ["sharded", "saver_filename"]),
    tf_node("restore", "RestoreV2", ["saver_filename", "names", "slices"]),
    tf_node("print", "PrintV2", ["v"], output_stream=message((2, "stderr"))),
)


def _scan(tmp_path: Path, content: bytes, name: str = "saved_model.pb") -> Report:
    (tmp_path / name).write_bytes(content)
    return scan(tmp_path / name)


def test_what_every_saved_model_has_passes(tmp_path: Path) -> None:
    report = _scan(tmp_path, saved_model(graph_def(*SAVER)))
    assert (report.status, report.findings) == (Status.PASS, ())


@pytest.mark.parametrize(
    ("kind", "severity"),
    [("ReadFile", "high"), ("WriteFile", "critical"), ("MatchingFiles", "medium"), ("PyFunc", "high"),
     ("PyFuncStateless", "high"), ("EagerPyFunc", "high"), ("RpcCall", "high"), ("SqlDataset", "high"),
     ("ImmutableConst", "high"), ("TFRecordReaderV2", "high"), ("ConfigureDistributedTPU", "medium")],
)  # fmt: skip
def test_operators_in_graph_and_library(kind: str, severity: str, tmp_path: Path) -> None:
    node = tf_node("n", kind, ["p"])
    spots = (
        saved_model(graph_def(tf_node("p", "Placeholder"), node)),
        saved_model(graph_def(tf_node("p", "Placeholder"), functions=[tf_function("f", ["p"], node)])),
        saved_model(graph_def(*SAVER)) + message((2, message((1, message((5, "2"))), (2, graph_def(node))))),
    )
    for content in spots:
        report = _scan(tmp_path, content)
        assert rules(report) == [(DANGEROUS, severity)]
        assert report.status is Status.FAIL
    report = _scan(tmp_path, graph_def(tf_node("p", "Placeholder"), node), "frozen.pb")
    assert rules(report) == [(DANGEROUS, severity)]


def test_finding_names_the_path_and_the_node(tmp_path: Path) -> None:
    body = tf_function("f", [], tf_constant("c", "/etc/passwd"), tf_node("r", "ReadFile", ["c:output:0"]))
    (finding,) = _scan(tmp_path, saved_model(graph_def(*SAVER, functions=[body]))).findings
    assert finding.message == (
        "Running the graph reads any file that the process may read ('/etc/passwd'): "
        "operator ReadFile, node 'r'."
    )
    assert finding.location.name == "f/r"


@pytest.mark.parametrize(
    "path", ["/root/.ssh/authorized_keys", "../../x", "gs://bucket/x", "C:\\x", "~/.bashrc"]
)
@pytest.mark.parametrize("passed", [False, True])
def test_checkpoints_written_elsewhere(path: str, passed: bool, tmp_path: Path) -> None:
    constant = tf_constant("c", path)
    saves = tf_node("s", "SaveV2", ["c", "n", "l", "v"])
    if passed:
        inner = tf_function("f", ["other", "c"], saves)
        call = message((10, message((1, "f"))))
        content = graph_def(
            constant, tf_node("call", "StatefulPartitionedCall", ["v", "c"], f=call), functions=[inner]
        )
    else:
        content = graph_def(constant, saves)
    assert rules(_scan(tmp_path, saved_model(content))) == [(PATH, "high")]


@pytest.mark.parametrize(
    ("path", "given", "clean"),
    [
        ("assets/vocab.txt", "i", True), ("assets/../../etc/passwd", "i", False), ("/etc/passwd", "i", False),
        ("assets/vocab.txt", "j", False), ("assets/vocab.txt", "p", False),
    ],
)  # fmt: skip
def test_files_read_at_constant_paths_of_assets(path: str, given: str, clean: bool, tmp_path: Path) -> None:
    nodes = (
        tf_constant("c", path), tf_node("p", "Placeholder"), tf_node("i", "Identity", ["c"]),
        tf_node("j", "StringJoin", ["c", "p"]), tf_node("r", "ReadFile", [given, "^p"]),
    )  # fmt: skip
    report = _scan(tmp_path, saved_model(graph_def(*nodes)))
    assert rules(report) == ([] if clean else [(DANGEROUS, "high")])


def test_tables_read_assets_only(tmp_path: Path) -> None:
    nodes = (tf_constant("c", "/build/vocab.txt"), tf_node("t", "InitializeTableFromTextFileV2", ["h", "c"]))
    asset = message((1, message((1, "c:0"))), (2, "vocab.txt"))
    kept = message((1, "type.googleapis.com/tensorflow.AssetFileDef"), (2, asset))
    collection = message((1, "saved_model_assets"), (2, message((5, message((1, kept))))))
    cases: dict[str, tuple[list[tuple[int, bytes]], list[tuple[str, str]]]] = {
        "asset": ([(6, asset)], []),
        "asset of TensorFlow 1": ([(4, collection)], []),
        "no asset": ([], [(PATH, "medium")]),
        "asset that climbs": ([(6, asset.replace(b"vocab.txt", b"../v..txt"))], [(PATH, "high")]),
    }
    for name, (extra, expected) in cases.items():
        assert rules(_scan(tmp_path, saved_model(graph_def(*nodes), *extra))) == expected, name


def test_streams_and_debuggers_that_write_files(tmp_path: Path) -> None:
    urls = message((1, message((2, "file:///tmp/dump"))))
    for node in (
        tf_node("p", "PrintV2", ["v"], output_stream=message((2, "file:///tmp/x"))),
        tf_node("d", "DebugIdentityV2", ["v"], debug_urls=urls),
    ):
        assert rules(_scan(tmp_path, graph_def(node), "g.pb")) == [(DANGEROUS, "high")]
    assert _scan(tmp_path, graph_def(tf_node("d", "DebugIdentityV2", ["v"])), "g.pb").findings == ()


def test_custom_operators_are_named(tmp_path: Path) -> None:
    own = tf_function("__forward_f", [], tf_node("i", "Identity"))
    content = graph_def(tf_node("a", "AcmeOp"), tf_node("b", "__forward_f"), functions=[own])
    report = _scan(tmp_path, content, "g.pb")
    assert rules(report) == [("graph/custom-operator", "low")]
    assert report.status is Status.PASS


def test_metadata_of_keras_are_judged_as_documents(tmp_path: Path) -> None:
    for value, status in ((None, Status.PASS), ({"AutoModel": "evil.Evil"}, Status.FAIL)):
        text = json.dumps({"class_name": "Sequential", **({"auto_map": value} if value else {})})
        node = message((2, 0), (3, "root"), (4, "_tf_keras_sequential"), (5, text))
        assert _scan(tmp_path, message((1, node)), "keras_metadata.pb").status is status
        user = message((4, message((1, "_tf_keras_model"), (3, text))))
        content = saved_model(graph_def(*SAVER), (7, message((1, user))))
        assert _scan(tmp_path, content).status is status
    broken = message((1, message((2, 0), (3, "root"), (4, "x"), (5, "{"))))
    assert _scan(tmp_path, broken, "keras_metadata.pb").status is Status.INCOMPLETE


def test_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "variables"
    folder.mkdir()
    index, data = folder / "variables.index", folder / "variables.data-00000-of-00001"
    index.write_bytes(checkpoint_index({"a": (0, 16), "b": (16, 8)}))
    data.write_bytes(b"\0\1\2\xff" * 6)
    report = scan(folder)
    assert report.status is Status.PASS, report
    data.write_bytes(b"\0\1\2\xff" * 7)
    assert scan(folder).status is Status.INCOMPLETE
    data.write_bytes(b"\0\1\2\xff" * 5)
    assert ("graph/external-data-range", "high") in rules(scan(folder))
    whole = index.read_bytes()
    data.unlink()
    for broken in (b"junk" + whole, whole[:4] + b"\0" + whole[4:], whole[:60] + whole[61:]):
        index.write_bytes(broken)
        assert scan(folder).status is Status.INCOMPLETE


def test_fingerprint(tmp_path: Path) -> None:
    content = message(*((field, 2**63 + field) for field in range(1, 6)), (6, message((1, 1))))
    assert _scan(tmp_path, content, "fingerprint.pb").status is Status.PASS


def test_one_file_that_is_two_models(tmp_path: Path) -> None:
    evil = message((1, message((5, "2"))), (2, graph_def(tf_node("r", "ReadFile", ["p"]))))
    disguised = message((1, 1), (2, evil), (7, onnx_graph(onnx_node())))
    for name in ("saved_model.pb", "model.onnx"):
        report = _scan(tmp_path, disguised, name)
        assert ("graph/ambiguous", "high") in rules(report)
    assert _scan(tmp_path, onnx_model(), "model.onnx").findings == ()


def test_no_prefix_is_clean(tmp_path: Path) -> None:
    whole = saved_model(graph_def(*SAVER))
    folder = tmp_path / "prefixes"
    folder.mkdir()
    for size in range(1, len(whole)):
        (folder / f"{size:04d}.pb").write_bytes(whole[:size])
    report = scan(folder)
    told = {item.what for item in report.coverage.skipped} | {f.location.path for f in report.findings}
    assert told == {f"{size:04d}.pb" for size in range(1, len(whole))}


@pytest.mark.parametrize(("kind", "rules"), [("WriteFile", 1), ("Identity", 0)])
def test_a_saved_model_of_nothing_but_nodes_is_one_to_its_loader(
    kind: str, rules: int, tmp_path: Path
) -> None:
    """No version, no list of operators, no functions: a loader asks for none of them."""
    graph = message((1, tf_constant("c", "/tmp/x")), (1, tf_node("n", kind, ["c", "c"])))
    bare = message((1, 1), (2, message((1, message((4, "serve"))), (2, graph))))
    (tmp_path / "saved_model.pb").write_bytes(bare)
    report = scan(tmp_path)
    assert report.details["files"] == [{"file": "saved_model.pb", "format": "tf-savedmodel"}]
    assert len(report.findings) == rules
