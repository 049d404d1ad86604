"""YARA rules of the user's, through yara-x (extra `yara`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from assay.core.errors import ConfigError
from assay.core.finding import Severity
from assay.guard.layer import LayerError
from assay.guard.verdict import Detection, Source
from assay.guard.views import View, Views

NAME = "yara"
SECONDS = 2  # that one view may take
MAX_RULES = 8 << 20  # bytes of one file
_SCORE = 0.6


class YaraLayer:
    """The layer `yara`. A rule's `meta` may give `severity`, `score` (0..1) and `tags` (comma-separated).

    Args:
        files: rule files.

    Raises:
        ConfigError: yara-x is not installed, or a file cannot be read or compiled.
    """

    name = NAME

    def __init__(self, files: Iterable[Path]) -> None:
        try:
            import yara_x  # noqa: PLC0415  an extra
        except ImportError as error:
            raise ConfigError(
                "YARA rules need yara-x", subject="guard.yara", remedy="pip install 'assay-llm[yara]'"
            ) from error
        self._yara = yara_x
        compiler = yara_x.Compiler()
        for file in files:
            try:
                compiler.new_namespace(str(file))
                compiler.add_source(_read(file))
            except (yara_x.CompileError, OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"is no YARA file: {error}", subject=str(file)) from error
        self._rules: Any = compiler.build()

    def detect(self, views: Views, source: Source) -> Iterator[Detection]:  # noqa: ARG002  the policy's matter
        """All patterns that matched, in all views.

        Raises:
            LayerError: a rule took too long.
        """
        scanner = self._yara.Scanner(self._rules)
        scanner.set_timeout(SECONDS)
        seen: set[tuple[str, int, int]] = set()
        for view in views.views:
            data = view.text.encode("utf-8", "replace")
            try:
                results = scanner.scan(data)
            except (self._yara.ScanError, self._yara.TimeoutError) as error:
                raise LayerError(f"a YARA scan failed: {error}", remedy="Simplify the rules.") from error
            for found in _detections(view, data, results.matching_rules):
                place = (found.rule, found.start, found.end)
                if place not in seen:
                    seen.add(place)
                    yield found


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(MAX_RULES).decode("utf-8")


def _detections(view: View, data: bytes, rules: Iterable[Any]) -> Iterator[Detection]:
    for rule in rules:
        meta = dict(rule.metadata)
        spans = [(match.offset, match.length) for pattern in rule.patterns for match in pattern.matches]
        for offset, length in spans or [(0, len(data))]:
            first = len(data[:offset].decode("utf-8", "replace"))
            last = first + len(data[offset : offset + length].decode("utf-8", "replace"))
            start, end = view.span(first, min(last, len(view.text)))
            yield Detection(
                rule=f"yara/{rule.identifier}",
                layer=NAME,
                severity=_severity(meta.get("severity")),
                score=_score(meta.get("score")),
                start=start,
                end=end,
                views=view.views,
                text=view.text[first:last][:200],
                tags=tuple(tag.strip() for tag in str(meta.get("tags", "")).split(",") if tag.strip()),
            )


def _severity(value: object) -> Severity:
    return Severity(str(value)) if value in set(Severity) else Severity.MEDIUM


def _score(value: object) -> float:
    return min(1.0, max(0.0, float(value))) if isinstance(value, int | float) else _SCORE
