"""Which formats a file's name promises: one that is something else misleads people and scanners."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.formats import COMPRESSED
from assay.core.finding import Severity

_ZIPS = {"zip", "pytorch-zip", "torchscript", "torch-export"}
_PICKLES = {"pickle", "tar"} | _ZIPS | COMPRESSED
_PATHS = {"text", "python"}  # Python's path configuration files, whose lines are judged
_YAML = {"text", "script", "json"}  # all JSON is YAML
_R = {"rdata"} | COMPRESSED
_EXPECTED = {
    ".safetensors": {"safetensors"}, ".gguf": {"gguf", "ggml"}, ".npy": {"npy"}, ".npz": {"zip"},
    ".pkl": _PICKLES, ".pickle": _PICKLES, ".joblib": _PICKLES, ".pt": _PICKLES, ".pth": _PICKLES | _PATHS,
    ".ckpt": _PICKLES, ".pt2": _ZIPS, ".skops": {"zip"}, ".nemo": {"tar", "gzip"},
    ".keras": {"zip", "keras", "hdf5"}, ".h5": {"hdf5"}, ".hdf5": {"hdf5"},
    ".onnx": {"onnx"}, ".tflite": {"tflite"}, ".pte": {"executorch"}, ".mlmodel": {"coreml"},
    ".ptd": {"executorch-data"}, ".ort": {"ort", "onnx"},
    ".pdmodel": {"paddle"}, ".pdiparams": {"paddle-tensors"},
    "saved_model.pb": {"tf-savedmodel"}, "keras_metadata.pb": {"keras-metadata"},
    ".pb": {"tf-savedmodel", "tf-graphdef", "tf-metagraph", "tf-fingerprint", "keras-metadata", "onnx",
            "onnx-tensor"},
    ".t7": {"torch7", "torch7-text"}, ".th7": {"torch7", "torch7-text"},
    ".ubj": {"ubjson"}, ".cbm": {"catboost"}, ".rds": _R, ".rdata": _R, ".rda": _R,
    ".zip": _ZIPS, ".tar": {"tar"}, ".gz": {"gzip"}, ".tgz": {"gzip"}, ".bz2": {"bzip2"}, ".xz": {"xz"},
    ".zst": {"zstd"}, ".lz4": {"lz4", "lz4 legacy"}, ".7z": {"7z"}, ".rar": {"rar"},
    ".json": {"json"}, ".txt": {"text", "json", "xml", "lightgbm"}, ".md": {"text", "xml"},
    ".jinja": {"jinja"}, ".xml": {"xml"}, ".pmml": {"xml"}, ".csv": {"text"}, ".yaml": _YAML,
    ".yml": _YAML, ".py": {"python"}, ".pyi": {"python"}, ".pyw": {"python"},
    ".ipynb": {"json"}, ".sh": {"script", "python"}, ".pyc": {"python-bytecode"},
    ".png": {"png"}, ".jpg": {"jpeg"}, ".jpeg": {"jpeg"}, ".gif": {"gif"}, ".webp": {"webp"}, ".wav": {"wav"},
    ".ogg": {"ogg"}, ".mp3": {"mp3"}, ".flac": {"flac"}, ".mp4": {"mp4"}, ".pdf": {"pdf"},
    ".parquet": {"parquet"}, ".feather": {"arrow"}, ".arrow": {"arrow"}, ".msgpack": {"msgpack"},
    ".exe": {"pe", "dos-program"}, ".dll": {"pe"}, ".dylib": {"mach-o"},
}  # fmt: skip

# Every ending of a name that promises a format.
KNOWN = tuple(_EXPECTED)
# Names that loaders of pickles go by.
PICKLED = (
    ".bin", ".sav", ".model", ".p", *(name for name, formats in _EXPECTED.items() if "pickle" in formats),
)  # fmt: skip


def lies(blob: Blob, found: str) -> tuple[str, Severity] | None:
    """What the name promises, where that is not what was found, and how bad that is."""
    name = blob.name.lower()
    for suffix, formats in _EXPECTED.items():
        if name.endswith(suffix):
            return None if found in formats or found == "unknown" else _lie(formats, found)
    return None


def _lie(formats: set[str], found: str) -> tuple[str, Severity]:
    # One compression for another, as joblib wrote, sends nobody to the wrong thing.
    alike = found in COMPRESSED and formats <= COMPRESSED
    return " or ".join(sorted(formats)), Severity.LOW if alike else Severity.MEDIUM
