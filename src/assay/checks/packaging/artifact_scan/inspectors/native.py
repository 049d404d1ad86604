"""Native programs: found, described, and never claimed to be judged."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection, Inspector
from assay.checks.packaging.artifact_scan.rules import code
from assay.core.finding import Severity
from assay.subjects.programs import Region, describe

# Names under which nobody looks for a program.
_DATA = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".json", ".jsonl",
         ".txt", ".md",
         ".yaml", ".yml", ".npy", ".npz", ".gguf", ".onnx", ".h5", ".keras", ".model", ".msgpack",
         ".parquet", ".csv",
         ".png", ".jpg", ".jpeg", ".gif", ".pdf", ".py", ".ipynb", ".jinja", ".tflite", ".pb")  # fmt: skip


def inspector(kind: str) -> Inspector:
    """The inspector of one kind of program."""

    def inspect(blob: Blob, inspection: Inspection) -> None:
        facts = describe(kind, Region(blob.data, blob.start, blob.end))
        poses = poses_as_data(blob)
        if poses:
            message = f"It is a program under the name of data: {facts}."
        else:
            message = f"{facts}. Whether it is harmless cannot be told by reading it."
        inspection.report(
            code.NATIVE.finding(message, blob.place(), severity=Severity.HIGH if poses else None)
        )

    return inspect


def poses_as_data(blob: Blob) -> bool:
    """Whether the name is one under which nobody looks for a program."""
    return blob.name.lower().endswith(_DATA)
