"""PyTorch's containers: TorchScript archives, exported graphs, the tars of 0.1; real ones pass."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.core.report import Status
from fixtures.archives import real_tar, real_zip
from fixtures.scanning import formats_of, rules_of, scan, scan_bytes
from fixtures.torch_zip import state_dict_pickle

CALL = b"cos\nsystem\n(S'id'\ntR."
FILES, DANGEROUS = "torchscript/file-access", "pickle/dangerous-global"
CLASS = (
    "class M(Module):\n  __parameters__ = []\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n"
)
# What `torch.jit.save` writes: one object of the archive's own class.
OBJECT = b"\x80\x02c__torch__\nM\n)\x81}X\x08\x00\x00\x00training\x88sb."


def _torchscript(body: str, data: bytes = OBJECT, **more: bytes) -> bytes:
    members = {
        "m/data.pkl": data, "m/constants.pkl": b"\x80\x02).", "m/version": b"3\n",
        "m/code/__torch__.py": (CLASS + body).encode(),
    }  # fmt: skip
    return real_zip(*members.items(), *more.items(), method=zipfile.ZIP_DEFLATED)


BENIGN = {
    "operators": "    return torch.relu(torch.add(x, 1.))\n",
    "raise": '    ops.prim.RaiseException("torch.save(x)", "builtins.ValueError")\n    return x\n',
    "a text and a comment": "    y = \"ops.aten.save\" # torch.from_file('x')\n    return x\n",
    "own method": '    return (self.save).forward(x, "a")\n',
}
ATTACKS = {
    "save": '    torch.save(x, "/home/user/.bashrc")\n    return x\n',
    "operator": '    ops.aten.save(x, "f")\n    return x\n',
    "from_file": '    return torch.from_file("/etc/passwd", False, 10)\n',
    "spaces": '    return torch . \\\n  from_file("/etc/passwd", False, 10)\n',
    "after a text": '    y = "it\'s \\"quoted\\""\n    torch.save(x, y)\n    return x\n',
}


@pytest.mark.parametrize("name", sorted(BENIGN))
def test_benign_torchscript_passes(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pt", _torchscript(BENIGN[name]))
    assert report.status is Status.PASS, report
    assert formats_of(report)[0] == "torchscript"


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_cve_2025_32434_torchscript_that_reaches_files(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pt", _torchscript(ATTACKS[name]))
    assert rules_of(report) == {FILES}, report
    assert report.findings[0].location.member == "m/code/__torch__.py"


def test_operator_of_another_library_is_told(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pt", _torchscript("    return ops.acme.run(x)\n"))
    assert [(f.rule, f.severity.value) for f in report.findings] == [("torchscript/foreign-operator", "low")]


@pytest.mark.parametrize("first", ["import os\n", "x = 1\n", "os.system('id')\n", "class A: import os\n"])
def test_python_in_place_of_torchscript_is_not_clean(first: str, tmp_path: Path) -> None:
    code = {"m/code/__torch__/a.py": (first + CLASS + "    return x\n").encode()}
    assert scan_bytes(tmp_path, "m.pt", _torchscript("    return x\n", **code)).status is not Status.PASS


def test_classes_of_an_archive_are_known_there_alone(tmp_path: Path) -> None:
    for name in (b"debug.pkl", b"m.pkl"):
        assert scan_bytes(tmp_path, name.decode(), OBJECT).status is Status.FAIL
    assert scan_bytes(tmp_path, "m.pt", real_zip(("m/data.pkl", OBJECT))).status is Status.FAIL
    report = scan_bytes(tmp_path, "m.pt", _torchscript("    return x\n", b"\x80\x02" + CALL))
    assert rules_of(report) == {DANGEROUS}
    other = OBJECT.replace(b"__torch__", b"__torch_x")
    assert rules_of(scan_bytes(tmp_path, "m.pt", _torchscript("    return x\n", other))) == {
        "pickle/unknown-global"
    }


def test_constants_are_raw_numbers_of_a_stated_size(tmp_path: Path) -> None:
    constants = state_dict_pickle({"w": np.ones(4, "f4")})
    members = [
        ("m/data.pkl", OBJECT), ("m/constants.pkl", constants), ("m/constants/0", b"\x80\x02" + bytes(14)),
        ("m/code/__torch__.py", (CLASS + "    return x\n").encode()),
    ]  # fmt: skip
    assert scan_bytes(tmp_path, "m.pt", real_zip(*members)).status is Status.PASS
    members[2] = ("m/constants/0", b"\x80\x02" + CALL)
    assert rules_of(scan_bytes(tmp_path, "m.pt", real_zip(*members))) == {DANGEROUS}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_torch_jit_saves_passes(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Conv1d(1, 1, 1)).eval()
    torch.jit.save(torch.jit.script(model), tmp_path / "m.pt")
    report = scan(tmp_path / "m.pt")
    assert report.status is Status.PASS, report


GRAPH: dict[str, Any] = {
    "graph_module": {"graph": {"nodes": [{"target": "torch.ops.aten.linear.default"}]}},
    "range": {"expr_str": "Mul(Integer(4), Symbol('s77', positive=True, integer=True))"},
}


def _export(weight: bytes = bytes(12), **graph: object) -> bytes:
    meta = {"dtype": 7, "sizes": [{"as_int": 3}]}
    config = {"config": {"w": {"path_name": "weight_0", "use_pickle": False, "tensor_meta": meta}}}
    return real_zip(
        ("m/archive_format", b"pt2"), ("m/archive_version", b"0"), ("m/data/weights/weight_0", weight),
        ("m/data/weights/model_weights_config.json", json.dumps(config).encode()),
        ("m/models/model.json", json.dumps({**GRAPH, **graph}).encode()),
    )  # fmt: skip


def test_exported_graph(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pt2", _export())
    assert (report.status, formats_of(report)[0]) == (Status.PASS, "torch-export")
    assert scan_bytes(tmp_path, "m.pt2", _export(bytes(11))).status is Status.INCOMPLETE
    assert rules_of(scan_bytes(tmp_path, "m.pt2", _export(b"\x80\x02" + CALL))) == {DANGEROUS}


@pytest.mark.parametrize(
    "node",
    [
        {"target": "torch.serialization.os.system"},
        {"target": "torch.ops.aten.from_file.default"},
        {"target": "torch.ops.load_library"},
        {"target": "_operator.methodcaller"},
        {"expr_str": "__import__('os').system('id')"},
        {"expr_str": "Symbol('x').func.mro()"},
        {"expr_str": "lambdify(x, y)"},
    ],
)
def test_exported_graph_that_calls_more_than_operators(node: dict[str, str], tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pt2", _export(more=[node]))
    assert rules_of(report) == {"torch-export/foreign-target"}


def test_what_torch_export_saves_passes(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    sides = {0: torch.export.Dim("batch", min=2, max=64)}
    program = torch.export.export(torch.nn.Linear(3, 2), (torch.ones(4, 3),), dynamic_shapes=(sides,))
    torch.export.save(program, tmp_path / "m.pt2")
    report = scan(tmp_path / "m.pt2")
    assert report.status is Status.PASS, report


def _old(
    *,
    numbers: bytes = struct.pack("<3f", 1, 2, 3),
    count: int = 3,
    views: bytes = b"\x80\x02].",
    after: bytes = b"",
) -> bytes:
    """A checkpoint as PyTorch 0.1.10 saved it: one float storage and one tensor."""
    describe = b"\x80\x02(K\x05X\x03\x00\x00\x00cpuctorch\nFloatStorage\ntq\x01."
    storages = pickle.dumps(1, 2) + describe + struct.pack("<q", count) + numbers + views + after
    tensor = b"\x80\x02(K\x06K\x05ctorch\nFloatTensor\nt." + struct.pack("<ii", 1, 0)
    tensors = pickle.dumps(1, 2) + tensor + struct.pack("<qqq", 3, 1, 0)
    body = b"\x80\x02ccollections\nOrderedDict\n)RX\x01\x00\x00\x00wX\x01\x00\x00\x006Qs."
    return real_tar(
        ("sys_info", pickle.dumps({"little_endian": True, "protocol_version": 1000}, 2)), ("pickle", body),
        ("storages", storages), ("tensors", tensors),
    )  # fmt: skip


def test_tar_of_pytorch_0_1(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pth", _old())
    assert report.status is Status.PASS, report
    assert formats_of(report)[0] == "pytorch-tar"
    for wrong in (_old(count=2), _old(count=1 << 60), _old(after=b"more"), _old(numbers=b"")):
        assert scan_bytes(tmp_path, "m.pth", wrong).status is not Status.PASS
    for evil in (_old(after=b"\x80\x02" + CALL), _old(views=b"\x80\x02" + CALL)):
        assert DANGEROUS in rules_of(scan_bytes(tmp_path, "m.pth", evil))
