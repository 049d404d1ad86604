"""The record at the end of a zip, by which readers know one; see `zip_directory` for the rest of it."""

from __future__ import annotations

import mmap
import struct

Data = mmap.mmap | bytes
EOCD = b"PK\x05\x06"
END = struct.Struct("<4s4H2LH")
LOCATOR = struct.Struct("<4sLQL")


def find_end(data: Data, start: int, end: int) -> int:
    """Where the end-of-central-directory record lies, or -1: this is no zip."""
    at = data.rfind(EOCD, max(start, end - 65_557), end)
    return at if at >= 0 and at + END.size <= end else -1


def is_zip(data: Data, start: int, end: int) -> bool:
    """Whether zip readers take `data[start:end]` for a zip, whatever it starts with.

    Readers differ on whether the directory lies right before its end record or where that record says.
    """
    if data[start : start + 4] in {b"PK\x03\x04", EOCD}:
        return True
    at = find_end(data, start, end)
    if at < 0:
        return False
    _, _, _, _, count, size, offset, _ = END.unpack_from(data, at)
    places = (at - size, start + offset)
    return data[at - LOCATOR.size : at - LOCATOR.size + 4] == b"PK\x06\x07" or (
        count > 0 and any(start <= place and data[place : place + 4] == b"PK\x01\x02" for place in places)
    )
