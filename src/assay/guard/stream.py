"""The guard over text that comes in pieces: nothing leaves before the text behind it was judged.

The text is judged in windows whose places do not depend on how it is cut: one ends at every `STEP`
characters, and holds what is not yet let through and some of what is. What lies more than
`hold_back - STEP` characters before its end leaves, so that no character waits for more than `hold_back`
others. A place that is forbidden leaves neither whole nor in part, as long as it is at most
`hold_back - STEP - MARGIN` characters long; one that turns out to be longer stops the stream. What leaves is
the same however the text was cut.
"""

from __future__ import annotations

from dataclasses import replace

from assay.core.errors import ConfigError
from assay.guard.deciding import Observation
from assay.guard.guard import Guard
from assay.guard.verdict import Action, Detection, GuardVerdict, Source

STEP = 128  # characters between the ends of windows
MARGIN = 96  # a match that ends closer to the end of a window may still change with what follows
LEAD = 64  # a match that begins closer to the beginning of a window may be the rest of something else
HOLD_BACK = 640
LEAST = 3 * STEP  # characters to hold back
MAX_DETECTIONS = 500


class StreamGuard:
    """Takes chunks and gives what may leave; one for each stream, not to be shared.

    Args:
        guard: judges the windows.
        source: where the text comes from.
        route: as for `Guard.judge`.
        hold_back: characters that wait at most; at least 384.

    Attributes:
        blocked: the stream was stopped; nothing leaves any more.
        detections: what was seen so far, in characters of the whole stream; at most `MAX_DETECTIONS`.
        action: the gravest action so far.
        complete: every layer that must look looked at all of the text.

    Raises:
        ConfigError: `hold_back` is too small.
    """

    def __init__(
        self, guard: Guard, source: Source = Source.OUTPUT, route: str = "", *, hold_back: int = HOLD_BACK
    ) -> None:
        if hold_back < LEAST:
            raise ConfigError(f"hold_back must be at least {LEAST}", subject="guard.stream")
        self._guard, self._source, self._route = guard, source, route
        self._hold = hold_back - STEP  # behind the end of a window, which moves by steps
        self._window = 2 * self._hold + STEP
        self._text = ""  # from `_base` on
        self._base = self._judged = self._left = 0  # characters of the stream
        self._replaced = -1  # where the last replaced place ended
        self.blocked = False
        self.action, self.complete = Action.ALLOW, True
        self.detections: list[Detection] = []

    def feed(self, chunk: str) -> str:
        """Take a chunk; returns what may leave now, often nothing."""
        if self.blocked:
            return ""
        self._text += chunk
        parts = []
        while not self.blocked and self._base + len(self._text) >= self._judged + STEP:
            self._judged += STEP
            parts.append(self._judge(self._judged, last=False))
        return "".join(parts)

    def finish(self) -> str:
        """The stream is over; returns the rest of what may leave."""
        if self.blocked:
            return ""
        return self._judge(self._base + len(self._text), last=True)

    def _judge(self, end: int, *, last: bool) -> str:
        """Judge the window that ends at `end`, and let through what lies far enough before."""
        start = max(0, end - self._window, self._base)
        text = self._text[start - self._base : end - self._base]
        seen = self._settled(self._guard.observe(text, self._source), start, end, last=last)
        verdict = self._guard.decide(seen, text, self._source, self._route)
        self._note(verdict, start)
        if verdict.action is Action.BLOCK:
            return self._stop()
        places = [(first + start, after + start, rule) for first, after, rule in verdict.redacted]
        passed = self._pass(places, end if last else max(self._left, end - self._hold))
        self._forget()
        return passed

    def _settled(self, seen: Observation, start: int, end: int, *, last: bool) -> Observation:
        """What a window knows better than those before and after it."""
        since = max(0, self._left - start)
        lead = LEAD if start else 0
        until = end - start if last else end - start - MARGIN
        kept = (one for one in seen.detections if one.end > since and one.start >= lead and one.end <= until)
        return replace(seen, detections=tuple(kept))

    def _pass(self, places: list[tuple[int, int, str]], limit: int) -> str:
        """The text up to `limit` with places replaced; a place that reaches over the limit waits whole."""
        parts: list[str] = []
        for start, end, rule in places:
            if end <= self._left:
                continue
            if (start < self._left and self._replaced != self._left) or end - start > self._hold:
                self._stop()  # some of it has left, or may have
                break
            if end > limit:
                limit = min(limit, max(start, self._left))
                break
            if start >= self._left:
                parts += [
                    self._piece(self._left, start),
                    self._guard.replacement(rule, self._piece(start, end)),
                ]
            self._left = self._replaced = end
        if not self.blocked and limit > self._left:
            parts.append(self._piece(self._left, limit))
            self._left = limit
        return "".join(parts)

    def _piece(self, start: int, end: int) -> str:
        return self._text[start - self._base : end - self._base]

    def _forget(self) -> None:
        """Drop what no later window holds."""
        keep = max(self._base, self._judged + STEP - self._window)
        keep = min(keep, self._left)
        self._text, self._base = self._text[keep - self._base :], keep

    def _stop(self) -> str:
        self.blocked, self.action, self._text = True, Action.BLOCK, ""
        return ""

    def _note(self, verdict: GuardVerdict, start: int) -> None:
        self.complete = self.complete and verdict.complete
        self.action = max(self.action, verdict.action, key=lambda one: one.rank)
        known = {(one.rule, one.start, one.end) for one in self.detections[-MAX_DETECTIONS:]}
        for one in verdict.detections:
            moved = replace(one, start=one.start + start, end=one.end + start)
            new = (moved.rule, moved.start, moved.end) not in known
            if new and len(self.detections) < MAX_DETECTIONS:
                self.detections.append(moved)
