"""Run a pack's own tests: OPA's convention of `test_*` rules in `*_test.rego`.

A test passes when its rule is true. False and undefined fail it; an error is an error. `todo_test_*` rules
are skipped. A pack without tests has not passed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from assay.core.errors import GateError
from assay.gate.engine import Module, PolicyEngine
from assay.gate.packs import Pack
from assay.gate.with_clauses import TERM_RULE, mocked, refusal, rewrite

WORKERS = 4  # each test is a process of its own

_RULE = re.compile(r"^((?:todo_)?test_\w*)", re.MULTILINE)
_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PolicyTestResult:
    """What came of one test.

    Attributes:
        name: the rule.
        file: where it stands.
        outcome: pass, fail, error or skipped.
        message: for fail and error: why.
    """

    name: str
    file: str
    outcome: Literal["pass", "fail", "error", "skipped"]
    message: str = ""


@dataclass(frozen=True, slots=True)
class PolicyTestRun:
    """What came of a pack's tests."""

    pack: str
    results: tuple[PolicyTestResult, ...]

    @property
    def passed(self) -> bool:
        """Whether at least one test ran, and none failed."""
        ran = [result for result in self.results if result.outcome != "skipped"]
        return bool(ran) and all(result.outcome == "pass" for result in ran)

    @property
    def message(self) -> str:
        """One line for people."""
        if not self.results:
            return f"pack {self.pack} has no tests: write test_* rules in a *_test.rego file"
        counted = {o: sum(r.outcome == o for r in self.results) for o in ("pass", "fail", "error", "skipped")}
        listed = ", ".join(f"{count} {outcome}" for outcome, count in counted.items() if count)
        return f"pack {self.pack}: {listed}"


def run_policy_tests(
    pack: Pack, engine: PolicyEngine, *, user: Mapping[str, Any] | None = None
) -> PolicyTestRun:
    """Run every test of `pack`.

    Args:
        pack: with its tests.
        engine: what evaluates Rego.
        user: `policy.data` of assay.yaml, which tests see as in a decision.

    Raises:
        ConfigError: `user` overrides a setting that the pack does not have.
    """
    data = pack.data(user or {})
    modules = (*pack.all_modules(), *pack.tests)
    bench = _Bench(engine, modules, data)
    return PolicyTestRun(pack.name, tuple(r for module in pack.tests for r in _run_file(module, bench)))


def _run_file(module: Module, bench: _Bench) -> list[PolicyTestResult]:
    names = list(dict.fromkeys(_RULE.findall(module.source)))
    found = _PACKAGE.search(module.source)
    package = f"data.{found.group(1)}" if found else "data"
    if bench.engine.supports_with:
        run = partial(_directly, module=module, package=package, bench=bench)
    else:
        run = partial(
            _rewritten, module=module, package=package, bench=bench, terms=_Terms(module, package, bench)
        )
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        return list(pool.map(run, names))


def _directly(name: str, *, module: Module, package: str, bench: _Bench) -> PolicyTestResult:
    if name.startswith("todo_"):
        return PolicyTestResult(name, module.name, "skipped")
    try:
        value = bench.ask(bench.modules, f"{package}.{name}", bench.data, {})
    except GateError as error:
        return PolicyTestResult(name, module.name, "error", error.cause)
    return _judged(name, module, value)


def _rewritten(name: str, *, module: Module, package: str, bench: _Bench, terms: _Terms) -> PolicyTestResult:
    if name.startswith("todo_"):
        return PolicyTestResult(name, module.name, "skipped")
    try:
        data, document = terms.mocked(name)
        value = bench.ask(terms.modules, f"{package}.{name}", data, document)
    except GateError as error:
        return PolicyTestResult(name, module.name, "error", error.cause)
    return _judged(name, module, value)


@dataclass(frozen=True, slots=True)
class _Bench:
    engine: PolicyEngine
    modules: tuple[Module, ...]
    data: Mapping[str, Any]

    def ask(
        self, modules: tuple[Module, ...], query: str, data: Mapping[str, Any], document: Mapping[str, Any]
    ) -> Any:
        """The value of `query`, None if it is undefined."""
        # In an array, so that an undefined test is told from a failed evaluation.
        values = self.engine.evaluate(modules, data, document, f"[value | value := {query}]")
        return values[0] if isinstance(values, list) and values else None


class _Terms:
    """The values that a file's tests put in place of `input` and `data`."""

    def __init__(self, module: Module, package: str, bench: _Bench) -> None:
        self._rewritten = rewrite(module)
        self._bench, self._package = bench, package
        self.modules = tuple(self._rewritten.module if one == module else one for one in bench.modules)
        self._values = self._all()

    def mocked(self, test: str) -> tuple[Mapping[str, Any], Any]:
        """`data` and `input` of `test`.

        Raises:
            GateError: they cannot be told.
        """
        refused = refusal(self._rewritten, test)
        if refused:
            raise refused
        targets = {target: self._value(n) for target, n in self._rewritten.clauses.get(test, {}).items()}
        return mocked(targets, self._bench.data, {})

    def _all(self) -> list[Any] | None:
        numbers = {n for clauses in self._rewritten.clauses.values() for n in clauses.values()}
        query = ", ".join(f"{self._package}.{TERM_RULE}{n}" for n in sorted(numbers))
        try:
            values = self._bench.ask(self.modules, f"[{query}]", self._bench.data, {}) if numbers else []
        except GateError:  # one broken term must not hide which; then each is asked alone
            return None
        return values if isinstance(values, list) else None

    def _value(self, number: int) -> Any:
        if self._values is not None:
            return self._values[number]
        value = self._bench.ask(self.modules, f"{self._package}.{TERM_RULE}{number}", self._bench.data, {})
        if value is None:
            raise GateError("the value after `as` is undefined; it must not use the test's own variables")
        return value


def _judged(name: str, module: Module, value: object) -> PolicyTestResult:
    if value is True:
        return PolicyTestResult(name, module.name, "pass")
    message = "is undefined: a line of it does not hold" if value is None else f"is {value!r}, not true"
    return PolicyTestResult(name, module.name, "fail", message)
