"""Native programs and byte code: found, described, and never claimed to be judged."""

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
        poses = blob.name.lower().endswith(_DATA)
        rule = code.BYTECODE if kind == "python-bytecode" else code.NATIVE
        if poses:
            message = f"It is a program under the name of data: {facts}."
        elif kind == "python-bytecode":
            message = f"{facts}; whatever source lies beside it need not be what it runs."
        else:
            message = f"{facts}. Whether it is harmless cannot be told by reading it."
        grave = poses or "without a look" in facts
        inspection.report(rule.finding(message, blob.place(), severity=Severity.HIGH if grave else None))

    return inspect
