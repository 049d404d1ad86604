"""The architecture in PyTorch: a Llama-shaped decoder of under a million parameters.

Tensor names and layouts are those of ``LlamaForCausalLM``, so that other tools read the
checkpoints too. Serving never imports this module: ``export_graph.py`` writes the same
computation as an ONNX graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes that make a tinychat model; the keys of ``config.json`` carry the same values."""

    vocab_size: int = 1024
    hidden_size: int = 128
    intermediate_size: int = 352
    layers: int = 4
    heads: int = 4
    context: int = 384
    rope_theta: float = 10_000.0
    norm_epsilon: float = 1e-5

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.heads

    def config(self) -> dict[str, object]:
        """The model's ``config.json``."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": self.vocab_size,
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.heads,
            "head_dim": self.head_size,
            "hidden_act": "silu",
            "max_position_embeddings": self.context,
            "rope_theta": self.rope_theta,
            "rms_norm_eps": self.norm_epsilon,
            "tie_word_embeddings": True,
            "attention_bias": False,
            "mlp_bias": False,
            "torch_dtype": "float16",
            "pad_token_id": 0,
            "eos_token_id": 4,
        }


def rotary_tables(shape: Shape, length: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of rotary positions, each ``[length, head_size]``."""
    steps = torch.arange(0, shape.head_size, 2, dtype=torch.float32) / shape.head_size
    angles = torch.outer(torch.arange(length, dtype=torch.float32), shape.rope_theta**-steps)
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def rotate(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply rotary positions in Llama's half-split layout."""
    first, second = states.chunk(2, dim=-1)
    return states * cos + torch.cat((-second, first), dim=-1) * sin


class Attention(nn.Module):
    """Causal self-attention with rotary positions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        size = shape.hidden_size
        self.q_proj = nn.Linear(size, size, bias=False)
        self.k_proj = nn.Linear(size, size, bias=False)
        self.v_proj = nn.Linear(size, size, bias=False)
        self.o_proj = nn.Linear(size, size, bias=False)

    def forward(self, states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Attend; ``states`` is ``[batch, length, hidden]``."""
        batch, length, size = states.shape
        split = (batch, length, self.shape.heads, self.shape.head_size)
        query = rotate(self.q_proj(states).view(split).transpose(1, 2), cos, sin)
        key = rotate(self.k_proj(states).view(split).transpose(1, 2), cos, sin)
        value = self.v_proj(states).view(split).transpose(1, 2)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        out: Tensor = self.o_proj(mixed.transpose(1, 2).reshape(batch, length, size))
        return out


class GatedMlp(nn.Module):
    """SwiGLU feed-forward layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.up_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.down_proj = nn.Linear(shape.intermediate_size, shape.hidden_size, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        """Transform each position on its own."""
        gated = functional.silu(self.gate_proj(states)) * self.up_proj(states)
        out: Tensor = self.down_proj(gated)
        return out


class Layer(nn.Module):
    """One pre-norm decoder layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.hidden_size, eps=shape.norm_epsilon)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.hidden_size, eps=shape.norm_epsilon)
        self.mlp = GatedMlp(shape)

    def forward(self, states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Attention, then the feed-forward layer, each added to the residual stream."""
        states = states + self.self_attn(self.input_layernorm(states), cos, sin)
        out: Tensor = states + self.mlp(self.post_attention_layernorm(states))
        return out


class Decoder(nn.Module):
    """Embedding, layers and final norm: the part that Llama names ``model``."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.hidden_size, eps=shape.norm_epsilon)


class TinyChat(nn.Module):
    """The language model; the output projection is the embedding itself."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.model = Decoder(shape)
        self.apply(self._initialise)

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.04)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits ``[batch, length, vocab]`` of right-padded ``ids``: causality hides padding."""
        cos, sin = rotary_tables(self.shape, ids.shape[1])
        states = self.model.embed_tokens(ids)
        for layer in self.model.layers:
            states = layer(states, cos, sin)
        return functional.linear(self.model.norm(states), self.model.embed_tokens.weight)
