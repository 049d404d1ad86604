"""Which classes and functions a configuration may ask to be made: hydra's `_target_`, SpeechBrain's `!new:`.

hydra.utils.instantiate imports the name and calls it with the other keys (CVE-2025-23304 in NeMo). As with
pickles, what frameworks make is known by name; the deny list only sets severity.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from assay.checks.packaging.artifact_scan import policy, rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.core.explanation import Explanation, Step
from assay.core.finding import Finding, Location

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+\Z")
# Top packages whose classes are what configurations are made of.
_FRAMEWORKS = {
    "nemo", "nemo_automodel", "nemo_run", "torch", "torchvision", "torchaudio", "torchmetrics",
    "torchtune", "pytorch_lightning", "lightning", "lightning_fabric", "omegaconf", "hydra",
    "transformers", "diffusers", "megatron", "apex", "transformer_engine", "speechbrain", "ldm", "sgm",
    "timm", "monai", "sklearn", "numpy", "peft", "datasets", "tokenizers", "bitsandbytes", "accelerate",
    "trl", "keras", "flax", "optax", "xgboost", "lightgbm", "catboost", "sentence_transformers",
    "open_clip", "einops", "xformers", "deepspeed",
}  # fmt: skip
# Denied as a whole, but for these: configurations name them all the time.
_FINE = ("torch.utils.data.", "torch.utils.tensorboard.", "keras.utils.to_categorical")
# Modules of Python that any module which imports them passes on: `nemo.core.os.system`.
_REACHED = {
    "os", "posix", "nt", "subprocess", "sys", "shutil", "builtins", "importlib", "runpy", "socket", "pickle",
    "ctypes", "marshal", "pty", "pip", "urllib", "requests", "webbrowser", "cloudpickle", "dill", "tempfile",
}  # fmt: skip
# What resolves or calls whatever it is given, in packages that are known.
_RESOLVERS = {
    "hydra.utils.call", "hydra.utils.get_class", "hydra.utils.get_method", "hydra.utils.get_object",
    "hydra._internal.utils._locate", "torch.load", "torch.jit.load", "torch.hub.load",
    "torch.package.PackageImporter", "numpy.load", "numpy.fromfile", "sklearn.utils._testing",
    "torch.classes.load_library", "torch.ops.load_library", "monai.bundle.load", "lightning.app",
}  # fmt: skip


def is_framework(name: str) -> bool:
    """Whether a name belongs to a framework whose classes configurations name."""
    return name.split(".", 1)[0] in _FRAMEWORKS and "__" not in name


def passes_on(name: str) -> bool:
    """Whether a dotted name leads through a module of Python that can run code, wherever it begins."""
    return not _REACHED.isdisjoint(name.split("."))


def is_dangerous(name: str) -> bool:
    """Whether what a dotted name means can run code, read files or reach the network."""
    if passes_on(name):
        return True
    if name.startswith(_FINE):
        return False
    module, _, attribute = name.rpartition(".")
    return any(f"{name}.".startswith(f"{one}.") for one in _RESOLVERS) or policy.is_denied(module, attribute)


def judge(blob: Blob, name: str, inspection: Inspection, *, how: str) -> None:
    """Report a name that `how` (`_target_`, `!new:`) would import and call, unless frameworks' own."""
    finding = judged(name, inspection.options.allow, blob.place(), how=how)
    # JSON is judged as YAML, too, where that is its name.
    if finding is not None and finding not in inspection.outcome.findings:
        inspection.report(finding)


def judged(name: str, allow: Mapping[str, str], place: Location, *, how: str) -> Finding | None:
    """What is to be said of a name that `how` would import and call; None where it is a framework's own."""
    module, _, attribute = name.rpartition(".")
    if not module or not _DOTTED.match(name):
        return None  # an interpolation, or a name of no module
    if policy.is_allowed(module, attribute, allow):
        return None
    rule, message = rules.configurations.DANGEROUS, f"{how} would import and call {name[:150]}."
    if not is_dangerous(name):
        if is_framework(name):
            return None
        rule = rules.configurations.UNKNOWN
        message = f"{message.removesuffix('.')}, which belongs to no known framework."
    data = {"global": name[:200], "how": how}
    explanation = Explanation(f"{name[:200]}(**settings)", (Step(f"{how} names it"),))
    return rule.finding(message, place, data=data, explanation=explanation)
