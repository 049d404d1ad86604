"""Answers that an earlier run of the same campaign was given, so that a run that was stopped goes on.

A file of JSON lines: `{"key", "text", "finish_reason", "model", "tokens", "tool_calls"}`, a line an answer.
The key is the SHA-256 of whom was asked and of all that was sent. It is appended to after each batch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.checks.probing.asking import Interview, Pair, Side
from assay.core.canonical import canonical_digest, carriable
from assay.core.errors import ConfigError
from assay.subjects.endpoint import Answer, Prompt, ToolCall

MAX_FILE = 256 << 20  # bytes


class Memory:
    """Asks what it does not know already.

    Args:
        path: the file; None keeps nothing.
        identity: what the answers must be of: digests of the subjects.

    Attributes:
        known: answers that were taken from the file.

    Raises:
        ConfigError: the file cannot be read, or is none of ours.
    """

    def __init__(self, path: Path | None, identity: str = "") -> None:
        self._path, self._identity = path, identity
        self._answers: dict[str, Answer] = _read(path) if path else {}
        self.known = 0

    def ask(self, talk: Interview, candidate: Sequence[Prompt], baseline: Sequence[Prompt]) -> list[Pair]:
        """Both answers to each prompt; only what is not in the file is asked."""
        sides = zip(talk.sides, (candidate, baseline), strict=False)
        keys = [[self._key(side, prompt) for prompt in prompts] for side, prompts in sides]
        open_ = [at for at in range(len(candidate)) if any(side[at] not in self._answers for side in keys)]
        pairs = talk.ask([candidate[at] for at in open_], "attacks", [baseline[at] for at in open_])
        fresh = dict(zip(open_, pairs, strict=True))
        self._keep(keys, fresh)
        self.known += len(candidate) - len(open_)
        return [fresh[at] if at in fresh else self._pair(keys, at) for at in range(len(candidate))]

    def _pair(self, keys: list[list[str]], at: int) -> Pair:
        answers = [self._answers[side[at]] for side in keys]
        return Pair(answers[0], answers[1] if len(answers) > 1 else None)

    def _key(self, side: Side, prompt: Prompt) -> str:
        turns = [[turn.role, turn.text] for turn in prompt.history]
        tools = json.dumps([dict(tool) for tool in prompt.tools], sort_keys=True)
        sent = [prompt.system, turns, prompt.text, tools]
        asked = [self._identity, side.role, side.endpoint.url, side.endpoint.model, sent]
        return canonical_digest(carriable(asked))

    def _keep(self, keys: list[list[str]], fresh: Mapping[int, Pair]) -> None:
        lines = []
        for at, pair in fresh.items():
            for side, answer in zip(keys, (pair.candidate, pair.baseline), strict=False):
                if answer is not None and answer.ok:
                    self._answers[side[at]] = answer
                    lines.append(json.dumps({"key": side[at], **_written(answer)}) + "\n")
        if self._path is None or not lines:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(lines))
        except OSError as error:
            raise ConfigError(
                f"cannot be written: {error.strerror}", subject=str(self._path), remedy="Name another file."
            ) from error


def _written(answer: Answer) -> dict[str, Any]:
    return {
        "text": answer.text,
        "finish_reason": answer.finish_reason,
        "model": answer.model,
        "tokens": answer.tokens,
        "tool_calls": [[call.name, call.arguments] for call in answer.tool_calls],
    }


def _read(path: Path) -> dict[str, Answer]:
    if not path.exists():
        return {}
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", subject=str(path)) from error
    if len(data) > MAX_FILE:
        raise ConfigError("is too large to go on from", subject=str(path), remedy="Begin a new file.")
    lines = data.split(b"\n")
    # The last line was cut off where the run was stopped while it wrote; that answer is asked again.
    return dict(_answer(line, f"{path}:{number}") for number, line in enumerate(lines[:-1], 1) if line)


def _answer(line: bytes, where: str) -> tuple[str, Answer]:
    try:
        row = json.loads(line)
        calls = tuple(ToolCall(str(name), str(arguments)) for name, arguments in row["tool_calls"])
        answer = Answer(str(row["text"]), str(row["finish_reason"]), model=str(row["model"]), attempts=0)
        return str(row["key"]), replace(answer, tool_calls=calls, tokens=row["tokens"])
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise ConfigError(
            "is no answer of an earlier run", subject=where, remedy="Begin a new file."
        ) from error
