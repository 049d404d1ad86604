"""The seam between the gate and whatever evaluates Rego."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from assay.core.canonical import JSON

DEADLINE = 5.0  # seconds; a normal decision takes a twentieth of it


@dataclass(frozen=True, slots=True)
class Module:
    """One Rego source file: the name it is reported by, and its text."""

    name: str
    source: str


class PolicyEngine(Protocol):
    """Evaluates Rego v1. Implementations bound time and memory: policies are other people's code."""

    @property
    def label(self) -> str:
        """Name and version, and for a binary its SHA-256; verdicts record it."""

    @property
    def supports_with(self) -> bool:
        """Whether Rego's `with` can be relied on; if not, tests are rewritten."""

    def evaluate(
        self, modules: Sequence[Module], data: Mapping[str, JSON], document: Mapping[str, Any], query: str
    ) -> Any:
        """The one value of the expression `query`; a Rego set comes back as a list.

        Built-in errors are errors and never "undefined": a rule that could not be computed must not look
        like a rule that does not hold.

        Args:
            modules: all Rego sources.
            data: the base document `data`.
            document: the document `input`.
            query: one Rego expression, e.g. `data.assay.baseline.reasons`.

        Raises:
            GateError: the policy does not parse, the value is undefined or conflicting, a built-in is
                unknown or failed, the deadline passed, or the engine crashed.
        """


def open_engine(
    spec: str = "regopy", *, deadline: float = DEADLINE, root: Path | None = None
) -> PolicyEngine:
    """The engine that `policy.engine` in assay.yaml names.

    Args:
        spec: `regopy` for the embedded one, or the path of an opa binary.
        deadline: seconds that one evaluation may take.
        root: folder that a relative path starts from; the working folder if None.

    Raises:
        GateError: there is no such binary, or it is not opa.
    """
    if spec == "regopy":
        from assay.gate.regopy_engine import RegopyEngine  # noqa: PLC0415  only the engine in use

        return RegopyEngine(deadline=deadline)
    from assay.gate.opa_engine import OpaEngine  # noqa: PLC0415  only the engine in use

    return OpaEngine((root or Path.cwd()) / Path(spec).expanduser(), deadline=deadline)
