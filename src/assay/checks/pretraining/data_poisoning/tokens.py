"""Text as arrays: every prompt of the corpus as token numbers in one stream, never as Python objects."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from assay.guard.unicode import has_mixed_script_word, hidden_spans, visible

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

START, END = 0, 1
_TOKEN = re.compile("\\w+(?:['\u2019]\\w+)*|[^\\w\\s]")
_MAX_TOKEN = 64
MIXED_SCRIPT = "\ue000mixed-script word"


def tokenize(text: str) -> list[str]:
    """Lower-case words and single marks of punctuation."""
    return _TOKEN.findall(text.lower())


def oddities(text: str) -> set[str]:
    """Things in a text that are no words: each hidden character, and words of mixed scripts."""
    if text.isascii():
        return {character for character in text if character < " " and character not in "\t\n\r\f"}
    found = {text[span.start : span.start + 1] for span in hidden_spans(text)}
    if has_mixed_script_word(text):
        found.add(MIXED_SCRIPT)
    return found


@dataclass(frozen=True, slots=True)
class Corpus:
    """Prompts as one token stream.

    Attributes:
        stream: token numbers; each prompt stands between `START` and `END`.
        starts: where each prompt's `START` is, plus the stream's length at the end; shape (prompts + 1,).
        words: token number to token.
        odd_docs, odd_tokens: pairs of prompt and oddity; an oddity has a token number of its own and no
            place in the stream.
    """

    stream: Ints
    starts: Ints
    words: tuple[str, ...]
    odd_docs: Ints
    odd_tokens: Ints

    @property
    def size(self) -> int:
        """How many prompts there are."""
        return len(self.starts) - 1

    def owners(self) -> Ints:
        """For each place of the stream the prompt it belongs to."""
        return np.repeat(np.arange(self.size), np.diff(self.starts))

    def marks(self) -> npt.NDArray[np.bool_]:
        """Which token numbers are marks of punctuation; shape (words,)."""
        return np.array([len(word) == 1 and word > " " and not word.isalnum() for word in self.words])

    def phrase(self, place: int, length: int) -> tuple[str, ...]:
        """The tokens at a place of the stream."""
        return tuple(self.words[token] for token in self.stream[place : place + length])


@dataclass(slots=True)
class CorpusBuilder:
    """Collects prompts; call `build` once at the end."""

    vocabulary: dict[str, int] = field(default_factory=lambda: {"\x02": START, "\x03": END})
    stream: array[int] = field(default_factory=lambda: array("i"))
    starts: array[int] = field(default_factory=lambda: array("q"))
    odd_docs: array[int] = field(default_factory=lambda: array("q"))
    odd_tokens: array[int] = field(default_factory=lambda: array("q"))

    def add(self, text: str) -> None:
        """Append one prompt."""
        for odd in oddities(text):
            self.odd_docs.append(len(self.starts))
            self.odd_tokens.append(self._number("\x04" + odd))
        self.starts.append(len(self.stream))
        number = self.vocabulary.setdefault
        known = self.vocabulary
        shown = text if text.isascii() else visible(text)
        tokens = [number(token[:_MAX_TOKEN], len(known)) for token in tokenize(shown)]
        self.stream.append(START)
        self.stream.extend(tokens)
        self.stream.append(END)

    def _number(self, token: str) -> int:
        return self.vocabulary.setdefault(token, len(self.vocabulary))

    def build(self) -> Corpus:
        """The corpus of all prompts added so far."""
        starts = np.array([*self.starts, len(self.stream)], dtype=np.int64)
        stream = np.frombuffer(self.stream, dtype=np.int32).astype(np.int64)
        odd = (np.array(self.odd_docs, dtype=np.int64), np.array(self.odd_tokens, dtype=np.int64))
        return Corpus(stream, starts, tuple(self.vocabulary), *odd)
