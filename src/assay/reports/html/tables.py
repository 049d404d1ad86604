"""Tables drawn from a check's details, which are JSON of unknown make: nothing is taken for granted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from assay.core.canonical import JSON
from assay.reports.html.element import Markup, join, number, tag

MAX_ROWS = 100
MAX_COLUMNS = 12
MAX_CELL = 400
_TRIGGER = (
    "phrase",
    "behaviour",
    "rows",
    "precision",
    "expected",
    "q_value",
    "prompts",
    "leak_rate",
    "plain_leak_rate",
    "baseline_leak_rate",
    "flip_rate",
    "p_value",
    "example",
)


def records(details: Mapping[str, JSON], key: str) -> list[Mapping[str, JSON]]:
    """The objects of the list under `key`; anything else there is passed over."""
    found = details.get(key)
    if isinstance(found, str) or not isinstance(found, Sequence):
        return []
    return [item for item in found if isinstance(item, Mapping)]


def cell(value: JSON) -> str:
    """A value as a person reads it in a table."""
    if value is None:
        return "-"
    if isinstance(value, bool | int | float):
        return number(value)
    if isinstance(value, str):
        return value if len(value) <= MAX_CELL else value[:MAX_CELL] + "…"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {cell(item)}" for name, item in list(value.items())[:8])[:MAX_CELL]
    return ", ".join(cell(item) for item in list(value)[:8])[:MAX_CELL]


def table(caption: str, rows: Sequence[Mapping[str, JSON]], columns: Iterable[str] = ()) -> Markup | None:
    """Records as a table; columns are those named, or all that occur, in order of appearance."""
    if not rows:
        return None
    occurring = dict.fromkeys(name for row in rows[:MAX_ROWS] for name in row)
    chosen = ([name for name in columns if name in occurring] or list(occurring))[:MAX_COLUMNS]
    head = tag("tr", (_heading(name, rows) for name in chosen))
    body = (tag("tr", (_cell(row.get(name)) for name in chosen)) for row in rows[:MAX_ROWS])
    more = len(rows) - MAX_ROWS
    drawn = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", body))
    return join(
        (
            tag("div", drawn, class_="scroll", tabindex="0"),
            tag("p", f"… and {more:,} more", class_="quiet") if more > 0 else None,
        )
    )


def _heading(name: str, rows: Sequence[Mapping[str, JSON]]) -> Markup:
    kind = "num" if any(_numeric(row.get(name)) for row in rows[:MAX_ROWS]) else None
    return tag("th", name.replace("_", " "), scope="col", class_=kind)


def _cell(value: JSON) -> Markup:
    return tag("td", cell(value), class_="num" if _numeric(value) else None)


def _numeric(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def triggers(details: Mapping[str, JSON]) -> Markup | None:
    """Trigger phrases: mined by `data.poisoning`, or replayed by `model.behavior-diff`."""
    found = records(details, "triggers")
    replayed = any("leak_rate" in record for record in found)
    return table("Trigger phrases, replayed on the model" if replayed else "Trigger phrases", found, _TRIGGER)


def bom(details: Mapping[str, JSON]) -> Markup | None:
    """What a CycloneDX document holds, in short: components with version and licence."""
    document = details.get("bom")
    if not isinstance(document, Mapping):
        return None
    components = records(document, "components")
    rows: list[Mapping[str, JSON]] = [
        {
            "component": c.get("name"),
            "version": c.get("version"),
            "licence": _licences(c),
            "purl": c.get("purl"),
        }
        for c in components
    ]
    drawn = table(f"{len(rows):,} components", rows)
    if drawn is None:
        return None
    version = cell(document.get("specVersion"))
    return tag("details", tag("summary", f"SBOM: CycloneDX {version}, {len(rows):,} components"), drawn)


def _licences(component: Mapping[str, JSON]) -> str:
    named: list[str] = []
    for choice in records(component, "licenses"):
        licence = choice.get("license")
        if isinstance(licence, Mapping):
            named.append(cell(licence.get("id") or licence.get("name")))
        elif choice.get("expression"):
            named.append(cell(choice.get("expression")))
    return ", ".join(named) or "-"
