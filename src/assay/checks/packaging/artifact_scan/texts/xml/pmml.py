"""PMML: functions that the standard does not define are loaded by the name of their class.

Source: https://dmg.org/pmml/v4-4-1/Functions.html and BuiltinFunctions.html; JPMML takes the name of an
undefined function for a Java class.
"""

from __future__ import annotations

import re

from assay.checks.packaging.artifact_scan import rules
from assay.checks.packaging.artifact_scan.texts.xml.collector import Collector
from assay.core.finding import Severity
from assay.subjects.markup import Element

_CLASS = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+$")
_PLATFORM = ("java.", "javax.", "sun.", "com.sun.", "jdk.", "groovy.", "org.codehaus.groovy.")
_OWN = ("org.jpmml.", "org.dmg.")
_EXTENDED = re.compile(r"\b(?:eval|exec|getRuntime|ScriptEngine|__import__)\b\s*\(?")
MAX_NAMES = 10_000


class Pmml:
    """Looks at the functions and extensions of a model, if the document is PMML."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._defined: set[str] = set()
        self._called: set[str] = set()
        self._extensions: list[str] = []
        self._is_pmml = False

    def see(self, element: Element) -> None:
        """Take in an element, as it ends."""
        local = element.name.rsplit(":", 1)[-1]
        if local == "DefineFunction":
            self._note(self._defined, element.attributes.get("name", ""))
        elif local == "Apply":
            self._note(self._called, element.attributes.get("function", ""))
        elif local == "Extension":
            self._extension(element)
        elif local == "PMML" and not element.parents:
            self._is_pmml = True

    def conclude(self) -> None:
        """Report what is called without being defined, now that all definitions are known."""
        if not self._is_pmml:
            return
        for name in sorted(self._called - self._defined):
            if _CLASS.match(name) and not name.startswith(_OWN):
                severity = Severity.HIGH if name.startswith(_PLATFORM) else Severity.MEDIUM
                message = f"Evaluating it would load the class {name[:100]!r} and call it"
                self._collector.add(rules.markup.FUNCTION, message, severity)
        for text in self._extensions:
            self._collector.add(
                rules.markup.CODE,
                f"An evaluator that runs what an `Extension` says would run its code: {text[:100]!r}",
                Severity.MEDIUM,
            )

    @staticmethod
    def _note(names: set[str], name: str) -> None:
        if name and len(names) < MAX_NAMES:
            names.add(name[:300])

    def _extension(self, element: Element) -> None:
        for text in (element.attributes.get("value", ""), element.text):
            if _EXTENDED.search(text) and "(" in text and len(self._extensions) < 10:  # noqa: PLR2004  enough
                self._extensions.append(text.strip())
