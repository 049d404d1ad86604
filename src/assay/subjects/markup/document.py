"""The elements of an XML document, by expat with everything switched off that would fetch or grow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from xml.parsers import expat

from assay.core.errors import LimitError, SubjectError

MAX_DEPTH = 1000
MAX_ELEMENTS = 20_000_000
MAX_CHARACTERS = 4096  # of one element's own text that are kept
PIECE = 1 << 20  # characters


class MarkupError(SubjectError):
    """The document is not well-formed."""


class Element(NamedTuple):
    """An element as it ends: name, attributes, start of its own text, nearest names around, root's name."""

    name: str
    attributes: Mapping[str, str]
    text: str
    parents: tuple[str, ...]
    root: str


class Instruction(NamedTuple):
    """A processing instruction."""

    target: str
    data: str


def read_elements(
    text: str, element: Callable[[Element], None], instruction: Callable[[Instruction], None]
) -> None:
    """Call `element` for each element as it ends, and `instruction` for each processing instruction.

    Raises:
        MarkupError: it is not well-formed, or an entity cannot be resolved within it.
        LimitError: it is deeper or has more elements than will be followed.
    """
    reader = _Reader(element, instruction)
    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.ProcessingInstructionHandler = reader.instruction
    parser.ExternalEntityRefHandler = reader.refuse
    try:
        for at in range(0, len(text), PIECE):
            parser.Parse(text[at : at + PIECE].encode("utf-8", "replace"), False)  # noqa: FBT003  expat's signature
        parser.Parse(b"", True)  # noqa: FBT003  expat's signature
    except expat.ExpatError as error:
        raise MarkupError(
            f"it is not well-formed: {expat.ErrorString(error.code)}, line {error.lineno}"
        ) from error


class _Reader:
    def __init__(
        self, element: Callable[[Element], None], instruction: Callable[[Instruction], None]
    ) -> None:
        self._element = element
        self._instruction = instruction
        self._names: list[str] = []
        self._open: list[tuple[dict[str, str], list[str]]] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._names) >= MAX_DEPTH:
            raise LimitError(f"more than {MAX_ELEMENTS:,} elements, or more than {MAX_DEPTH:,} deep")
        self._names.append(name)
        self._open.append((attributes, []))

    def end(self, name: str) -> None:
        attributes, text = self._open.pop()
        root = self._names[0]
        self._names.pop()
        shown = "".join(text)[:MAX_CHARACTERS]
        self._element(Element(name, attributes, shown, tuple(self._names[-4:]), root))

    def characters(self, data: str) -> None:
        if self._open:
            kept = self._open[-1][1]
            if len(kept) < MAX_CHARACTERS:
                kept.append(data[:MAX_CHARACTERS])

    def instruction(self, target: str, data: str) -> None:
        self._instruction(Instruction(target, data))

    def refuse(self, *_: object) -> int:
        return 0  # expat then stops with an error: nothing is fetched
