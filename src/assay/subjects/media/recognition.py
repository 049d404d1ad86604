"""Which format of pictures, sound, documents or tables bytes begin as."""

from __future__ import annotations

import re

from assay.subjects.media.streams import frame_size
from assay.subjects.media.walked import Data

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF87a", "gif"), (b"GIF89a", "gif"),
    (b"OggS\0", "ogg"), (b"ID3\2", "mp3"), (b"ID3\3", "mp3"), (b"ID3\4", "mp3"), (b"%PDF-", "pdf"),
    (b"ARROW1\0\0", "arrow"),
)  # fmt: skip
_NAMED_MAP = re.compile(rb"(?:[\x81-\x8f]|\xde..|\xdf....)(?:[\xa5-\xbf]|\xd9.)[A-Za-z_][\w.]{4}", re.DOTALL)


def recognise(data: Data, start: int, end: int) -> str:
    """The format's name, or ""."""
    head = bytes(data[start : min(start + 32, end)])
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"fLaC" and head[4:8] in {b"\0\0\0\x22", b"\x80\0\0\x22"}:
        return "flac"
    if head[:4] == b"RIFF" and head[8:12] in {b"WAVE", b"WEBP"}:
        return "wav" if head[8:12] == b"WAVE" else "webp"
    if head[:2] == b"\0\0" and head[4:8] == b"ftyp":
        return "mp4"
    if head[:4] == b"PAR1" and (data[end - 4 : end] == b"PAR1" or b"\0" in head or b"\x15" in head):
        return "parquet"
    size = frame_size(head[:4])
    if size and frame_size(bytes(data[start + size : min(start + size + 4, end)])):
        return "mp3"
    return ""


def is_msgpack(data: Data, start: int, end: int) -> bool:
    """Whether bytes begin as a map whose first key is a word of five letters, which numbers hardly do."""
    return _NAMED_MAP.match(bytes(data[start : min(start + 16, end)])) is not None
