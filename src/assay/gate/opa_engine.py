"""Open Policy Agent as the engine: an `opa` binary, named by path (https://www.openpolicyagent.org/docs/cli).

Its version and SHA-256 go into every verdict. It runs without an environment, in an empty folder, and
without the built-ins that reach beyond the input: they are taken out of its capabilities.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.core.canonical import JSON
from assay.core.digest import sha256_file
from assay.core.errors import AssayError, GateError
from assay.gate.engine import DEADLINE, Module

FORBIDDEN = frozenset(
    {"http.send", "net.lookup_ip_addr", "opa.runtime", "rand.intn", "time.now_ns", "uuid.rfc4122", "trace"}
)
EVALUATION_FAILED = 1  # exit code; the errors stand in the JSON on standard output
_VERSION = re.compile(r"^Version:\s*(\d+\.\d+\.\d+\S*)", re.MULTILINE)


class OpaEngine:
    """Evaluates with an opa binary.

    Args:
        path: the binary.
        deadline: seconds that one call of it may take.

    Raises:
        GateError: the file does not exist, cannot be run, or is not opa.
    """

    def __init__(self, path: Path, *, deadline: float = DEADLINE) -> None:
        self._path = path.absolute()
        self._deadline = deadline
        self._sha256 = _digest(self._path)
        found = _VERSION.search(self._call(["version"]).stdout.decode("utf-8", "replace"))
        if found is None:
            raise GateError("is not opa: `version` names none", subject=str(path), remedy=_NAME_REMEDY)
        self._version = found.group(1)
        self._capabilities = self._allowed()

    @property
    def label(self) -> str:
        """`opa`, its version and the binary's SHA-256."""
        return f"opa {self._version} sha256:{self._sha256}"

    @property
    def supports_with(self) -> bool:
        """OPA does."""
        return True

    def evaluate(
        self, modules: Sequence[Module], data: Mapping[str, JSON], document: Mapping[str, Any], query: str
    ) -> Any:
        """See `PolicyEngine.evaluate`.

        Raises:
            GateError: there is no value, for whatever reason, or the binary changed since it was opened.
        """
        if _digest(self._path) != self._sha256:
            raise GateError("the binary was replaced meanwhile", subject=str(self._path))
        with tempfile.TemporaryDirectory(prefix="assay-opa-") as folder:
            arguments = self._write(Path(folder), modules, data)
            command = ["eval", "--format", "json", "--stdin-input", "--strict-builtin-errors"]
            done = self._call([*command, *arguments, query], stdin=_encoded(document), folder=folder)
        return _value(done, query)

    def _write(self, folder: Path, modules: Sequence[Module], data: Mapping[str, JSON]) -> list[str]:
        (folder / "data.json").write_bytes(_encoded(data))
        (folder / "capabilities.json").write_bytes(_encoded(self._capabilities))
        arguments = ["--capabilities", "capabilities.json", "--data", "data.json"]
        for number, module in enumerate(modules):
            # Numbered: two packs may have files of one name. The name stays, for OPA's messages.
            name = f"{number:03d}-{re.sub(r'[^A-Za-z0-9._-]', '-', module.name)}"
            (folder / name).write_text(module.source, encoding="utf-8")
            arguments += ["--data", name]
        return arguments

    def _allowed(self) -> dict[str, Any]:
        done = self._call(["capabilities", "--current"])
        known = _json(done.stdout)
        if done.returncode != 0 or not isinstance(known, dict) or not known.get("builtins"):
            raise GateError(
                "does not tell its capabilities", subject=str(self._path), remedy="Use OPA 0.59 or later."
            )
        kept = [item for item in known["builtins"] if item.get("name") not in FORBIDDEN]
        return {**known, "builtins": kept, "allow_net": []}

    def _call(
        self, arguments: Sequence[str], *, stdin: bytes = b"", folder: str | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [str(self._path), *arguments],
                input=stdin,
                capture_output=True,
                timeout=self._deadline,
                check=False,
                env={},
                cwd=folder or "/",
            )
        except subprocess.TimeoutExpired:
            raise GateError(
                f"opa did not finish in {self._deadline:g} s",
                subject=str(self._path),
                remedy="Simplify the policy.",
            ) from None
        except OSError as error:
            raise GateError(
                f"cannot be run: {error.strerror}", subject=str(self._path), remedy=_NAME_REMEDY
            ) from error


_NAME_REMEDY = "Name an opa binary under policy.engine, or `regopy` for the embedded engine."


def _value(done: subprocess.CompletedProcess[bytes], query: str) -> Any:
    answer = _json(done.stdout)
    if done.returncode not in {0, EVALUATION_FAILED} or not isinstance(answer, dict):
        said = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
        raise GateError(f"opa failed with exit code {done.returncode}: {said or 'no message'}", subject=query)
    if answer.get("errors"):
        raise GateError(_first_error(answer["errors"]), subject=query, remedy="Correct the policy.")
    if done.returncode != 0:
        raise GateError(f"opa failed with exit code {done.returncode}", subject=query)
    if not answer.get("result"):
        raise GateError(
            "is undefined",
            subject=query,
            remedy="Define that rule; see the pack's outline in docs/policy.md.",
        )
    try:
        ((expression,),) = (row["expressions"] for row in answer["result"])
        return expression["value"]
    except (ValueError, TypeError, KeyError) as error:
        raise GateError("has no single value", subject=query, remedy="Correct the policy.") from error


def _first_error(errors: Any) -> str:
    first = errors[0] if isinstance(errors, list) else {}
    if not isinstance(first, dict):
        return "opa reports an error"
    place = first.get("location") or {}
    where = f"{place.get('file', '')}:{place.get('row', '')}: " if isinstance(place, dict) and place else ""
    return f"{where}{first.get('message', 'opa reports an error')}"[:500]


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _encoded(value: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise GateError(f"the input is not JSON: {error}") from error


def _digest(path: Path) -> str:
    try:
        return sha256_file(path).sha256
    except AssayError as error:
        raise GateError(f"cannot be read: {error.cause}", subject=str(path), remedy=_NAME_REMEDY) from error
