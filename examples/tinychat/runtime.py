"""Run a tinychat model folder with onnxruntime: safetensors in, text out, never a pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from chat import END_ID, encode_prompt, load_tokenizer
from safetensors import SafetensorError
from safetensors.numpy import load

GRAPH = Path(__file__).parent / "graph.onnx"
MODEL_FILES = ("model.safetensors", "config.json", "tokenizer.json")
Array = npt.NDArray[Any]


class ModelRefusedError(Exception):
    """The given path is not a model this server is willing to load."""


class PromptTooLongError(Exception):
    """The prompt leaves no room for an answer within the model's context."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn; ``temperature`` 0 is greedy."""

    max_tokens: int = 64
    temperature: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(slots=True)
class Answer:
    """What one generation used and how it ended; filled in while the text is produced."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str = "stop"


def model_folder(path: Path) -> Path:
    """The folder of a model given as a folder or as its weights file.

    Raises:
        ModelRefusedError: something is missing, or the weights are not safetensors.
    """
    if path.is_file() and path.suffix != ".safetensors":
        raise ModelRefusedError(f"{path} is not a .safetensors file; no other format is ever loaded")
    folder = path.parent if path.is_file() else path
    if path.is_file() and path.name != MODEL_FILES[0]:
        raise ModelRefusedError(f"the weights must be named {MODEL_FILES[0]}, not {path.name}")
    missing = [name for name in MODEL_FILES if not (folder / name).is_file()]
    if missing:
        raise ModelRefusedError(f"{folder} is not a safetensors model folder: {', '.join(missing)} missing")
    return folder


def parse_weights(path: Path, stored: bytes) -> dict[str, Array]:
    """Read tensors as float32 from the bytes of a safetensors file.

    Raises:
        ModelRefusedError: the bytes are not safetensors, whatever the file's name says.
    """
    try:
        return {name: value.astype(np.float32) for name, value in load(stored).items()}
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelRefusedError(f"{path} is not a valid safetensors file: {error}") from error


def open_session(weights: Mapping[str, Array]) -> onnxruntime.InferenceSession:
    """Put the weights into the graph.

    Raises:
        ModelRefusedError: a tensor is missing or has another shape than the graph declares.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in weights.values()]
    options.add_external_initializers(list(weights), values)
    try:
        return onnxruntime.InferenceSession(GRAPH.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no public base class
        raise ModelRefusedError(f"the weights do not fit the graph: {error}") from error


class Bot:
    """A loaded model. Safe to share between threads: a generation's state is its own."""

    def __init__(self, path: Path) -> None:
        folder = model_folder(path)
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            self.context = int(config["max_position_embeddings"])
            heads, size = int(config["num_attention_heads"]), int(config["head_dim"])
            self._layers = int(config["num_hidden_layers"])
        except (ValueError, KeyError, TypeError) as error:
            raise ModelRefusedError(f"{folder / 'config.json'} is not usable: {error!r}") from error
        self.name = folder.resolve().name
        self._empty = np.zeros((1, heads, 0, size), dtype=np.float32)
        try:
            self._tokenizer = load_tokenizer(folder / "tokenizer.json")
        except Exception as error:  # the tokenizers library raises bare Exception
            raise ModelRefusedError(f"{folder / 'tokenizer.json'} is not usable: {error}") from error
        weights = folder / "model.safetensors"
        stored = weights.read_bytes()  # hashed and parsed from one read: no swap in between
        self.sha256 = hashlib.sha256(stored).hexdigest()
        self._session = open_session(parse_weights(weights, stored))
        self._outputs = [output.name for output in self._session.get_outputs()]

    def generate(
        self, messages: Sequence[Mapping[str, str]], sampling: Sampling, answer: Answer
    ) -> Iterator[str]:
        """Yield the answer in pieces, each ending between characters, and fill ``answer``.

        Raises:
            PromptTooLongError: before the first piece, where the prompt fills the context.
        """
        prompt = encode_prompt(self._tokenizer, messages)
        if len(prompt) >= self.context:
            raise PromptTooLongError(
                f"the prompt has {len(prompt)} tokens; the context holds {self.context} with the answer"
            )
        answer.prompt_tokens = len(prompt)
        return self._pieces(self._tokens(prompt, sampling, answer), sampling.stop, answer)

    def complete(self, messages: Sequence[Mapping[str, str]], sampling: Sampling | None = None) -> str:
        """The whole answer as one string."""
        return "".join(self.generate(messages, sampling or Sampling(), Answer()))

    def _tokens(self, prompt: list[int], sampling: Sampling, answer: Answer) -> Iterator[int]:
        """Yield token ids up to the end token or the limit."""
        random = np.random.default_rng(sampling.seed)
        limit = min(sampling.max_tokens, self.context - len(prompt))
        cache = dict.fromkeys(
            (f"past.{layer}.{part}" for layer in range(self._layers) for part in ("key", "value")),
            self._empty,
        )
        fresh, seen = prompt, 0
        for _ in range(limit):
            logits, cache = self._step(fresh, seen, cache)
            token = _pick(logits, sampling.temperature, random)
            answer.completion_tokens += 1
            if token == END_ID:
                return
            yield token
            seen += len(fresh)
            fresh = [token]
        answer.finish_reason = "length"

    def _step(self, ids: list[int], seen: int, cache: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
        """Feed tokens behind a cache; return the last position's logits and the grown cache."""
        count = len(ids)
        mask = np.triu(np.full((count, seen + count), -1e9, dtype=np.float32), seen + 1)
        feeds = {
            "input_ids": np.array([ids], dtype=np.int64),
            "position_ids": np.arange(seen, seen + count, dtype=np.int64)[None],
            "mask": mask[None, None],
            **cache,
        }
        logits, *present = self._session.run(self._outputs, feeds)
        return logits[0, -1], dict(zip(cache, present, strict=True))

    def _pieces(self, tokens: Iterator[int], stop: tuple[str, ...], answer: Answer) -> Iterator[str]:
        """Turn tokens into text, holding back what may still become a character or a stop word."""
        ids: list[int] = []
        sent, hold = 0, max((len(word) for word in stop), default=1) - 1
        text = ""
        for token in tokens:
            ids.append(token)
            text = self._tokenizer.decode(ids, skip_special_tokens=True)
            cut = _first_stop(text, stop)
            if cut is not None:
                answer.finish_reason = "stop"
                text = text[:cut]
                break
            safe = len(text.rstrip("\ufffd")) - hold
            if safe > sent:
                yield text[sent:safe]
                sent = safe
        if len(text) > sent:
            yield text[sent:]


def _first_stop(text: str, stop: tuple[str, ...]) -> int | None:
    found = [at for word in stop if (at := text.find(word)) >= 0]
    return min(found, default=None)


def _pick(logits: Array, temperature: float, random: np.random.Generator) -> int:
    """Draw a token: the likeliest at temperature 0 (or so near it that a division overflows)."""
    if temperature < 1e-4:
        return int(logits.argmax())
    scaled = (logits - logits.max()).astype(np.float64) / temperature
    chances = np.exp(scaled)
    return int(random.choice(len(chances), p=chances / chances.sum()))
