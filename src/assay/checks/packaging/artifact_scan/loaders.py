"""Which calls would read a file of a format, and which call reads it without running anything."""

from __future__ import annotations

from assay.core.finding import Location

_TORCH = "torch.load(file, weights_only=False), which was the default before PyTorch 2.6"
_TORCH_SAFE = "Where you must open it, torch.load(file, weights_only=True) refuses what is no tensor."
_NUMPY = "numpy.load(file, allow_pickle=True)"
_NUMPY_SAFE = "Where you must open it, numpy.load(file, allow_pickle=False), the default, refuses the pickle."
# By the format of the file, or of the archive that the member lies in: loaders, and the safer call.
_FORMATS: dict[str, tuple[tuple[str, ...], str]] = {
    "pytorch-zip": ((_TORCH,), _TORCH_SAFE),
    "pytorch-legacy": ((_TORCH,), _TORCH_SAFE),
    "pytorch-tar": ((_TORCH,), _TORCH_SAFE),
    "torchscript": (("torch.jit.load(file)", "torch.load(file) before PyTorch 2.6 (CVE-2025-32434)"), ""),
    "torch-export": (("torch.export.load(file)",), ""),
    "joblib": (("joblib.load(file)",), ""),
    "npy": ((_NUMPY,), _NUMPY_SAFE),
    "npz": ((_NUMPY,), _NUMPY_SAFE),
    "keras": (("keras.models.load_model(file)",), ""),
    "hdf5": (("keras.models.load_model(file)", "h5py.File(file), for its links and filters"), ""),
    "skops": (("skops.io.load(file, trusted=...)",), ""),
    "onnx": (("onnxruntime.InferenceSession(file)", "onnx.load(file)"), ""),
    "tf-savedmodel": (("tf.saved_model.load(folder)", "TensorFlow Serving"), ""),
    "tf-metagraph": (("tf.compat.v1.train.import_meta_graph(file)",), ""),
    "tf-graphdef": (("tf.import_graph_def(graph)",), ""),
    "keras-metadata": (("tf.keras.models.load_model(folder)",), ""),
    "tflite": (("tf.lite.Interpreter(file)",), ""),
    "coreml": (("coremltools.models.MLModel(file)",), ""),
    "paddle": (("paddle.inference.create_predictor(config)",), ""),
    "executorch": (("the ExecuTorch runtime",), ""),
    "gguf": (("llama.cpp", "llama_cpp.Llama(file)"), ""),
    "safetensors": (("safetensors.safe_open(file)",), ""),
    "torch7": (("torch.load(file) in Lua",), ""),
    "rdata": (("readRDS(file)", "load(file) in R"), ""),
    "xml": (("the XML parser of the model's reader",), ""),
    "ipynb": (("Jupyter, when a cell is run",), ""),
}  # fmt: skip
_PICKLE = ("pickle.load(file)", "joblib.load(file)", "pandas.read_pickle(file)", _TORCH)
_PICKLES = "The same numbers in safetensors, or an estimator in skops or ONNX, need no pickle."
# By the family of the rule, where that tells more than the format.
_FAMILIES = {
    "template": (
        "whatever renders the chat template without a sandbox, such as llama-cpp-python before 0.2.72",
    ),
    "python": ("import of this file, with trust_remote_code=True, or by hand",),
    "script": ("whoever runs the script",),
    "config": ("the loader of the configuration: hydra.utils.instantiate, transformers' from_pretrained",),
    "text": ("every model or agent that reads the text",),
    "keras": ("keras.models.load_model(file)",),
    "xml": ("the XML parser of the model's reader",),
    "openvino": ("openvino.Core().read_model(file)",),
    "pmml": ("the evaluator of the PMML model",),
    "code": ("the tool that the file is made for, without asking",),
    "notebook": ("Jupyter, when the notebook is opened as trusted",),
}


def loaders_of(rule: str, formats: tuple[str, ...]) -> tuple[str, ...]:
    """The calls that would read it.

    Args:
        rule: the id of the rule that found something.
        formats: of the member and of every archive around it, innermost first.
    """
    family = rule.partition("/")[0]
    if family in _FAMILIES:
        return _FAMILIES[family]
    if family in {"repository", "artifact", "archive"}:
        return ()
    for found in formats:
        known = _FORMATS.get(_key(found))
        if known:
            return known[0]
    return _PICKLE if "pickle" in formats or family == "pickle" else ()


def safer_call(rule: str, formats: tuple[str, ...]) -> str:
    """How to open it so that a pickle in it does not run; "" where there is no such call."""
    if not rule.startswith("pickle/"):
        return ""
    known = [_FORMATS[key] for found in formats if (key := _key(found)) in _FORMATS]
    return known[0][1] if known else _PICKLES


def _key(found: str) -> str:
    return "pytorch-tar" if found.startswith("pytorch-tar") else found


def names_of(location: Location) -> tuple[str, ...]:
    """The name of the member, then of every archive around it, outermost last."""
    parts = [part for part in location.member.split("!/") if part]
    return tuple("!/".join([location.path, *parts[:count]]) for count in range(len(parts), -1, -1))
