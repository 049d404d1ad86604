"""What the guard says of a text, for a person: what was seen, where, how it was read, and why that counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from assay.guard.rows import PRIVATE
from assay.guard.verdict import Action, Detection, GuardVerdict, LayerRun, LayerState
from assay.reports.brief import WIDTH
from assay.reports.plain import visible
from assay.reports.table import SEVERITY_STYLE, indented, printed

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_RULES, MOST_PLACES, MOST_REASONS = 40, 3, 12
_SAID = 300  # characters of a decoded text
_STYLE = {
    Action.ALLOW: "bold green",
    Action.FLAG: "bold yellow",
    Action.REDACT: "bold yellow",
    Action.BLOCK: "bold red",
}
_NEXT = {
    Action.BLOCK: "Keep it out. If it is harmless, `guard.allow` takes it with a reason and a last day.",
    Action.REDACT: "Pass on this instead:",
    Action.FLAG: "It may pass, and whoever answers for it should see that it did.",
}


class Judged(NamedTuple):
    """A verdict, and what it is of.

    Attributes:
        name: what was judged, in words.
        text: the text.
        policy: where the policy is from.
        title: of a rule, in one line.
    """

    name: str
    text: str
    policy: str
    verdict: GuardVerdict
    title: Callable[[str], str]


def render(judged: Judged, *, width: int | None = None, color: bool = False) -> str:
    """The verdict as text of `width` columns; what was decided comes last, next to the prompt."""
    return printed(list(_blocks(judged, max(40, width or WIDTH))), width=width, color=color)


def _blocks(judged: Judged, width: int) -> Iterator[RenderableType]:
    yield Text(visible(judged.name, limit=400), "underline")
    yield Text(f"policy: {visible(judged.policy, limit=400)}", "dim")
    yield Text()
    by_rule = _by_rule(judged.verdict)
    if len(by_rule) > MOST_RULES:
        yield Text(f"{len(by_rule) - MOST_RULES} more rules saw something: `-f json` has them all\n")
    for seen in by_rule[-MOST_RULES:]:
        yield from _rule(judged, seen, width)
    yield _facts(judged.verdict)
    yield Text()
    yield from _decision(judged.verdict)


Seen = tuple[Detection, Action]


def _by_rule(verdict: GuardVerdict) -> list[list[Seen]]:
    """What was seen, by rule and decoding, the gravest last."""
    groups: dict[tuple[str, tuple[str, ...]], list[Seen]] = {}
    for one, act in zip(verdict.detections, verdict.actions, strict=True):
        groups.setdefault((one.rule, one.views), []).append((one, act))
    return sorted(groups.values(), key=lambda group: max((act.rank, one.score) for one, act in group))


def _rule(judged: Judged, seen: Sequence[Seen], width: int) -> Iterator[RenderableType]:
    first, action = seen[0]
    head = Text(visible(first.rule, limit=100), "bold")
    head.append(f"  {first.severity.value}", SEVERITY_STYLE[first.severity])
    head.append(f"  {action.value}", _STYLE[action])
    yield head
    if title := judged.title(first.rule):
        yield indented(Text(visible(title, limit=300)))
    for one, _ in seen[:MOST_PLACES]:
        yield indented(Text(_place(judged.text, one), "dim"))
        yield from (indented(line, 4) for line in excerpt(judged.text, one, width - 4))
    if len(seen) > MOST_PLACES:
        yield indented(Text(f"and at {len(seen) - MOST_PLACES:,} more places", "dim"))
    yield Text()


def _place(text: str, one: Detection) -> str:
    line = text.count("\n", 0, one.start) + 1
    told = [
        f"line {line}, characters {one.start:,} to {one.end:,}",
        f"score {one.score:.2f}",
        f"by {one.layer}",
        f"read as {' → '.join(one.views)}" if one.views else "as written",
        *([" ".join(one.tags)] if one.tags else []),
    ]
    return visible(", ".join(told), limit=400)


def excerpt(text: str, one: Detection, width: int) -> Iterator[Text]:
    """The place in its line, marked, and what it says once decoded."""
    before, after = text[max(0, one.start - width) : one.start], text[one.end : one.end + width]
    marked = _shortened(_shown(one, text[one.start : one.end]), max(12, 2 * width // 3))
    room = max(0, width - cell_len(marked))
    left = _last(visible(before.rpartition("\n")[2]), room // 2, whole=one.start <= width or "\n" in before)
    right = _first(visible(after.partition("\n")[0]), room - cell_len(left))
    line = Text(left, no_wrap=True, overflow="crop")
    line.append(marked, "bold red").append(right)
    yield line
    yield Text(" " * cell_len(left) + "^" * max(1, cell_len(marked)), "red", no_wrap=True, overflow="crop")
    if one.views and one.family not in PRIVATE:
        yield Text(f"says: {visible(one.text, limit=_SAID)}")


def _shown(one: Detection, said: str) -> str:
    """A secret is not repeated in full: what is printed may be kept."""
    if one.family != "secret":
        return visible(said)
    return visible(said[:4]) + "•" * min(12, max(0, len(said) - 4))


def _shortened(text: str, most: int) -> str:
    if cell_len(text) <= most:
        return text
    return f"{_first(text, most * 2 // 3)}{_last(text, most // 3, whole=True).lstrip('…')}"


def _first(text: str, most: int) -> str:
    """The beginning of a text, in so many columns."""
    if cell_len(text) <= most:
        return text
    while text and cell_len(text) > most - 1:
        text = text[: max(0, len(text) - max(1, (cell_len(text) - most) // 2))]
    return text + "…" if most > 0 else ""


def _last(text: str, most: int, *, whole: bool) -> str:
    """The end of a text, in so many columns; `whole` says that nothing stands before it."""
    if cell_len(text) <= most and whole:
        return text
    while text and cell_len(text) > most - 1:
        text = text[max(1, (cell_len(text) - most) // 2) :]
    return "…" + text if most > 0 else ""


def _facts(verdict: GuardVerdict) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold", ratio=1)
    grid.add_row("scores", " · ".join(f"{head} {score:.2f}" for head, score in verdict.scores.items()))
    ran = [run for run in verdict.layers if run.state is not LayerState.SKIPPED]
    grid.add_row("layers", " · ".join(map(_timed, ran)))
    for run in verdict.layers:
        if run.reason and not any(run.reason in gap for gap in verdict.gaps):
            grid.add_row("", Text(visible(f"{run.layer} {_how(run)}: {run.reason}", limit=500), "yellow"))
    for aside in verdict.set_aside[:MOST_RULES]:
        told = f"{aside.detection.rule} may stay until {aside.expires.isoformat()}: {aside.reason}"
        grid.add_row("set aside", Text(visible(told, limit=300)))
    return grid


def _timed(run: LayerRun) -> str:
    return f"{run.layer} {1e3 * run.seconds:.2f} ms"


def _how(run: LayerRun) -> str:
    if run.state is LayerState.RAN:
        return "did not look at all"
    return "failed" if run.state is LayerState.FAILED else "did not look"


def _decision(verdict: GuardVerdict) -> Iterator[RenderableType]:
    head = Text(verdict.action.value, _STYLE[verdict.action])
    if not verdict.complete:
        head.append("  incomplete", "bold yellow")
    yield head
    if not verdict.detections:
        yield indented(Text("nothing was found"))
    for reason in verdict.reasons[:MOST_REASONS]:
        rule = f"{reason.rule}: " if reason.rule else ""
        yield indented(Text(visible(f"{reason.action.value}: {rule}{reason.why}", limit=500)))
    if len(verdict.reasons) > MOST_REASONS:
        yield indented(Text(f"and {len(verdict.reasons) - MOST_REASONS} more reasons"))
    for gap in verdict.gaps[:MOST_REASONS]:
        yield indented(Text(visible(f"not looked at: {gap}", limit=500), "yellow"))
    if verdict.action in _NEXT:
        yield indented(Text(f"→ {_NEXT[verdict.action]}"))
    if verdict.action is Action.REDACT:
        yield indented(Text(visible(verdict.text, limit=2_000, keep="\n"), overflow="fold"), 4)
