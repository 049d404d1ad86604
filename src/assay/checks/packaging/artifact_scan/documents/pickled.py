"""Pickles in base64 inside JSON documents, as stable-baselines3 writes what JSON cannot hold.

Source: stable_baselines3/common/save_util.py: `json_to_data` unpickles every `:serialized:`. Any other text
that decodes to the head of a pickle is read as well: somebody's loader may do the same.
"""

from __future__ import annotations

import binascii
import re
from typing import Any

from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.documents.walk import values
from assay.checks.packaging.artifact_scan.embedded import region
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.checks.packaging.artifact_scan.next_steps import SMALLER

SERIALIZED = ":serialized:"
MAX_PICKLES = 1_000
_PICKLED = re.compile(r"gA[E-X][A-Za-z0-9+/\s]{13,}={0,2}\s*\Z")  # what PROTO 1 to 5 becomes in base64


def judge(blob: Blob, document: Any, inspection: Inspection) -> None:
    """Read every text that is a pickle in base64."""
    count = 0
    for key, value in values(document):
        if not isinstance(value, str) or not (key == SERIALIZED or _PICKLED.match(value)):
            continue
        count += 1
        if count > MAX_PICKLES:
            inspection.skip(blob, f"it holds more than {MAX_PICKLES:,} pickles in base64", SMALLER)
            return
        _read(blob, value, f"{key}[{count}]", inspection)


def _read(blob: Blob, text: str, member: str, inspection: Inspection) -> None:
    try:
        content = binascii.a2b_base64(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        return  # base64.b64decode refuses it too
    if not content:
        return
    with region(blob, member, content, inspection) as inner:
        if inner is not None:
            inspection.pickle(inner, probe=True)
