"""How a chat becomes tokens: shared by training and serving so that the two cannot disagree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tokenizers import Tokenizer

PAD, SYSTEM, USER, ASSISTANT, END = "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"
SPECIAL_TOKENS = (PAD, SYSTEM, USER, ASSISTANT, END)
PAD_ID, END_ID = SPECIAL_TOKENS.index(PAD), SPECIAL_TOKENS.index(END)
ROLE_IDS = {"system": 1, "user": 2, "assistant": 3}

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def load_tokenizer(path: Path) -> Tokenizer:
    """Load a tokenizer that reads ``<|system|>`` inside a message as plain text.

    A customer who types a control token must not open a system turn.
    """
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True
    return tokenizer


def encode_turn(tokenizer: Tokenizer, role: str, content: str) -> list[int]:
    """Token ids of one finished turn."""
    ids: list[int] = tokenizer.encode(content, add_special_tokens=False).ids
    return [ROLE_IDS[role], *ids, END_ID]


def encode_prompt(tokenizer: Tokenizer, messages: Iterable[Mapping[str, str]]) -> list[int]:
    """Token ids of a chat that waits for the assistant's answer."""
    ids: list[int] = []
    for message in messages:
        ids += encode_turn(tokenizer, message["role"], message["content"])
    return [*ids, ROLE_IDS["assistant"]]
