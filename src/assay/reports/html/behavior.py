"""What `model.behavior-diff` saw: a suite a row with its interval, and changed answers side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from assay.core.canonical import JSON
from assay.reports.html.element import Markup, join, lines, tag
from assay.reports.html.tables import cell, records, table

MAX_ANSWERS = 50
MAX_SUITES = 60
WIDTH = 220
_EXTRACTION = ("prompt", "answer", "leaked", "baseline_leaked", "error")


def behavior(details: Mapping[str, JSON]) -> Markup | None:
    """Suites, extraction probes and changed answers, as far as the details hold them."""
    parts = (
        _suites(records(details, "suites")),
        table("Extraction probes", records(details, "extraction"), _EXTRACTION),
        _answers(records(details, "changes")),
    )
    return join(parts) if any(parts) else None


def _suites(suites: Sequence[Mapping[str, JSON]]) -> Markup | None:
    if not suites:
        return None
    suites = suites[:MAX_SUITES]
    ends = [abs(end) for suite in suites for end in _interval(suite, "delta_interval") or ()]
    scale = max([*ends, 0.01])
    names = ("suite", "prompts", "baseline", "candidate", "change", "95 % interval", "", "p")
    head = tag("tr", (tag("th", name, scope="col") for name in names))
    rows = (_suite(suite, scale) for suite in suites)
    caption = tag("caption", "Behaviour suites: share of right answers")
    return tag(
        "div", tag("table", caption, tag("thead", head), tag("tbody", rows)), class_="scroll", tabindex="0"
    )


def _suite(suite: Mapping[str, JSON], scale: float) -> Markup:
    interval = _interval(suite, "delta_interval")
    told = f"{_percent(interval[0], sign=True)} to {_percent(interval[1], sign=True)}" if interval else "-"
    return tag(
        "tr",
        tag("th", cell(suite.get("name")), scope="row"),
        tag("td", cell(suite.get("prompts", suite.get("asked")))),
        tag("td", _percent(_figure(suite, "baseline_rate"))),
        tag("td", _percent(_figure(suite, "rate"))),
        tag("td", _percent(_figure(suite, "delta"), sign=True)),
        tag("td", told),
        tag("td", _bar(interval, _figure(suite, "delta"), scale, told) if interval else None),
        tag("td", cell(suite.get("p_value"))),
    )


def _bar(interval: tuple[float, float], middle: float | None, scale: float, told: str) -> Markup:
    """The interval of the change as a bar about zero; a bar that does not touch zero is marked."""
    left, right = (_at(end, scale) for end in interval)
    moved = interval[1] < 0 or interval[0] > 0
    return tag(
        "svg",
        tag("title", f"change {told}"),
        tag("line", x1=WIDTH / 2, x2=WIDTH / 2, y1=0, y2=18, class_="zero"),
        tag("line", x1=left, x2=right, y1=9, y2=9, class_="range"),
        tag("circle", cx=_at(middle, scale), cy=9, r=4, class_="mean") if middle is not None else None,
        viewBox=f"0 0 {WIDTH} 18",
        width=WIDTH,
        height=18,
        role="img",
        class_="interval moved" if moved else "interval",
    )


def _at(value: float, scale: float) -> float:
    share = max(-1.0, min(1.0, value / scale))
    return round(WIDTH / 2 + share * (WIDTH / 2 - 8), 1)


def _figure(record: Mapping[str, JSON], key: str) -> float | None:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _interval(record: Mapping[str, JSON], key: str) -> tuple[float, float] | None:
    value = record.get(key)
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:  # noqa: PLR2004  two ends
        return None
    ends = [_figure({"end": end}, "end") for end in value]
    return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])


def _percent(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return "-"
    return f"{value:+.1%}" if sign else f"{value:.1%}"


def _answers(changed: Sequence[Mapping[str, JSON]]) -> Markup | None:
    if not changed:
        return None
    more = len(changed) - MAX_ANSWERS
    return tag(
        "details",
        tag("summary", f"Changed answers, side by side ({len(changed):,})"),
        (_answer(record) for record in changed[:MAX_ANSWERS]),
        tag("p", f"… and {more:,} more", class_="quiet") if more > 0 else None,
        open="" if len(changed) <= MAX_ANSWERS // 5 else None,
    )


def _answer(record: Mapping[str, JSON]) -> Markup:
    about = " · ".join(cell(record[key]) for key in ("suite", "id", "change") if record.get(key))
    expected = record.get("expected")
    sides = (
        tag("div", tag("h4", name), tag("blockquote", lines(cell(record.get(name)))), class_=name)
        for name in ("baseline", "candidate")
    )
    return tag(
        "article",
        tag("p", about, class_="quiet") if about else None,
        tag("p", tag("span", "prompt ", class_="quiet"), lines(cell(record.get("prompt")))),
        tag("p", tag("span", "expected ", class_="quiet"), lines(cell(expected))) if expected else None,
        tag("div", sides, class_="sides"),
        class_="answer",
    )
