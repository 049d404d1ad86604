"""What configurations of Keras models can do."""

from __future__ import annotations

from assay.checks.packaging.artifact_scan.rules.wording import CODE
from assay.core.finding import Rule, Severity

_SAFE = (
    "Do not load it. Ask for the weights alone (`.weights.h5` or safetensors) and build the model in code."
)
_FILES = ("owasp:LLM03", "cwe:CWE-73", "cwe:CWE-918")

LAMBDA = Rule(
    "keras/lambda",
    "A Keras configuration carries Python code",
    Severity.CRITICAL,
    "Loading unmarshals the code of a Lambda layer and calls it while shapes are inferred; safe_mode is not "
    "known to Keras before 2.13 and was not looked at for HDF5 (CVE-2024-3660, CVE-2025-9905).",
    _SAFE,
    CODE,
)
NAMED = Rule(
    "keras/named-function",
    "A Lambda layer calls a function by its name",
    Severity.LOW,
    "It runs what that name stands for where the model is loaded: a function of Keras, or one of yours.",
    "Check that you know the function.",
    CODE,
)
DANGEROUS = Rule(
    "keras/dangerous-reference",
    "A Keras configuration refers to what runs code or reaches files, the network or Keras's own settings",
    Severity.CRITICAL,
    "Loading imports the module and calls what is named there, whatever safe_mode says (CVE-2025-1550, "
    "CVE-2025-8747, CVE-2025-9906); get_file also unpacks archives outside their folder (CVE-2025-12060).",
    _SAFE,
    CODE,
)
UNKNOWN = Rule(
    "keras/unknown-module",
    "A Keras configuration loads from a module that is no part of Keras",
    Severity.HIGH,
    "Keras 3 before 3.9 imports any module that is named and calls what it finds there (CVE-2025-1550).",
    "Load it with Keras 3.9 or later, or allow `module.name` with a reason in the check's options.",
    CODE,
)
CUSTOM = Rule(
    "keras/custom-object",
    "A Keras configuration needs a class or function of your own",
    Severity.LOW,
    "It is looked up among registered objects; where a module is named too, Keras 3 before 3.9 imports it.",
    "Check that you know the class, or allow `module.name` with a reason in the check's options.",
    CODE,
)
TORCH = Rule(
    "keras/pickled-module",
    "A Keras configuration carries a pickled PyTorch module",
    Severity.CRITICAL,
    "TorchModuleWrapper hands it to torch.load without weights_only: the pickle runs whatever it names.",
    _SAFE,
    CODE,
)
OUTSIDE = Rule(
    "keras/external-file",
    "A Keras configuration names a file outside the model",
    Severity.HIGH,
    "Loading reads the vocabulary, or runs the SavedModel, that lies at this path or URL where the model is "
    "loaded (CVE-2025-12058).",
    "Save the model again with its vocabulary inside, or build that layer in code.",
    _FILES,
)
OPERATION = Rule(
    "keras/file-operation",
    "A layer wraps a TensorFlow operation that reaches files or runs Python",
    Severity.HIGH,
    "The operation runs with the rights of the process each time the model is called.",
    _SAFE,
    CODE,
)
RULES = (LAMBDA, NAMED, DANGEROUS, UNKNOWN, CUSTOM, TORCH, OUTSIDE, OPERATION)
