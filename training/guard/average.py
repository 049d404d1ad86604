"""The mean of several trainings' weights: `python -m training.guard.average --out FILE WEIGHTS …`.

Models that began as one and were trained apart often do better together, in one network of the same size
(Wortsman et al. 2022, "Model soups").
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def mean(states: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of each weight.

    Raises:
        ValueError: they are not of one network.
    """
    first = states[0]
    if any(one.keys() != first.keys() for one in states):
        raise ValueError("the files hold weights of different networks")
    return {
        name: torch.stack([one[name].double() for one in states]).mean(0).to(first[name].dtype)
        for name in first
    }


def main() -> None:
    """Parse, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    save_file(mean([load_file(path) for path in options.weights]), options.out)


if __name__ == "__main__":
    main()
