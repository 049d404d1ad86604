"""The embedded engine: regopy (rego-cpp), in a child process.

regopy is native code that reads policies we did not write. It has been seen to crash on legal Rego (1.5.2:
`with` around a rule that uses a `default` function) and nothing in it bounds time or memory. So every
evaluation has a process of its own, with an empty environment, resource limits and a deadline; when that
process ends in any way but an answer, the evaluation is an error.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from assay.core.canonical import JSON
from assay.core.errors import GateError
from assay.gate.engine import DEADLINE, Module

WORKER = Path(__file__).with_name("regopy_worker.py")


class RegopyEngine:
    """Evaluates with regopy.

    Args:
        deadline: seconds that one evaluation may take, start of the process included.
    """

    def __init__(self, *, deadline: float = DEADLINE) -> None:
        self._deadline = deadline

    @property
    def label(self) -> str:
        """`regopy` and its version."""
        return f"regopy {_regopy()[1]}"

    @property
    def supports_with(self) -> bool:
        """It does not: see `with_clauses`."""
        return False

    def evaluate(
        self, modules: Sequence[Module], data: Mapping[str, JSON], document: Mapping[str, Any], query: str
    ) -> Any:
        """See `PolicyEngine.evaluate`.

        Raises:
            GateError: there is no value, for whatever reason.
        """
        request = {
            "library": _regopy()[0],
            "modules": [[module.name, module.source] for module in modules],
            "data": _text(data),
            "input": _text(document),
            "query": query,
            "seconds": self._deadline,
        }
        reply = _reply(self._run(json.dumps(request).encode()))
        if "error" in reply:
            raise GateError(str(reply["error"]), subject=query, remedy="Correct the policy.")
        return single_value(str(reply.get("result", "")), query)

    def _run(self, request: bytes) -> bytes:
        command = [sys.executable, "-I", "-S", str(WORKER)]
        try:
            done = subprocess.run(
                command,
                input=request,
                capture_output=True,
                timeout=self._deadline,
                check=False,
                env={},
                cwd="/",
            )
        except subprocess.TimeoutExpired:
            raise GateError(
                f"the policy did not finish in {self._deadline:g} s",
                remedy="Simplify it: collect less in one rule, and use the document's counts.",
            ) from None
        except OSError as error:
            raise GateError(f"the policy engine cannot be started: {error.strerror}") from error
        if done.returncode != 0:
            raise GateError(_obituary(done.returncode, done.stderr), remedy=_CRASH_REMEDY)
        return done.stdout


_CRASH_REMEDY = "Simplify the policy, or name an opa binary under policy.engine."


def single_value(text: str, query: str) -> Any:
    """The value in regopy's answer, if it is exactly one defined expression.

    Raises:
        GateError: it is undefined, several, or not an answer at all.
    """
    if text.strip() in {"undefined", "", "{}"}:
        raise GateError(
            "is undefined",
            subject=query,
            remedy="Define that rule; see the pack's outline in docs/policy.md.",
        )
    try:
        answer = json.loads(text, object_pairs_hook=_once)
        (value,) = answer["expressions"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        brief = " ".join(text.split())[:300]
        raise GateError(
            f"has no single value: {brief}", subject=query, remedy="Correct the policy."
        ) from error
    return value


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    # Some built-ins of regopy (`trim`) write text unescaped: text must not be able to replace a key.
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _reply(stdout: bytes) -> Mapping[str, Any]:
    try:
        reply = json.loads(stdout)
    except (ValueError, RecursionError) as error:
        raise GateError("the policy engine gave no answer", remedy=_CRASH_REMEDY) from error
    if not isinstance(reply, dict) or len(reply) != 1:
        raise GateError("the policy engine gave no answer", remedy=_CRASH_REMEDY)
    return reply


def _obituary(code: int, stderr: bytes) -> str:
    if code < 0:
        return f"the policy engine crashed (signal {-code})"
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return f"the policy engine failed: {lines[-1][:300] if lines else f'exit code {code}'}"


def _text(value: Mapping[str, Any]) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise GateError(f"the input is not JSON: {error}") from error


@lru_cache(maxsize=1)
def _regopy() -> tuple[str, str]:
    """Folder that regopy lies in, and its version; without importing it here."""
    from importlib.metadata import version  # noqa: PLC0415  start-up
    from importlib.util import find_spec  # noqa: PLC0415  start-up

    found = find_spec("regopy")
    if found is None or found.origin is None:
        raise GateError("regopy is not installed", remedy="Install it: `pip install regopy`.")
    return str(Path(found.origin).parents[1]), version("regopy")
