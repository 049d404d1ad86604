"""Write the int8 models that ship: `python -m training.guard.export --base FOLDER [--guard FILE]`.

Weights become 8-bit integers a channel, activations are quantised as they come (dynamic quantisation).
Weights keep to seven bits (`reduce_range`): processors without VNNI add pairs of products in 16 bits, which
eight would overflow.
The export fails where the file disagrees with the network in full precision.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime import InferenceSession
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file
from tokenizers import Tokenizer
from training.guard import dataset
from training.guard.encoder import Encoder, Guard, Sentence
from training.guard.example import HEADS
from training.guard.graph import embedding_graph, guard_graph

_SOURCE = Path(__file__).resolve().parents[2] / "src" / "assay"
EMBEDDINGS, GUARD = _SOURCE / "embeddings" / "model", _SOURCE / "guard" / "model"
_LEAST_COSINE, _MOST_DIFFERENCE = 0.985, 0.03
_PROBES, _GOLDEN = 256, 40
_MADE = (
    "injection/",
    "jailbreak/",
    "language/",
    "benign/",
)  # our own templates: others' texts are not kept here
GOLDEN = _SOURCE.parents[1] / "tests" / "guard" / "classify" / "golden.json"
_EXTRA = {"DefaultTensorType": onnx.TensorProto.FLOAT}


def quantised(model: onnx.ModelProto, target: Path) -> None:
    """Write a model in 8-bit integers."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        onnx.save(model, whole)
        quantize_dynamic(
            whole,
            target,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options=_EXTRA,
        )


def run(path: Path, tokenizer: Tokenizer, texts: list[str]) -> NDArray[np.float32]:
    """What a written model says of texts, one by one, as they are served."""
    session = InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = []
    for text in texts:
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        found.append(session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0])
    return np.array(found)


@torch.inference_mode()
def whole(model: torch.nn.Module, tokenizer: Tokenizer, texts: list[str]) -> NDArray[np.float32]:
    """What the network says of them."""
    model.eval()
    rows = [torch.tensor([tokenizer.encode(text).ids]) for text in texts]
    return np.array([model(ids, torch.ones_like(ids)).float().numpy()[0] for ids in rows])


def describe(folder: Path, **facts: object) -> None:
    """Write `model.json`: each file's SHA-256, which the loader checks, and what else it must know."""
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.suffix == ".onnx" or path.name == "tokenizer.json"
    }
    (folder / "model.json").write_text(
        json.dumps({**facts, "sha256": files}, indent=2) + "\n", encoding="utf-8"
    )


def export_embeddings(base: Path, tokenizer: Tokenizer, texts: list[str]) -> float:
    """The embedding model; the mean cosine to the original."""
    encoder = Encoder()
    encoder.load(base / "model.safetensors")
    network = Sentence(encoder)
    EMBEDDINGS.mkdir(parents=True, exist_ok=True)
    quantised(embedding_graph(network.state_dict()), EMBEDDINGS / "model.onnx")
    _plain_tokenizer(base, EMBEDDINGS)
    cosine = (run(EMBEDDINGS / "model.onnx", tokenizer, texts) * whole(network, tokenizer, texts)).sum(1)
    describe(
        EMBEDDINGS, name="all-MiniLM-L6-v2", width=384, longest=256, cosine=round(float(cosine.mean()), 4)
    )
    if cosine.mean() < _LEAST_COSINE:
        raise SystemExit(f"cosine to the original is {cosine.mean():.4f}")
    return float(cosine.mean())


def export_guard(weights: Path, base: Path, tokenizer: Tokenizer, texts: list[str], target: Path) -> float:
    """The guard's model; the mean difference of its probabilities to the network's."""
    network = Guard(Encoder())
    network.load_state_dict(load_file(weights))
    target.mkdir(parents=True, exist_ok=True)
    quantised(guard_graph(network.state_dict()), target / "model.onnx")
    _plain_tokenizer(base, target)
    exact = whole(network, tokenizer, texts)
    ours, theirs = (1 / (1 + np.exp(-one)) for one in (run(target / "model.onnx", tokenizer, texts), exact))
    difference = float(np.abs(ours - theirs).mean())
    describe(
        target,
        heads=list(HEADS),
        window=96,
        calibration=[[1.0, 0.0]] * len(HEADS),
        difference=round(difference, 4),
    )
    if difference > _MOST_DIFFERENCE:
        raise SystemExit(f"the quantised scores differ by {difference:.4f}")
    golden = [
        {"text": text, "logits": [round(float(one), 3) for one in row]}
        for text, row in list(zip(texts, exact, strict=True))[:_GOLDEN]
    ]
    GOLDEN.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return difference


def _plain_tokenizer(base: Path, target: Path) -> None:
    """The tokenizer without padding or cutting: the callers do both."""
    shutil.copyfile(base / "tokenizer.json", target / "tokenizer.json")
    stored = json.loads((target / "tokenizer.json").read_text(encoding="utf-8"))
    stored["padding"] = stored["truncation"] = None
    (target / "tokenizer.json").write_text(
        json.dumps(stored, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
    )


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--guard", type=Path)
    parser.add_argument("--out", type=Path, default=GUARD, help="where the guard's model goes")
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(96)
    made = [one.text for one in dataset.build(0, each=2).train if one.source.startswith(_MADE)]
    texts = [text for text in made if text.isprintable()][:_PROBES]
    if options.guard:
        print(
            "guard, mean difference:",
            export_guard(options.guard, options.base, tokenizer, texts, options.out),
        )
    else:
        print("embeddings, mean cosine:", export_embeddings(options.base, tokenizer, texts))


if __name__ == "__main__":
    main()
