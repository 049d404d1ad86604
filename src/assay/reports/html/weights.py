"""How far the weights moved, as a picture: layers by roles, colour by relative L2 on a log scale."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.core.canonical import JSON
from assay.reports.html.element import Markup, join, number, tag
from assay.reports.html.tables import cell, records, table

LOWEST = -6  # decades: a relative change of 1e-6 and less is the first colour
BINS = 9
MAX_LAYERS = 400
MAX_ROLES = 40
LABEL = 190
ROW = 22
NO_LAYER = "other"  # embeddings, heads and whatever else stands outside the layers
_COLUMNS = ("name", "relative_l2", "l2", "cosine", "max_abs", "changed_fraction", "z", "dtype", "shape")


@dataclass(frozen=True, slots=True)
class Grid:
    """Relative change by role and layer; None where that layer has no such tensor."""

    layers: tuple[str, ...]
    roles: tuple[str, ...]
    cells: Mapping[tuple[str, str], Mapping[str, JSON]]


def weights(details: Mapping[str, JSON], flagged: frozenset[str]) -> Markup | None:
    """The picture, and the tensors that moved most as a table for those who do not see it.

    Args:
        details: of `model.weights-diff`.
        flagged: tensors that findings speak of; they are outlined.
    """
    tensors = [t for t in records(details, "tensors") if _change(t) is not None]
    if not tensors:
        return None
    most = sorted(tensors, key=lambda t: -_rank(t))[:20]
    grid = _grid(tensors)
    picture = _picture(grid, flagged) if grid.layers and grid.roles else None
    return tag(
        "figure",
        tag("figcaption", f"Weight change by layer: {len(tensors):,} tensors, relative L2, log scale"),
        tag("div", picture, class_="scroll", tabindex="0") if picture else None,
        _legend() if picture else None,
        tag(
            "details", tag("summary", "The tensors that moved most"), table("By relative L2", most, _COLUMNS)
        ),
        class_="weights",
    )


def _change(tensor: Mapping[str, JSON]) -> float | None:
    value = tensor.get("relative_l2")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _rank(tensor: Mapping[str, JSON]) -> float:
    change = _change(tensor) or 0.0
    return math.inf if math.isnan(change) else change


def _grid(tensors: list[Mapping[str, JSON]]) -> Grid:
    cells: dict[tuple[str, str], Mapping[str, JSON]] = {}
    for tensor in tensors:
        layer = tensor.get("layer")
        place = (
            NO_LAYER if layer is None or layer in ("", -1) else cell(layer),
            cell(tensor.get("role") or "other"),
        )
        if place not in cells or _rank(tensor) > _rank(cells[place]):
            cells[place] = tensor
    layers = sorted({layer for layer, _ in cells}, key=_natural)[:MAX_LAYERS]
    roles = sorted({role for _, role in cells})[:MAX_ROLES]
    return Grid(tuple(layers), tuple(roles), cells)


def _natural(name: str) -> tuple[bool, list[tuple[int, str]]]:
    parts = re.findall(r"\d{1,9}|\D+", name)
    return name != NO_LAYER, [(int(p), "") if p[0].isdecimal() else (-1, p) for p in parts]


def _picture(grid: Grid, flagged: frozenset[str]) -> Markup:
    width = max(8, min(34, 880 // len(grid.layers)))
    height = len(grid.roles) * ROW
    total = LABEL + len(grid.layers) * width
    return tag(
        "svg",
        tag("title", "Relative change of each tensor, by role (rows) and layer (columns)"),
        _rows(grid, width, flagged),
        _axis(grid, width, height),
        viewBox=f"0 0 {total} {height + 24}",
        width=total,
        height=height + 24,
        role="img",
        class_="heat",
    )


def _rows(grid: Grid, width: int, flagged: frozenset[str]) -> Iterator[Markup]:
    for y, role in enumerate(grid.roles):
        shown = role if len(role) <= 26 else role[:25] + "…"  # noqa: PLR2004  what fits the label
        yield tag("text", shown, x=LABEL - 8, y=y * ROW + 15, text_anchor="end")
        for x, layer in enumerate(grid.layers):
            tensor = grid.cells.get((layer, role))
            if tensor is not None:
                found = cell(tensor.get("name")) in flagged
                yield _cell(tensor, LABEL + x * width, y * ROW, width, found=found)


def _cell(tensor: Mapping[str, JSON], x: int, y: int, width: int, *, found: bool) -> Markup:
    change = _change(tensor) or 0.0
    told = f"{cell(tensor.get('name'))}: relative L2 {number(change)}"
    if tensor.get("cosine") is not None:
        told += f", cosine {cell(tensor.get('cosine'))}"
    return tag(
        "rect",
        tag("title", told),
        x=x + 1,
        y=y + 1,
        width=width - 2,
        height=ROW - 2,
        rx=2,
        class_=_color(change) + (" outlier" if found else ""),
    )


def _color(change: float) -> str:
    if not math.isfinite(change):
        return "bad"
    if change <= 0:
        return "same"
    share = (math.log10(change) - LOWEST) / -LOWEST
    return f"h{min(BINS - 1, max(0, int(share * BINS)))}"


def _axis(grid: Grid, width: int, height: int) -> Iterator[Markup]:
    every = max(1, math.ceil(30 / width))
    for x, layer in enumerate(grid.layers):
        if x % every == 0:
            middle = LABEL + x * width + width / 2
            yield tag("text", layer[:7], x=middle, y=height + 16, text_anchor="middle")


def _legend() -> Markup:
    swatches = join(tag("i", class_=f"h{place}") for place in range(BINS))
    return tag(
        "p",
        tag("i", class_="same"),
        " equal bytes   ",
        "1e-6 ",
        swatches,
        " 1 and more   ",
        tag("i", class_="bad"),
        " not a number",
        class_="legend",
    )
