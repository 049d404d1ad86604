"""GGUF: a header that fits its file exactly, texts in its metadata that are judged, and nothing between."""

from __future__ import annotations

from collections.abc import Iterator

from assay.checks.packaging.artifact_scan import rules, texts
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import SAVE_AGAIN, raised
from assay.core.errors import LimitError, SubjectError
from assay.core.finding import Severity
from assay.subjects.gguf import (
    Array,
    Entry,
    Gap,
    GgufHeader,
    Span,
    UnknownVersionError,
    read_gguf,
    string_spans,
)
from assay.subjects.gguf.metadata import STRING

TEMPLATES = "tokenizer.chat_template"  # also `tokenizer.chat_template.NAME`, and names in `…chat_templates`
SMALL_ARRAY = 4096  # strings: lists of tags, languages, template names
VOCABULARY = 100  # bytes: a token of a larger array that is shorter is no sentence
ODD_PADDING = 64  # bytes of alignment that are not zero and still no place to hide in
PIECE = 1 << 20


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Check header and layout, judge every text."""
    try:
        header = read_gguf(blob.data, blob.start, blob.end)
    except (LimitError, UnknownVersionError) as error:
        inspection.skip(blob, f"the GGUF file is not followed: {error.cause}", SAVE_AGAIN)
        return
    except SubjectError as error:
        message = f"Reading the file could crash its reader, or worse: {error.cause}."
        inspection.report(rules.tensors.GGUF.finding(message, blob.place()))
        return
    for problem in header.problems:
        inspection.report(
            rules.tensors.GGUF.finding(f"Readers would disagree on the file: {problem}.", blob.place())
        )
    unknown = [tensor for tensor in header.tensors if tensor.size is None]
    if unknown and not header.problems:
        first = unknown[0]
        inspection.skip(
            blob,
            f"{len(unknown)} tensors, {first.name[:60]!r} are of types like {first.type_id} whose "
            "size is not known: what lies between them was not checked",
            "Write them again with a type of ggml.",
        )
    for gap in header.gaps:
        _gap(blob, header, gap, inspection)
    _texts(blob, header, inspection)


def skip_older(blob: Blob, inspection: Inspection) -> None:
    """The formats before GGUF tell neither their sizes nor their types well enough to be checked."""
    inspection.skip(blob, "a ggml file older than GGUF is not judged", "Convert it to GGUF.")


def _gap(blob: Blob, header: GgufHeader, gap: Gap, inspection: Inspection) -> None:
    start, end = header.data_start + gap.start, header.data_start + gap.end
    count, filled = end - start, _filled(blob, start, end)
    if gap.padding and not filled:
        return
    place = blob.place(start)
    if gap.padding and count <= ODD_PADDING:
        message = f"No reader of tensors would look at {count} bytes that align one, and they are not zero."
        inspection.report(rules.tensors.GGUF_UNUSED.finding(message, place, severity=Severity.LOW))
        return
    zero = "" if filled else "; all of them are zero"
    message = f"No reader of tensors would look at {count:,} bytes that belong to none{zero}."
    severity = None if filled else Severity.LOW
    inspection.report(rules.tensors.GGUF_UNUSED.finding(message, place, severity=severity))


def _filled(blob: Blob, start: int, end: int) -> bool:
    """Whether any byte is not zero."""
    return any(
        blob.data[at : min(at + PIECE, end)].strip(b"\0") for at in range(start, end, PIECE)
    )  # fmt: skip


def _texts(blob: Blob, header: GgufHeader, inspection: Inspection) -> None:
    left = inspection.options.max_text
    for entry, span in _strings(blob, header):
        left -= span.end - span.start
        if left < 0:
            most = inspection.options.max_text
            reason = f"its texts take more than {most:,} bytes; the rest was not examined"
            inspection.skip(blob, reason, raised("max_text"))
            return
        text = bytes(blob.data[span.start : span.end]).decode("utf-8", "replace")
        if entry.key.startswith(TEMPLATES):
            texts.templates.judge_template(blob, text, inspection, entry.key)
        else:
            inspection.text(blob, text)


def _strings(blob: Blob, header: GgufHeader) -> Iterator[tuple[Entry, Span]]:
    cursor = header.cursor(blob.data)
    for entry in header.metadata:
        if isinstance(entry.value, Span):
            yield entry, entry.value
        for array in entry.arrays:
            if array.kind == STRING:
                shortest = _shortest(array)
                yield from ((entry, span) for span in string_spans(blob.data, array, cursor, shortest))


def _shortest(array: Array) -> int:
    return 0 if array.count <= SMALL_ARRAY else VOCABULARY
