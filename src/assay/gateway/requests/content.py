"""The content of a message: a text, or parts of several kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.gateway.collecting import Collection, Unscanned, without
from assay.gateway.passages import Fragment, Path, strings
from assay.gateway.refusal import Refusal
from assay.gateway.requests.reading import mapping
from assay.guard.verdict import Source

# Parts that are text, and the key that holds it.
TEXT_PARTS = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "summary_text": "text",
    "reasoning_text": "text",
    "refusal": "refusal",
}
_MEDIA = frozenset(
    {
        "image_url",
        "input_image",
        "input_audio",
        "audio",
        "audio_url",
        "file",
        "input_file",
        "video_url",
        "video",
    }
    | {"computer_screenshot"}
)
_MAX_CAPTION = 4096  # characters; what is longer in a picture or a file is its data


def read_content(reading: Collection, value: Any, path: Path, source: Source) -> list[Fragment]:
    """Have the content of a message judged: all its text parts as one text, the rest part by part.

    Returns:
        The text parts.

    Raises:
        Refusal: it is neither text nor a list of parts.
    """
    if value is None:
        return []
    if isinstance(value, str):
        reading.add(source, [Fragment(path, value)])
        return [Fragment(path, value)]
    if not isinstance(value, list):
        raise Refusal(400, "invalid_type", "The content of a message must be a text or a list of parts.")
    texts: list[Fragment] = []
    for at, part in enumerate(value):
        here = (*path, at)
        if isinstance(part, str):
            texts.append(Fragment(here, part))
        else:
            texts += _part(reading, mapping(part, here), here, source)
    reading.pieces(source, [one for one in texts if one.text])
    return texts


def _part(reading: Collection, part: Mapping[str, Any], path: Path, source: Source) -> list[Fragment]:
    kind = part.get("type")
    key = TEXT_PARTS.get(kind) if isinstance(kind, str) else None
    if key is None or not isinstance(part.get(key), str):
        what = kind if kind in _MEDIA else "a part of an unknown kind"
        reading.skip(path, Unscanned.MEDIA, str(what))
        reading.add(source, (one for one in strings(part, path) if len(one.text) <= _MAX_CAPTION))
        return []
    reading.everything(source, without(part, key), path)
    return [Fragment((*path, key), part[key])]
