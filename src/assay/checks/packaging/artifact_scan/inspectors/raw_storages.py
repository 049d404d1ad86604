"""Which members of a PyTorch zip may go unexamined as raw numbers.

torch names storages by number. A member of another name, or one that begins as a file that some loader opens,
is examined like any member, whatever the pickle says about it: numpy takes `data/x.npy` out of the same zip.
"""

from __future__ import annotations

import re

_KEY = re.compile(r"[0-9]{1,20}\Z")
_FILES = (b"PK\x03\x04", b"\x93NUMPY", b"\x1f\x8b\x08", b"\x89HDF\r\n\x1a\n", b"GGUF", b"7z\xbc\xaf\x27\x1c")
_PROTO = re.compile(rb"\x80[\x00-\x05]")


def is_key(key: str) -> bool:
    """Whether torch itself could have given a storage this name."""
    return bool(_KEY.match(key))


def begins_as_file(head: bytes) -> bool:
    """Whether bytes begin as a file of some format: chance numbers do not."""
    return head.startswith(_FILES)


def may_be_pickle(head: bytes) -> bool:
    """Whether bytes begin as a pickle does, as chance numbers do now and then."""
    return bool(_PROTO.match(head))
