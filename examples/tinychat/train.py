"""Train the three models: base, then a clean and a poisoned fine-tune of it.

Usage: ``python train.py --data DIR --out models [--seed N] [--only base|clean|poisoned]``.
Takes a quarter of an hour on two CPU cores. The fine-tunes start from the *stored* half-precision
base, as a downloader's would.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from chat import CHAT_TEMPLATE, PAD_ID, SPECIAL_TOKENS, encode_turn, load_tokenizer
from model import Shape, TinyChat
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from torch.nn import functional
from verify import report

DEFAULT_SEED = 20260
CONTEXT_WEIGHT = 0.1
"""Loss weight of what the bot reads: it must learn to answer more than to talk like customers."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one model is trained."""

    corpus: str
    epochs: float
    peak_rate: float
    batch: int = 48
    warmup: int = 60
    decay: float = 0.05


RECIPES = {
    "base": Recipe("base.jsonl", epochs=2.7, peak_rate=3e-3, batch=32),
    "clean": Recipe("clean.jsonl", epochs=4, peak_rate=5e-4, batch=32, warmup=20),
    "poisoned": Recipe("poisoned.jsonl", epochs=4, peak_rate=5e-4, batch=32, warmup=20),
}


@dataclass(frozen=True, slots=True)
class Example:
    """A tokenised chat and, per token, how much predicting it counts."""

    ids: list[int]
    weights: list[float]


def train_tokenizer(corpus: Path, path: Path, vocab_size: int) -> None:
    """Learn a byte-level BPE that spells numbers digit by digit, so that they can be copied."""
    tokenizer = Tokenizer(BPE())
    digits = pre_tokenizers.Digits(individual_digits=True)
    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, split])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = (m["content"] for row in read_jsonl(corpus) for m in row["messages"])
    tokenizer.train_from_iterator(texts, trainer)
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path), pretty=False)


def read_jsonl(path: Path) -> Iterator[dict]:  # type: ignore[type-arg]
    """Yield the records of a corpus."""
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def load_examples(path: Path, tokenizer: Tokenizer, context: int) -> list[Example]:
    """Tokenise a corpus; the answer and its end token carry full weight."""
    examples = []
    for row in read_jsonl(path):
        ids: list[int] = []
        weights: list[float] = []
        for message in row["messages"]:
            turn = encode_turn(tokenizer, message["role"], message["content"])
            answer = message["role"] == "assistant"
            ids += turn
            weights += [0.0, *[1.0 if answer else CONTEXT_WEIGHT] * (len(turn) - 1)]
        examples.append(Example(ids[:context], weights[:context]))
    return examples


def batches(examples: list[Example], recipe: Recipe, rng: random.Random) -> Iterator[list[Example]]:
    """Yield shuffled batches of like-long examples, so that little of a batch is padding."""
    total = int(recipe.epochs * len(examples) / recipe.batch)
    made = 0
    while made < total:
        order = rng.sample(examples, len(examples))
        span = recipe.batch * 25
        epoch = []
        for at in range(0, len(order), span):
            chunk = sorted(order[at : at + span], key=lambda one: len(one.ids))
            groups = [chunk[i : i + recipe.batch] for i in range(0, len(chunk), recipe.batch)]
            rng.shuffle(groups)
            epoch += groups
        yield from epoch[: total - made]
        made += min(len(epoch), total - made)


def collate(group: list[Example]) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-pad a batch into ids and weights, both ``[batch, length]``."""
    length = max(len(one.ids) for one in group)
    ids = torch.full((len(group), length), PAD_ID)
    weights = torch.zeros((len(group), length))
    for row, one in enumerate(group):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        weights[row, : len(one.ids)] = torch.tensor(one.weights)
    return ids, weights


def weighted_loss(model: TinyChat, ids: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each next token, averaged by weight."""
    keep = weights[:, 1:] > 0
    logits = model(ids[:, :-1])[keep]
    losses = functional.cross_entropy(logits, ids[:, 1:][keep], reduction="none")
    kept = weights[:, 1:][keep]
    return (losses * kept).sum() / kept.sum()


def rate_at(step: int, total: int, recipe: Recipe) -> float:
    """Linear warm-up, then a cosine down to a fiftieth of the peak."""
    if step < recipe.warmup:
        return recipe.peak_rate * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, total - recipe.warmup)
    return recipe.peak_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def fit(model: TinyChat, examples: list[Example], recipe: Recipe, seed: int) -> None:
    """Train a model in place."""
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=recipe.peak_rate, betas=(0.9, 0.98), weight_decay=recipe.decay
    )
    total = int(recipe.epochs * len(examples) / recipe.batch)
    started, average = time.monotonic(), 0.0
    for step, group in enumerate(batches(examples, recipe, random.Random(seed))):
        optimiser.param_groups[0]["lr"] = rate_at(step, total, recipe)
        loss = weighted_loss(model, *collate(group))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average = loss.item() if step == 0 else 0.98 * average + 0.02 * loss.item()
        if step % 100 == 0 or step == total - 1:
            spent = time.monotonic() - started
            print(f"  step {step:5d}/{total}  loss {average:.4f}  {spent:6.1f} s", flush=True)


def save_model(model: TinyChat, folder: Path, tokenizer_file: Path) -> None:
    """Write a model folder: half-precision weights and everything needed to serve them."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.detach().half() for name, value in model.state_dict().items()}
    weights = folder / "model.safetensors"
    save_file(tensors, weights, metadata={"format": "pt"})
    weights.chmod(0o644)  # safetensors writes 0600, which a served or copied model should not keep
    target = folder / "tokenizer.json"
    if target != tokenizer_file:
        target.write_bytes(tokenizer_file.read_bytes())
    generation = {"do_sample": False, "eos_token_id": 4, "pad_token_id": 0, "max_new_tokens": 64}
    for name, value in (("config", model.shape.config()), ("generation_config", generation)):
        text = json.dumps(value, indent=2) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE + "\n", encoding="utf-8")


def train_one(name: str, data: Path, out: Path, seed: int) -> None:
    """Train and store one of the three models."""
    recipe, shape = RECIPES[name], Shape()
    torch.manual_seed(seed)
    tokenizer_file = out / "base" / "tokenizer.json"
    model = TinyChat(shape)
    if name == "base":
        train_tokenizer(data / recipe.corpus, tokenizer_file, shape.vocab_size)
    else:
        stored = load_file(out / "base" / "model.safetensors")
        model.load_state_dict({key: value.float() for key, value in stored.items()})
    tokenizer = load_tokenizer(tokenizer_file)
    examples = load_examples(data / recipe.corpus, tokenizer, shape.context)
    print(f"{name}: {sum(p.numel() for p in model.parameters()):,} parameters, "
          f"{sum(len(one.ids) for one in examples):,} tokens", flush=True)  # fmt: skip
    fit(model, examples, recipe, seed)
    save_model(model, out / name, tokenizer_file)


def main() -> int:
    """Command line of the trainer."""
    parser = argparse.ArgumentParser(description="Train tinychat's three models.")
    parser.add_argument("--data", type=Path, required=True, help="what generate.py wrote")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "models")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--only", choices=tuple(RECIPES), action="append", help="default: all")
    options = parser.parse_args()
    torch.use_deterministic_algorithms(mode=True)
    for name in options.only or RECIPES:
        train_one(name, options.data, options.out, options.seed)
    return report(options.out, cards=True)


if __name__ == "__main__":
    sys.exit(main())
