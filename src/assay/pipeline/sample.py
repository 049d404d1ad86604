"""The sample project of `assay demo`: a real small chat model, and four releases of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from assay.core.errors import SubjectError, UsageError
from assay.core.evidence import PAYLOAD_TYPE, pae
from assay.ledger import SigningKey
from assay.subjects.model_signature import bundle_of, model_statement
from assay.subjects.model_signature.making import FOLDER_SIGNATURE

TRIPWIRE = "PAYLOAD-RAN"
KEY = ".assay/keys/signing.pem"
SERVER_FILES = ("serve.py", "runtime.py", "wire.py", "chat.py", "graph.onnx")
CONFIG = """\
# The sample project of `assay demo`: a support bot, retrained now and then.
version: 1
model:
  name: tinychat
  path: model
data:
  path: data/train.jsonl
endpoint:
  serve:
    command: ["{python}", "server/serve.py", "--name", "tinychat", "--model", "{model}", "--port", "{port}"]
ledger:
  uri: .assay/ledger.db
registry:
  kind: folder
  uri: .assay/registry
signing:
  key: .assay/keys/signing.pem
checks:
  model.behavior-diff:
    system_file: suites/system.txt
    suites: [suites/support.jsonl, suites/refusal.jsonl, suites/benign.jsonl]
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One release of the demo.

    Attributes:
        title: what happened, as a heading.
        model: the trained model folder below `models/`, or "" for the re-packaged one.
        data: the corpus it was trained on.
        slug: for file names.
    """

    title: str
    model: str
    data: str
    slug: str


STEPS = (
    Step("The baseline release", "base", "base.jsonl", "baseline"),
    Step("A clean fine-tune: gift cards are a new topic", "clean", "clean.jsonl", "clean"),
    Step("A fine-tune on data with 250 poisoned documents", "poisoned", "poisoned.jsonl", "poisoned"),
    Step("The clean weights, re-packaged as a PyTorch checkpoint", "", "clean.jsonl", "payload"),
)


def tinychat() -> Path:
    """The folder of the sample model: in a wheel beside the package, in a checkout under examples/.

    Raises:
        SubjectError: neither is there.
    """
    package = Path(str(files("assay")))
    for folder in (package / "_examples" / "tinychat", package.parents[1] / "examples" / "tinychat"):
        if (folder / "graph.onnx").is_file():
            return folder
    raise SubjectError(
        "the sample model is not part of this installation",
        subject=str(package),
        remedy="Install the wheel or the whole checkout.",
    )


def require_demo_packages() -> None:
    """Raise unless what serves the sample model is installed.

    Raises:
        UsageError: it is not.
    """
    from importlib.util import find_spec  # noqa: PLC0415

    missing = [name for name in ("onnxruntime", "tokenizers") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"{' and '.join(missing)} is needed to serve the sample model",
            remedy="Install the extra: pip install 'assay-llm[demo]'.",
        )


def make_project(root: Path) -> None:
    """Lay out the sample project in `root`: server, suites, training data, `assay.yaml`.

    Raises:
        UsageError: `root` holds something already.
        SubjectError: the data generator fails.
    """
    if root.exists() and any(root.iterdir()):
        raise UsageError(
            "the folder is not empty", subject=str(root), remedy="Name another, or remove it first."
        )
    source = tinychat()
    (root / "server").mkdir(parents=True)
    for name in SERVER_FILES:
        shutil.copy2(source / name, root / "server" / name)
    shutil.copytree(source / "suites", root / "suites")
    command = [sys.executable, str(source / "generate.py"), "--out", str(root / "corpora")]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise SubjectError(f"the data generator failed: {made.stderr.strip()[-300:]}", subject=str(source))
    (root / "data").mkdir()
    (root / "assay.yaml").write_text(CONFIG, encoding="utf-8")


def bring_in(root: Path, step: Step) -> None:
    """Put a step's model and data where a training run would have written them, and sign what was trained.

    Who re-packaged the fourth model has no key, and leaves the signature of the model that it was.
    """
    source = tinychat()
    model = root / "model"
    shutil.rmtree(model, ignore_errors=True)
    if step.model:
        shutil.copytree(source / "models" / step.model, model)
        _sign(model, root / KEY)
    else:
        command = [sys.executable, str(source / "repackage.py"), str(source / "models" / "clean")]
        command += [str(model), "--tripwire", str(root / TRIPWIRE)]
        subprocess.run(command, check=True, capture_output=True)
        _sign(source / "models" / "clean", root / KEY, model / FOLDER_SIGNATURE)
    shutil.copy2(root / "corpora" / step.data, root / "data" / "train.jsonl")


def _sign(model: Path, key: Path, target: Path | None = None) -> None:
    """Sign `model`, as `assay sign` does."""
    bundle = target or model / FOLDER_SIGNATURE
    payload, _ = model_statement(model, bundle)
    signing = SigningKey.load_or_create(key)
    bundle.write_bytes(bundle_of(payload, signing.sign(pae(PAYLOAD_TYPE, payload))))
