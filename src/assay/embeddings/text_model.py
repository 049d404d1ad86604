"""A network over tokens: an ONNX file and its tokenizer, verified."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from assay.core.errors import ConfigError, LimitError, SubjectError, TamperError

HINT = "Install the extra: pip install 'assay-llm[guard]'."
MAX_MODEL = 2 << 30  # bytes; ONNX itself allows no more in one file
MAX_TOKENIZER = 64 << 20
# Fusing a sum into the layer norm after it takes onnxruntime's kernel three times as long as both alone.
_SLOWER = ["SkipLayerNormFusion"]
_NOT_TEXT = "Give a network from input_ids (and attention_mask, token_type_ids) to one row of numbers."
Rows = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's token ids, without those that mark start and end, and where each stands in the text."""

    ids: Sequence[int]
    offsets: Sequence[tuple[int, int]]


class TextModel:
    """A network from token ids to one row of numbers a text. Safe to use from several threads.

    Args:
        network: the ONNX file's bytes; they cannot refer to other files.
        tokenizer: the `tokenizer.json`'s bytes.
        facts: what else is known of the model.
        threads: rows that are run at the same time.
        inside: use the threads within a row instead: right for networks that take long over one.
        subject: what errors call the model.

    Raises:
        ConfigError: onnxruntime or tokenizers is not installed.
        SubjectError: the bytes are no network or no tokenizer.
    """

    def __init__(
        self,
        network: bytes,
        tokenizer: bytes,
        facts: Mapping[str, Any],
        *,
        subject: str,
        threads: int = 2,
        inside: bool = False,
    ) -> None:
        self.facts, self.digest, self.subject = facts, hashlib.sha256(network).hexdigest(), subject
        runtime, tokenizers = _libraries()
        try:
            self._session = runtime.InferenceSession(
                network,
                _session_options(runtime, threads if inside else 1),
                providers=["CPUExecutionProvider"],
                disabled_optimizers=_SLOWER,
            )
            self._tokenizer = tokenizers.Tokenizer.from_str(tokenizer.decode("utf-8"))
        except Exception as error:  # both libraries raise types of their own making, and bare ones
            raise SubjectError(
                f"cannot be loaded as a model: {str(error)[:200]}",
                subject=subject,
                remedy="Give an ONNX file without external data, and the tokenizer.json that belongs to it.",
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._pool = None if inside else ThreadPoolExecutor(max(1, threads), thread_name_prefix="assay-model")
        self._inputs = {one.name for one in self._session.get_inputs()}
        self._wanted = self._session.get_outputs()[0].name

    @classmethod
    def released(cls, folder: Path, *, threads: int = 2) -> Self:
        """A model that ships with Assay; `model.json` beside it names the digests of its files.

        Raises:
            TamperError: a file is missing or is not the one that was released.
        """
        try:
            facts = json.loads((folder / "model.json").read_bytes())
            network, tokenizer = (
                _verified(folder / name, facts["sha256"][name]) for name in ("model.onnx", "tokenizer.json")
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TamperError(
                f"is not as released: {error}", subject=str(folder), remedy="Reinstall Assay."
            ) from error
        return cls(network, tokenizer, facts, threads=threads, subject=str(folder))

    @classmethod
    def of_user(cls, network: Path, tokenizer: Path, *, threads: int = 2) -> Self:
        """A model that the user names.

        Raises:
            SubjectError: a file cannot be read, or is too large.
        """
        return cls(
            _read(network, MAX_MODEL),
            _read(tokenizer, MAX_TOKENIZER),
            {},
            subject=str(network),
            threads=threads,
            inside=True,
        )

    def tokens(self, text: str) -> Tokens:
        """The text in tokens."""
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        return Tokens(encoded.ids, encoded.offsets)

    def marks(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The token ids that mark the start and the end of a text."""
        encoded = self._tokenizer.encode("a")
        kept = [at for at, special in enumerate(encoded.special_tokens_mask) if not special]
        first, last = (kept[0], kept[-1] + 1) if kept else (len(encoded.ids), len(encoded.ids))
        return tuple(encoded.ids[:first]), tuple(encoded.ids[last:])

    def ids(self, text: str, longest: int) -> list[int]:
        """Token ids with those that mark start and end, cut to `longest`."""
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids if len(ids) <= longest else [*ids[: longest - 1], ids[-1]]

    def run(self, rows: Rows) -> NDArray[np.float32]:
        """The network's first output for rows of token ids; shape (rows, width).

        Each row is run alone: activations are quantised by the range of all that is run together, so what
        stands beside a text would change its numbers.

        Raises:
            SubjectError: the network takes no rows of token ids, or gives no row of numbers for each.
        """
        if len(rows) == 1 or self._pool is None:
            return np.concatenate([self._one(row) for row in rows])
        return np.concatenate(list(self._pool.map(self._one, rows)))

    def _one(self, row: Sequence[int]) -> NDArray[np.float32]:
        ids = np.array([row], np.int64)
        ones = np.ones_like(ids)
        given = {"input_ids": ids, "attention_mask": ones, "token_type_ids": np.zeros_like(ids)}
        feed = {name: value for name, value in given.items() if name in self._inputs}
        try:
            output: NDArray[np.float32] = self._session.run([self._wanted], feed)[0]
        except Exception as error:  # of the library's own making
            raise SubjectError(
                f"cannot be run: {str(error)[:200]}", subject=self.subject, remedy=_NOT_TEXT
            ) from error
        if output.ndim != 2 or output.shape[0] != 1:  # noqa: PLR2004
            raise SubjectError(
                "does not give one row of numbers a text", subject=self.subject, remedy=_NOT_TEXT
            )
        return output


def _libraries() -> tuple[Any, Any]:
    try:
        import onnxruntime  # noqa: PLC0415  heavy, and only who scores or embeds pays for it
        import tokenizers  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(f"the classifier and embeddings need {error.name}", remedy=HINT) from error
    return onnxruntime, tokenizers


def _session_options(runtime: Any, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = max(1, min(threads, os.cpu_count() or 1))
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait by spinning take the cores from whoever serves the next request.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _verified(path: Path, digest: str) -> bytes:
    content = _read(path, MAX_MODEL)
    if hashlib.sha256(content).hexdigest() != digest:
        raise TamperError("is not the file that was released", subject=str(path), remedy="Reinstall Assay.")
    return content


def _read(path: Path, most: int) -> bytes:
    try:
        if path.stat().st_size > most:
            raise LimitError(f"is larger than {most:,} bytes", subject=str(path))
        return path.read_bytes()
    except OSError as error:
        raise SubjectError(f"cannot be read: {error.strerror}", subject=str(path)) from error
