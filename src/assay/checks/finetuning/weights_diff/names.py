"""Layers and roles, read off the names of tensors."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A number that is a whole part of the name (`layers.12.mlp`, `h.3.attn`), or follows a word for a layer
# (`layer_11`, `block3`).
NUMBER = re.compile(r"(?<![^./])\d{1,6}(?![^./])|(?<=layer_)\d{1,6}|(?<=block_)\d{1,6}|(?<=block)\d{1,6}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor belongs.

    Attributes:
        role: its name with every layer number replaced by `*`; peers share it.
        stack: what is counted by the first number, such as `model.layers`; "" when there is none.
        layer: the first number.
    """

    role: str
    stack: str
    layer: int | None


def place(name: str) -> Place:
    """Read layer and role off a tensor's name.

    >>> place("model.layers.12.self_attn.q_proj.weight")
    Place(role='model.layers.*.self_attn.q_proj.weight', stack='model.layers', layer=12)
    """
    first = NUMBER.search(name)
    if first is None:
        return Place(name, "", None)
    return Place(NUMBER.sub("*", name), name[: first.start()].rstrip("./_"), int(first.group()))
