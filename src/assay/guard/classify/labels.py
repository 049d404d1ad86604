"""What the outputs of a user's classifier are about: `config.json` names them, `labels.json` overrules.

Hugging Face's `config.json` has `id2label`; what its names mean is known for the usual ones. `labels.json`
says it for others: `{"LABEL_1": ["injection", "jailbreak"], "LABEL_0": []}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.core.errors import ConfigError
from assay.guard.verdict import HEADS

MAX_CONFIG = 1 << 20  # bytes
MAX_LABELS, SHORTEST = 100, 16  # outputs, and tokens that a network must read at a time
_ATTACK = ("injection", "jailbreak")
# As Prompt Guard 1 and 2, ProtectAI's and deepset's DeBERTa and the usual toxicity models call them.
_KNOWN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("benign", "safe", "legit", "normal", "clean", "non-toxic", "neutral", "ham"), ()),
    **dict.fromkeys(("injection", "prompt-injection", "indirect"), ("injection",)),
    "jailbreak": ("jailbreak",),
    **dict.fromkeys(("malicious", "unsafe", "attack", "harmful"), _ATTACK),
    **dict.fromkeys(
        ("toxic", "toxicity", "hate", "insult", "severe-toxic", "threat", "offensive"), ("toxicity",)
    ),
}
# Prompt Guard 2 names its two labels by number only.
_NUMBERED: Mapping[str, tuple[str, ...]] = {"label-0": (), "label-1": _ATTACK}
_REMEDY = (
    'Write labels.json beside the model: a mapping of each label to a list of "injection", "jailbreak", '
    '"toxicity"; [] for harmless.'
)


@dataclass(frozen=True, slots=True)
class Labels:
    """How a row of outputs is read.

    Attributes:
        heads: for each output the heads that it speaks of.
        exclusive: outputs exclude each other (softmax), else each stands alone (sigmoid).
        longest: tokens that the network reads at a time, or 0 where it is not said.
    """

    heads: tuple[tuple[str, ...], ...]
    exclusive: bool
    longest: int

    def __call__(self, outputs: NDArray[np.float32]) -> Mapping[str, float]:
        """Scores 0..1 by head: the sum of its labels, or the highest of them where each stands alone."""
        chances = _softmax(outputs) if self.exclusive else 1 / (1 + np.exp(-np.clip(outputs, -60, 60)))
        found: dict[str, float] = {}
        for heads, chance in zip(self.heads, chances.tolist(), strict=True):
            for head in heads:
                joined = (
                    found.get(head, 0.0) + chance if self.exclusive else max(found.get(head, 0.0), chance)
                )
                found[head] = min(1.0, joined)
        return found


def read_labels(folder: Path) -> Labels:
    """The labels of the classifier in a folder.

    Raises:
        ConfigError: a file cannot be read, or does not say what each output is about.
    """
    config = _mapping(folder / "config.json")
    names = _names(config, folder)
    own = _mapping(folder / "labels.json") if (folder / "labels.json").exists() else None
    heads = tuple(_heads(name, own, numbered=len(names) == 2, folder=folder) for name in names)  # noqa: PLR2004
    if not any(heads):
        raise ConfigError("none of its labels is about an attack", subject=str(folder), remedy=_REMEDY)
    longest = config.get("max_position_embeddings", 0)
    if type(longest) is not int or 0 < longest < SHORTEST or longest < 0:
        raise ConfigError(
            f"its max_position_embeddings is not a number from {SHORTEST} on",
            subject=str(folder / "config.json"),
            remedy="Give the config.json that belongs to the network.",
        )
    single = config.get("problem_type") == "multi_label_classification" or len(names) == 1
    return Labels(heads, not single, longest)


def _names(config: Mapping[str, Any], folder: Path) -> list[str]:
    labels = config.get("id2label")
    numbers = [str(at) for at in range(len(labels))] if isinstance(labels, dict) else []
    if not isinstance(labels, dict) or not 0 < len(labels) <= MAX_LABELS or set(labels) != set(numbers):
        raise ConfigError(
            f"its id2label does not name 1 to {MAX_LABELS} outputs", subject=str(folder / "config.json"),
            remedy='Write them as {"id2label": {"0": "safe", "1": "injection"}}.',
        )  # fmt: skip
    return [str(labels[number]) for number in numbers]


def _heads(name: str, own: Mapping[str, Any] | None, *, numbered: bool, folder: Path) -> tuple[str, ...]:
    if own is not None:
        heads = own.get(name)
        if not isinstance(heads, list) or not set(map(str, heads)) <= set(HEADS):
            raise ConfigError(
                f"does not say what {name!r} is about", subject=str(folder / "labels.json"), remedy=_REMEDY
            )
        return tuple(heads)
    plain = name.strip().lower().replace("_", "-").replace(" ", "-")
    known = {**_KNOWN, **_NUMBERED} if numbered else _KNOWN
    if plain not in known:
        raise ConfigError(
            f"it is not known what its label {name!r} is about", subject=str(folder), remedy=_REMEDY
        )
    return known[plain]


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG + 1)
        document = json.loads(content) if len(content) <= MAX_CONFIG else None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"cannot be read: {error}", subject=str(path), remedy=_REMEDY) from error
    if not isinstance(document, dict):
        raise ConfigError("is no mapping of at most 1 MiB", subject=str(path), remedy=_REMEDY)
    return document


def _softmax(outputs: NDArray[np.float32]) -> NDArray[np.float64]:
    raised = np.exp(outputs.astype(np.float64) - outputs.max())
    shares: NDArray[np.float64] = raised / raised.sum()
    return shares
