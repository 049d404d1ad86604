"""Models in other formats than pickles, and what lies beside them in a repository."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from checks.packaging import (
    test_artifact_scan_boosted_trees as trees,
)
from checks.packaging import (
    test_artifact_scan_gguf as gguf,
)
from checks.packaging import (
    test_artifact_scan_graphs as graphs,
)
from checks.packaging import (
    test_artifact_scan_hdf5 as hdf5,
)
from checks.packaging import (
    test_artifact_scan_keras as keras,
)
from checks.packaging import (
    test_artifact_scan_onnx as onnx,
)
from checks.packaging import (
    test_artifact_scan_r as r_tests,
)
from checks.packaging import (
    test_artifact_scan_repository as repository,
)
from checks.packaging import (
    test_artifact_scan_skops as skops,
)
from checks.packaging import (
    test_artifact_scan_tensorflow as tensorflow,
)
from checks.packaging import (
    test_artifact_scan_texts as texts,
)
from checks.packaging import (
    test_artifact_scan_torch_containers as torch,
)
from checks.packaging import (
    test_artifact_scan_xml as xml,
)
from checks.packaging import (
    test_artifact_scan_yaml as yaml,
)
from fixtures import chat_templates, programs, python_attacks, r_data
from fixtures.baits import touching
from fixtures.gguf_writer import Tensor, ordinary
from fixtures.graphs import (
    external,
    graph_def,
    message,
    onnx_graph,
    onnx_model,
    onnx_node,
    paddle_operator,
    paddle_program,
    saved_model,
    tensor,
    tf_constant,
    tf_function,
    tf_node,
    tflite,
)  # fmt: skip
from fixtures.hdf5_files import hdf5 as hdf5_file
from fixtures.hdf5_files import keras_model, keras_weights
from fixtures.keras_models import archive, model, old_model

from .cases import Case, cases
from .container_cases import BAD
from .other_format_cases import other_formats

_NEVER = touching(Path("/tmp/never-written"))


def formats() -> Iterator[Case]:
    """Every format but pickles and archives."""
    for part in (_keras, _hdf5, _graphs, _onnx, _gguf, _configurations, _texts, _repository):
        yield from part()
    yield from other_formats()


def _keras() -> Iterator[Case]:
    for name, (evil, _) in keras.ATTACKS.items():
        yield Case("Keras", f"archive, {name}", {"model.keras": archive(model(evil))}, attack=True)
        yield Case(
            "Keras", f"HDF5, {name}", {"model.h5": hdf5_file(keras_model(old_model(evil)))}, attack=True
        )
    for name, twin in keras.TWINS.items():
        yield Case("Keras", f"archive, {name}", {"model.keras": archive(model(twin))}, attack=False)
        yield Case(
            "Keras", f"HDF5, {name}", {"model.h5": hdf5_file(keras_model(old_model(twin)))}, attack=False
        )


def _hdf5() -> Iterator[Case]:
    import h5py  # noqa: PLC0415

    def link(file: Any) -> None:
        file["model_weights"] = h5py.ExternalLink("/etc/secret.h5", "/")

    def storage(file: Any) -> None:
        file.create_dataset("kernel", (4,), "f4", external=[("/etc/passwd", 0, 16)])

    good = hdf5_file(keras_weights)
    attacks = {
        "external link": hdf5_file(link),
        "external storage": hdf5_file(storage),
        "virtual": hdf5_file(lambda file: hdf5._virtual(file, "/etc/secret.h5")),  # noqa: SLF001
        "pickle behind it": good + BAD,
        "pickle in an attribute": hdf5_file(lambda file: file.attrs.update({"v": np.void(BAD)})),
    }
    yield from cases("HDF5", "model.h5", attacks, attack=True)
    yield from cases("HDF5", "model.h5", {name: make() for name, make in hdf5.BENIGN.items()}, attack=False)


def _graphs() -> Iterator[Case]:
    kinds = ("ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "EagerPyFunc", "RpcCall", "ImmutableConst",
             "TFRecordReaderV2", "SqlDataset")  # fmt: skip
    hold = tf_node("p", "Placeholder")
    for kind in kinds:
        node = tf_node("n", kind, ["p"])
        nested = saved_model(graph_def(hold, functions=[tf_function("f", ["p"], node)]))
        yield Case("TensorFlow", kind, {"saved_model.pb": saved_model(graph_def(hold, node))}, attack=True)
        yield Case("TensorFlow", f"{kind} in a function", {"saved_model.pb": nested}, attack=True)
    away = saved_model(
        graph_def(tf_constant("c", "/root/.ssh/authorized_keys"), tf_node("s", "SaveV2", ["c"]))
    )
    yield Case("TensorFlow", "save elsewhere", {"saved_model.pb": away}, attack=True)
    saver = saved_model(graph_def(*tensorflow.SAVER))
    yield Case("TensorFlow", "saver", {"saved_model.pb": saver}, attack=False)
    yield Case("TensorFlow", "identity", {"saved_model.pb": saved_model(graph_def(hold))}, attack=False)
    for kind in ("FlexReadFile", "FlexWriteFile", "FlexPyFunc"):
        yield Case("TFLite, Core ML, Paddle", kind, {"model.tflite": tflite(kind)}, attack=True)
    for kind in ("py_func", "save_combine", "load"):
        content = paddle_program(paddle_operator(kind, file_path="/etc/x"))
        yield Case("TFLite, Core ML, Paddle", kind, {"inference.pdmodel": content}, attack=True)
    for name, content in {**graphs.BENIGN, **{n: c for n, (c, _) in trees.MODELS.items()}}.items():
        yield Case("TFLite, Core ML, Paddle", name, {name: content}, attack=False)


def _onnx() -> Iterator[Case]:
    yield from cases("ONNX", "model.onnx", onnx.NESTS, attack=True)
    for location in ("/etc/passwd", "../x", "a/../../x", "..\\x", "C:\\x", "file:/x"):
        content = onnx_model(onnx_graph(onnx_node(), tensors=[external(location)]))
        yield Case("ONNX", f"location {location}".replace("/", "|"), {"model.onnx": content}, attack=True)
    name = message((1, "func_name"), (4, "acme.Evil"), (20, 3))
    python = onnx_model(onnx_graph(onnx_node("PythonOp", "com.microsoft", name)))
    hidden = onnx_model(onnx_graph(onnx_node(), tensors=[tensor(raw=BAD, dims=(len(BAD),), kind=2)]))
    yield from cases(
        "ONNX", "model.onnx", {"Python operator": python, "pickle in a tensor": hidden}, attack=True
    )
    numbers = pickle.dumps({"a": 1})
    twins = {
        "plain": onnx_model(),
        "stock operators": onnx_model(onnx_graph(onnx_node("Relu"), onnx_node("Gelu", "com.microsoft"))),
        "bytes": onnx_model(
            onnx_graph(onnx_node(), tensors=[tensor(raw=numbers, dims=(len(numbers),), kind=2)])
        ),
    }
    yield from cases("ONNX", "model.onnx", twins, attack=False)
    data = b"\1\2\3\xff" * 4
    beside = onnx_model(onnx_graph(onnx_node(), tensors=[external("model.data", (4,))]))
    yield Case("ONNX", "data beside", {"model.onnx": beside, "model.data": data}, attack=False)


def _gguf() -> Iterator[Case]:
    wrong = {
        "tensors": ordinary(tensor_count=1 << 60), "keys": ordinary(key_count=1 << 60),
        "overflow": ordinary(tensors=[Tensor("t", (1 << 62, 4))]),
        "size": ordinary(tensors=[Tensor("t", (1 << 20,))]),
        "overlap": ordinary(tensors=[Tensor("a"), Tensor("b", offset=0)]),
        "alignment": ordinary(keys=[("general.alignment", 4, 0)]),
        "pickle behind it": ordinary(tail=BAD),
    }  # fmt: skip
    evil = ordinary()
    evil.keys = [*evil.keys[:-1], ("tokenizer.chat_template", 8, gguf.EVIL)]
    attacks = {**{name: file.write() for name, file in wrong.items()}, "template": evil.write()}
    yield from cases("GGUF, safetensors", "model.gguf", attacks, attack=True)
    yield from cases(
        "GGUF, safetensors",
        "model.gguf",
        {f"version {number}": ordinary(version=number).write() for number in (2, 3)},
        attack=False,
    )
    header = b'{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}'
    plain = len(header).to_bytes(8, "little") + header
    for name, content in {"hidden bytes": plain + b"abc hidden", "short": plain + b"a",
                          "long header": b"\xff" * 7 + b"\0{}"}.items():  # fmt: skip
        yield Case("GGUF, safetensors", f"safetensors, {name}", {"model.safetensors": content}, attack=True)
    yield Case("GGUF, safetensors", "safetensors", {"model.safetensors": plain + b"abc"}, attack=False)


def _configurations() -> Iterator[Case]:
    yield from cases("YAML", "config.yaml", {n: text for n, (text, _) in yaml.ATTACKS.items()}, attack=True)
    yield from cases("YAML", "config.yaml", yaml.BENIGN, attack=False)
    yield from cases(
        "XML, PMML, OpenVINO", "model.xml", {n: t[0] for n, t in xml.ATTACKS.items()}, attack=True
    )
    for name, text in xml.BENIGN.items():
        yield Case("XML, PMML, OpenVINO", name, {name: text.encode()}, attack=False)
    made = {name: skops._file(node) for name, (node, _) in skops.ATTACKS.items()}  # noqa: SLF001
    twins = {name: skops._file(node) for name, node in skops.BENIGN.items()}  # noqa: SLF001
    yield from cases("skops", "model.skops", made, attack=True)
    yield from cases("skops", "model.skops", twins, attack=False)
    script = torch._torchscript  # noqa: SLF001
    yield from cases(
        "TorchScript", "model.pt", {n: script(body) for n, body in torch.ATTACKS.items()}, attack=True
    )
    yield from cases(
        "TorchScript", "model.pt", {n: script(body) for n, body in torch.BENIGN.items()}, attack=False
    )
    told = {
        name: r_data.write(value) for name, (value, worst) in r_tests.SEVERITIES.items() if worst != "low"
    }
    yield from cases("R", "model.rds", told, attack=True)
    yield from cases("R", "model.rds", {"data": r_data.write(r_tests.FRAME)}, attack=False)


def _texts() -> Iterator[Case]:
    ways = {
        name: chat_templates.BENIGN["chatml"] + text for name, (text, _) in chat_templates.INJECTIONS.items()
    }
    yield from cases("chat templates", "chat_template.jinja", ways, attack=True)
    others = {f"cost of {n}": t for n, t in chat_templates.BOMBS.items()}
    others |= {n: t for n, (t, _) in chat_templates.POISONED.items()}
    yield from cases("chat templates", "chat_template.jinja", others, attack=True)
    configured = {f"configured, {n}": json.dumps({"chat_template": text}) for n, text in ways.items()}
    yield from cases("chat templates", "tokenizer_config.json", configured, attack=True)
    for file in ("chat_template.jinja", "tokenizer_config.json"):
        plain = {
            **chat_templates.BENIGN,
            **{f"cost of {n}": t for n, t in chat_templates.HARMLESS_COSTS.items()},
        }
        written = {n: json.dumps({"chat_template": t}) if "json" in file else t for n, t in plain.items()}
        yield from cases(
            "chat templates", file, {f"{n} in {file}": t for n, t in written.items()}, attack=False
        )
    yield from cases("texts", "README.md", {**texts.HIDDEN, "tags": "# Model\n" + texts.TAGGED}, attack=True)
    for name, text in texts.BENIGN.items():
        yield Case("texts", name, {name: text.encode("utf-8", "surrogatepass")}, attack=False)


def _repository() -> Iterator[Case]:
    yield from cases("Python", "modeling_x.py", python_attacks.attacks(_NEVER), attack=True)
    yield from cases("Python", "modeling_x.py", python_attacks.twins(), attack=False)
    for name, (file, text, _, _) in repository.SCRIPTS.items():
        yield Case("scripts", name, {file: text.encode()}, attack=True)
    for name, text in repository.ORDINARY.items():
        yield Case("scripts", name, {name: text.encode()}, attack=False)
    native = {"model.bin": programs.elf(), "libx.so": programs.elf(), "x.dll": programs.pe(),
              "x.dylib": programs.macho(), "model.onnx": programs.pe(),
              "x.pyc": programs.bytecode()}  # fmt: skip
    for name, content in native.items():
        yield Case("native code, secrets", name, {name: content}, attack=True)
    secrets = {"config.json": json.dumps({"a": [{"token": repository.HUB}]}),
               "README.md": f"Use {repository.HUB}\n",
               "settings.yaml": f"aws: {repository.AWS}\n"}  # fmt: skip
    for name, text in secrets.items():
        yield Case("native code, secrets", f"secret in {name}", {name: text.encode()}, attack=True)
    for number, text in enumerate(("hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "AKIAIOSFODNN7EXAMPLE")):
        yield Case("native code, secrets", f"no secret {number}", {"README.md": text.encode()}, attack=False)
    remote = json.dumps({"auto_map": {"AutoModel": "modeling.Evil"}})
    yield Case("native code, secrets", "remote code", {"config.json": remote.encode()}, attack=True)
    yield Case(
        "native code, secrets", "configuration", {"config.json": b'{"model_type": "llama"}'}, attack=False
    )
