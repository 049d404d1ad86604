"""PyTorch's containers: TorchScript archives, exported graphs, the tars of 0.1, packages; real ones pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.core.report import Status
from fixtures.archives import real_zip
from fixtures.scanning import formats_of, rules_of, scan, scan_bytes
from fixtures.torch_containers import CLASS, OBJECT, export, old, torchscript, torchscript_attacks
from fixtures.torch_zip import state_dict_pickle, write_checkpoint

CALL = b"cos\nsystem\n(S'id'\ntR."
FILES, DANGEROUS = "torchscript/file-access", "pickle/dangerous-global"
BENIGN = {
    "operators": "    return torch.relu(torch.add(x, 1.))\n",
    "raise": '    ops.prim.RaiseException("torch.save(x)", "builtins.ValueError")\n    return x\n',
    "a text and a comment": "    y = \"ops.aten.save\" # torch.from_file('x')\n    return x\n",
    "own method": '    return (self.save).forward(x, "a")\n',
}


@pytest.mark.parametrize("name", sorted(BENIGN))
def test_benign_torchscript_passes(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pt", torchscript(BENIGN[name]))
    assert report.status is Status.PASS, report
    assert formats_of(report)[0] == "torchscript"


@pytest.mark.parametrize("name", sorted(torchscript_attacks()))
def test_cve_2025_32434_torchscript_that_reaches_files(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pt", torchscript(torchscript_attacks()[name]))
    assert rules_of(report) == {FILES}, report
    assert report.findings[0].location.member == "m/code/__torch__.py"


def test_operator_of_another_library_is_told(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pt", torchscript("    return ops.acme.run(x)\n"))
    assert [(f.rule, f.severity.value) for f in report.findings] == [("torchscript/foreign-operator", "low")]


@pytest.mark.parametrize("first", ["import os\n", "x = 1\n", "os.system('id')\n", "class A: import os\n"])
def test_python_in_place_of_torchscript_is_not_clean(first: str, tmp_path: Path) -> None:
    code = {"m/code/__torch__/a.py": (first + CLASS + "    return x\n").encode()}
    assert scan_bytes(tmp_path, "m.pt", torchscript("    return x\n", **code)).status is not Status.PASS


def test_classes_of_an_archive_are_known_there_alone(tmp_path: Path) -> None:
    for name in (b"debug.pkl", b"m.pkl"):
        assert scan_bytes(tmp_path, name.decode(), OBJECT).status is Status.FAIL
    assert scan_bytes(tmp_path, "m.pt", real_zip(("m/data.pkl", OBJECT))).status is Status.FAIL
    report = scan_bytes(tmp_path, "m.pt", torchscript("    return x\n", b"\x80\x02" + CALL))
    assert rules_of(report) == {DANGEROUS}
    other = OBJECT.replace(b"__torch__", b"__torch_x")
    assert rules_of(scan_bytes(tmp_path, "m.pt", torchscript("    return x\n", other))) == {
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


def test_exported_graph(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pt2", export())
    assert (report.status, formats_of(report)[0]) == (Status.PASS, "torch-export")
    assert scan_bytes(tmp_path, "m.pt2", export(bytes(11))).status is Status.INCOMPLETE
    assert rules_of(scan_bytes(tmp_path, "m.pt2", export(b"\x80\x02" + CALL))) == {DANGEROUS}


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
    report = scan_bytes(tmp_path, "m.pt2", export(more=[node]))
    assert rules_of(report) == {"torch-export/foreign-target"}


def test_what_torch_export_saves_passes(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    sides = {0: torch.export.Dim("batch", min=2, max=64)}
    program = torch.export.export(torch.nn.Linear(3, 2), (torch.ones(4, 3),), dynamic_shapes=(sides,))
    torch.export.save(program, tmp_path / "m.pt2")
    report = scan(tmp_path / "m.pt2")
    assert report.status is Status.PASS, report


def test_tar_of_pytorch_0_1(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pth", old())
    assert report.status is Status.PASS, report
    assert formats_of(report)[0] == "pytorch-tar"
    for wrong in (old(count=2), old(count=1 << 60), old(after=b"more"), old(numbers=b"")):
        assert scan_bytes(tmp_path, "m.pth", wrong).status is not Status.PASS
    for evil in (old(after=b"\x80\x02" + CALL), old(views=b"\x80\x02" + CALL)):
        assert DANGEROUS in rules_of(scan_bytes(tmp_path, "m.pth", evil))


def _package(
    pickled: bytes = state_dict_pickle({"w": np.ones(4, "f4")}), numbers: bytes = bytes(16), **more: bytes
) -> bytes:
    """An archive as `torch.package` writes it."""
    members = {
        "p/.data/0.storage": numbers, "p/model/weights.pkl": pickled, "p/net.py": b"class Net:\n    pass\n",
        "p/.data/extern_modules": b"torch._utils\ntorch\ncollections\n", "p/.data/python_version": b"3.11.7",
        "p/.data/version": b"6\n", "p/byteorder": b"little",
    }  # fmt: skip
    return real_zip(*{**members, **more}.items())


def test_package_passes(tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.pt", _package())
    assert (report.status, formats_of(report)[0]) == (Status.PASS, "torch-package"), report


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"p/model/weights.pkl": b"\x80\x02" + CALL}, DANGEROUS),
        ({"p/model/other": b"\x80\x02" + CALL}, DANGEROUS),
        ({"p/.data/0.storage": (b"\x80\x02" + CALL).ljust(16)}, DANGEROUS),
        ({"p/.data/1.storage": b"\x80\x02" + CALL}, DANGEROUS),
        ({"p/.data/extern_modules": CALL}, DANGEROUS),
        ({"p/net.py": b"import os\nos.system('id')\n"}, "python/starts-process"),
        ({"p/model/weights.pkl": b"\x80\x02cnet\nNet\n)R."}, "pickle/unknown-global"),
    ],
    ids=["pickle", "pickle of any name", "numbers", "more numbers", "list", "code", "own class"],
)
def test_package_that_runs_code(more: dict[str, bytes], rule: str, tmp_path: Path) -> None:
    assert rule in rules_of(scan_bytes(tmp_path, "m.pt", _package(**more)))


def test_package_with_other_numbers_than_stated_is_not_clean(tmp_path: Path) -> None:
    for numbers in (b"\1\xfe" * 7, b"\1\xfe" * 9):
        assert scan_bytes(tmp_path, "m.pt", _package(numbers=numbers)).status is Status.INCOMPLETE
    more = {"p/.data/7.storage": b"\1\xfe" * 8}
    assert scan_bytes(tmp_path, "m.pt", _package(**more)).status is Status.INCOMPLETE


@pytest.mark.filterwarnings("ignore")  # torch.package uses what torch deprecates
def test_what_torch_package_exports_passes(tmp_path: Path) -> None:
    package = pytest.importorskip("torch.package")
    torch = pytest.importorskip("torch")
    with package.PackageExporter(tmp_path / "m.pt") as exporter:
        exporter.save_pickle("model", "weights.pkl", {"w": torch.ones(2), "b": torch.zeros(300)})
        exporter.save_text("model", "note.txt", "words")
        exporter.save_source_string("net", "class Net:\n    pass\n")
    report = scan(tmp_path / "m.pt")
    assert report.status is Status.PASS, report


def _part(folder: Path, payload: bytes | None = None) -> bytes:
    file = folder / "one.pt"
    write_checkpoint(file, {"w": np.ones(4, "f4")}, payload=payload)
    return file.read_bytes()


def test_parts_of_a_distributed_checkpoint(tmp_path: Path) -> None:
    good, bad = _part(tmp_path), _part(tmp_path, CALL.removesuffix(b"R.") + b"R0")
    report = scan_bytes(tmp_path, "__0_0.distcp", good * 3)
    assert (report.status, formats_of(report)[0]) == (Status.PASS, "pytorch-distributed")
    assert formats_of(report).count("pytorch-zip") == 3
    for parts in (bad + good + good, good + bad + good, good + good + bad):
        assert DANGEROUS in rules_of(scan_bytes(tmp_path, "__0_0.distcp", parts))
    for name, parts in (
        ("__0_0.distcp", good + b"more" + good),
        ("__0_0.distcp", b"more" + good + good),
        ("__0_0.distcp", good + good + b"more"),
        ("__0_0.distcp", good + real_zip(("a.txt", b"a"))),
        ("model.pt", good + good),
    ):
        assert scan_bytes(tmp_path, name, parts).status is not Status.PASS
    with_call = scan_bytes(tmp_path, "__0_0.distcp", good + good + b"\x80\x02" + CALL)
    assert DANGEROUS in rules_of(with_call)


@pytest.mark.filterwarnings("ignore")
def test_what_torch_saves_distributed_passes(tmp_path: Path) -> None:
    saving = pytest.importorskip("torch.distributed.checkpoint")
    torch = pytest.importorskip("torch")
    state = {"model": torch.nn.Linear(3, 2).state_dict(), "epoch": 3}
    saving.save(state, checkpoint_id=str(tmp_path / "step"), no_dist=True)
    report = scan(tmp_path / "step")
    assert report.status is Status.PASS, report
    assert report.coverage.examined == 2
