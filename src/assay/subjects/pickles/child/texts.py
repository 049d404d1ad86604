"""What a text may be where a pattern asks for more than any text: names, signatures, interpolations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .interpolations import evaluates

_SEPARATORS = re.compile(r"[/\\:\0]")
# scipy/stats/_distn_infrastructure.py parse_arg_template: names of arguments are all that differs.
_SIGNATURES = re.compile(
    r"\ndef _parse_args\(self, ((?:[A-Za-z_]\w*, )*) (loc=0(?:, scale=1)?)\):\n"
    r"    return \(\1\), (loc, (?:scale|1))\n\n"
    r"def _parse_args_rvs\(self, \1 \2, size=None\):\n"
    r"    return self\._argcheck_rvs\(\1 \3, size=size\)\n\n"
    r"def _parse_args_stats\(self, \1 \2, moments='mv'\):\n"
    r"    return \(\1\), \3, moments\n",
    re.ASCII,
)


def _member(text: str) -> bool:
    return text.isidentifier() and text[0] != "_"


def _file_name(text: str) -> bool:
    return text[:1] not in {"", "."} and not _SEPARATORS.search(text)


def _signatures(text: str) -> bool:
    return _SIGNATURES.fullmatch(text) is not None


def _interpolation(text: str) -> bool:
    return not evaluates(text)


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "file-name": _file_name,
    "interpolation": _interpolation,
    "member": _member,
    "scipy-signatures": _signatures,
}
SAID = {
    "file-name": "the name of a file in the same folder",
    "interpolation": "a text without a resolver that evaluates Python",
    "member": "the name of a member",
    "scipy-signatures": "what scipy writes there",
}
