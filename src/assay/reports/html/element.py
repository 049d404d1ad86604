"""Tags that escape what they hold. There is no other way to write HTML in this package."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TypeAlias

from assay.reports.plain import visible

_VOID = frozenset({"meta", "br", "hr", "img", "link"})


class Markup(str):
    """Text that is HTML already. Only `tag` and `join` make it."""

    __slots__ = ()


Child: TypeAlias = "str | Markup | Iterable[Child] | None"


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """An element. Text among `children` is escaped, attributes too; None is left out.

    Attribute names lose a trailing underscore (`class_`) and write `-` for other underscores.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Markup:
    """Children one after the other."""
    return Markup("".join(_text(child) for child in children))


def escape(text: str) -> str:
    """`text` for content or a quoted attribute; what would not show is written out."""
    return html.escape(visible(text), quote=True)


def lines(text: str) -> Markup:
    """`text` for an element that shows its lines as lines."""
    return Markup(html.escape(visible(text, keep="\n"), quote=True))


def trusted(text: str) -> Markup:
    """Text of our own (the style sheet) that goes in as it is."""
    return Markup(text)


def _text(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return str(child)
    if isinstance(child, str):
        return escape(child)
    return join(child)


def short(digest: str) -> Markup:
    """A digest, cut for people, whole on hover and for copying out of the title."""
    return tag("code", f"{digest[:12]}…" if len(digest) > 12 else digest, title=digest, class_="digest")  # noqa: PLR2004


def number(value: object) -> str:
    """A figure for people: `12,345`, `0.0123`, `1.2e-07`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
