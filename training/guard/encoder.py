"""MiniLM-L6 as a classifier: BERT's encoder (Devlin et al. 2018), its states' mean and maximum, logits."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

_WIDTH, _INNER, _HEADS, _LAYERS, _WORDS, _PLACES = 384, 1536, 12, 6, 30522, 512
_EPSILON = 1e-12
_BERT = {
    "attention.output.dense": "attended", "attention.output.LayerNorm": "norm_attended",
    "intermediate.dense": "widen", "output.dense": "narrow", "output.LayerNorm": "norm_narrow",
}  # fmt: skip


class Block(nn.Module):
    """One layer: self-attention and a feed-forward net, each with its residual and norm after."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.asked = nn.Linear(
            _WIDTH, 3 * _WIDTH
        )  # query, key and value side by side: one product instead of three
        self.attended = nn.Linear(_WIDTH, _WIDTH)
        self.norm_attended = nn.LayerNorm(_WIDTH, eps=_EPSILON)
        self.widen = nn.Linear(_WIDTH, _INNER)
        self.narrow = nn.Linear(_INNER, _WIDTH)
        self.norm_narrow = nn.LayerNorm(_WIDTH, eps=_EPSILON)
        self.drop = nn.Dropout(dropout)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """States of shape (texts, places, width); `bias` is added to the attention scores."""
        texts, places, _ = states.shape
        parts = self.asked(states).view(texts, places, 3, _HEADS, _WIDTH // _HEADS).permute(2, 0, 3, 1, 4)
        scores = parts[0] @ parts[1].transpose(-1, -2) * (_WIDTH // _HEADS) ** -0.5 + bias
        mixed = (scores.softmax(-1) @ parts[2]).transpose(1, 2).reshape(texts, places, _WIDTH)
        states = self.norm_attended(states + self.drop(self.attended(mixed)))
        return self.norm_narrow(states + self.drop(self.narrow(functional.gelu(self.widen(states)))))


class Encoder(nn.Module):
    """Token ids to states."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.words = nn.Embedding(_WORDS, _WIDTH)
        self.places = nn.Embedding(_PLACES, _WIDTH)
        self.norm = nn.LayerNorm(_WIDTH, eps=_EPSILON)
        self.blocks = nn.ModuleList(Block(dropout) for _ in range(_LAYERS))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Ids and mask of shape (texts, places), mask 1 where there is a token; states."""
        at = torch.arange(ids.shape[1], device=ids.device)
        states = self.norm(self.words(ids) + self.places(at))
        bias = (1.0 - mask[:, None, None, :].to(states.dtype)) * -1e4
        for block in self.blocks:
            states = block(states, bias)
        return states

    def load(self, path: Path) -> None:
        """Take over BERT's weights from a safetensors file; its one token type is added to the places."""
        stored = load_file(path)
        own = {"words.weight": stored["embeddings.word_embeddings.weight"]}
        own["places.weight"] = (
            stored["embeddings.position_embeddings.weight"]
            + stored["embeddings.token_type_embeddings.weight"][0]
        )
        for kind in ("weight", "bias"):
            own[f"norm.{kind}"] = stored[f"embeddings.LayerNorm.{kind}"]
            for number in range(_LAYERS):
                layer = f"encoder.layer.{number}."
                asked = [stored[f"{layer}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
                own[f"blocks.{number}.asked.{kind}"] = torch.cat(asked)
                for theirs, ours in _BERT.items():
                    own[f"blocks.{number}.{ours}.{kind}"] = stored[f"{layer}{theirs}.{kind}"]
        self.load_state_dict(own)

    def freeze(self, layers: int) -> None:
        """Leave the embeddings and the lowest layers as they are."""
        for part in (self.words, self.places, self.norm, *self.blocks[:layers]):
            part.requires_grad_(requires_grad=False)


class Sentence(nn.Module):
    """An encoder whose states' mean, of length 1, is a sentence's vector."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Vectors of shape (texts, width)."""
        return functional.normalize(mean(self.encoder(ids, mask), mask), dim=-1)


class Guard(nn.Module):
    """An encoder with one logit a head."""

    def __init__(self, encoder: Encoder, heads: int = 3, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.drop = nn.Dropout(dropout)
        self.heads = nn.Linear(2 * _WIDTH, heads)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits of shape (texts, heads)."""
        states = self.encoder(ids, mask).float()
        highest = (states + (1.0 - mask[..., None].float()) * -1e4).amax(1)
        return self.heads(self.drop(torch.cat((mean(states, mask), highest), -1)))


def mean(states: Tensor, mask: Tensor) -> Tensor:
    """The mean of the states where the mask is 1."""
    weights = mask[..., None].to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1.0)
