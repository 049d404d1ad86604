from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from assay.core.errors import GateError
from assay.gate import Module, load_pack, open_engine, run_policy_tests
from assay.gate.opa_engine import OpaEngine
from assay.gate.regopy_engine import RegopyEngine, single_value

OPA = shutil.which("opa")
needs_opa = pytest.mark.skipif(OPA is None, reason="no opa on PATH")


def evaluate(body: str, *, document: dict[str, object] | None = None, query: str = "data.p.x") -> object:
    module = Module("p.rego", f"package p\n\nimport rego.v1\n\n{body}")
    return RegopyEngine(deadline=20).evaluate([module], {"limit": 2}, document or {}, query)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("x := 1", 1),
        ("x := input.a + data.limit", 5),
        ('x := {"b", "a"}', ["a", "b"]),
        ('x := "undefined"', "undefined"),
        ('x := "(error"', "(error"),
        ("x := null", None),
        ('x := {"a": [1, {"b": true}]}', {"a": [1, {"b": True}]}),
    ],
)
def test_value(body: str, value: object) -> None:
    assert evaluate(body, document={"a": 3}) == value


def test_text_survives() -> None:
    text = 'é "quoted" \\ \u2028 \U0001f600 \x00 \n'
    assert evaluate("x := input.a", document={"a": text}) == text


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("y := 1", "is undefined"),
        ("x := input.nothing", "is undefined"),
        ("x := 1 if input.a > 5", "is undefined"),
        ("x := no_such(1)", "Function not found: no_such"),
        ("x := 1 / 0", "divide by zero"),
        ("x := 1\nx := 2", "must not produce multiple outputs"),
        ("x := [", "p.rego:5"),
        ('x := trim(input.text, " ")', "has no single value"),
    ],
)
def test_anything_but_one_defined_value_is_an_error(body: str, message: str) -> None:
    with pytest.raises(GateError, match=message):
        evaluate(body, document={"text": ' "', "a": 1})


def test_crash_of_the_native_engine_is_an_error() -> None:
    """regopy 1.5.2 dies on this; when it no longer does, tests need no rewriting (with_clauses.py)."""
    with pytest.raises(GateError, match="crashed"):
        evaluate('f(a) := a\ny := f(input.a)\nx := 1 if y == 2 with input as {"a": 2}')


def test_policy_sees_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_SECRET", "hunter2")
    assert "hunter2" not in str(evaluate("x := opa.runtime()"))


def test_network_builtin_is_absent() -> None:
    with pytest.raises(GateError):
        evaluate('x := http.send({"method": "get", "url": "http://127.0.0.1:9/"})')


def test_deep_nesting_is_an_error_and_no_hang() -> None:
    with pytest.raises(GateError):
        evaluate("x := " + "[" * 20_000 + "]" * 20_000)


def test_module_of_one_name_does_not_hide_another() -> None:
    modules = [Module("m", "package a\nx := 1"), Module("m", "package b\nx := 2")]
    assert RegopyEngine(deadline=20).evaluate(modules, {}, {}, "[data.a.x, data.b.x]") == [1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "undefined",
        "",
        "{}",
        "(error)",
        "[]",
        "null",
        '{"expressions":[]}',
        '{"expressions":[1,2]}',
        '[{"expressions":[1]},{"expressions":[2]}]',
        '{"expressions":[{"a":1,"a":2}]}',
        '{"expressions":[1]} x',
    ],
)
def test_odd_answers_are_errors(text: str) -> None:
    with pytest.raises(GateError):
        single_value(text, "q")


def test_input_that_is_not_json_is_an_error() -> None:
    with pytest.raises(GateError, match="not JSON"):
        evaluate("x := 1", document={"a": float("nan")})


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!{sys.executable}\n{body}", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_opa_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="cannot be read") as raised:
        open_engine("./opa", root=tmp_path)
    assert "policy.engine" in raised.value.remedy


def test_opa_that_is_not_executable(tmp_path: Path) -> None:
    (tmp_path / "opa").write_text("not a program", encoding="utf-8")
    with pytest.raises(GateError, match="cannot be run: Permission denied"):
        open_engine(str(tmp_path / "opa"))


def test_opa_that_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "opa").write_bytes(os.urandom(64))
    (tmp_path / "opa").chmod(0o755)
    with pytest.raises(GateError, match="cannot be run: Exec format error"):
        open_engine("opa", root=tmp_path)


def test_opa_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(GateError):
        OpaEngine(tmp_path)


def test_opa_that_is_another_program() -> None:
    with pytest.raises(GateError, match="is not opa"):
        OpaEngine(Path(shutil.which("true") or "/bin/true"))


def test_opa_that_hangs(tmp_path: Path) -> None:
    hanging = script(tmp_path / "opa", "import signal; signal.pause()")
    with pytest.raises(GateError, match="did not finish in 1 s"):
        OpaEngine(hanging, deadline=1)


def test_opa_without_capabilities(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="does not tell its capabilities"):
        OpaEngine(script(tmp_path / "opa", "print('Version: 0.40.0')"), deadline=20)


ANSWERING = """
import sys
known = {"version": "Version: 1.2.3", "capabilities": '{"builtins": [{"name": "count"}]}'}
print(known.get(sys.argv[1]) or %r)
sys.exit(%d if sys.argv[1] == "eval" else 0)
"""


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        ("", 0, "opa failed with exit code 0"),
        ("{}", 0, "is undefined"),
        ("{}", 1, "opa failed with exit code 1"),
        ('{"result": [{"expressions": [{"value": true}]}]}', 2, "opa failed with exit code 2"),
        ('{"result": [{"expressions": [{"value": true}]}]}', 1, "opa failed with exit code 1"),
        ('{"result": [{"expressions": [{"value": 1}, {"value": 2}]}]}', 0, "has no single value"),
        ('{"result": [{"expressions": []}]}', 0, "has no single value"),
        (
            '{"errors": [{"message": "rego_unsafe_var_error: var y", "location": {"file": "a", "row": 3}}]}',
            1,
            "a:3: rego_unsafe_var_error: var y",
        ),
    ],
)
def test_opa_answers_are_told_apart(tmp_path: Path, answer: str, code: int, message: str) -> None:
    engine = OpaEngine(script(tmp_path / "opa", ANSWERING % (answer, code)), deadline=20)
    with pytest.raises(GateError, match=message):
        engine.evaluate([Module("p.rego", "package p")], {}, {}, "data.p.x")


def test_opa_that_was_replaced_is_refused(tmp_path: Path) -> None:
    answer = '{"result": [{"expressions": [{"value": 7}]}]}'
    path = script(tmp_path / "opa", ANSWERING % (answer, 0))
    engine = OpaEngine(path, deadline=20)
    assert engine.label.startswith("opa 1.2.3 sha256:")
    assert engine.evaluate([Module("p.rego", "package p")], {}, {}, "data.p.x") == 7
    script(path, ANSWERING % (answer, 0) + "# other\n")
    with pytest.raises(GateError, match="was replaced meanwhile"):
        engine.evaluate([Module("p.rego", "package p")], {}, {}, "data.p.x")


@needs_opa
@pytest.mark.parametrize("pack", ["baseline", "strict"])
def test_real_opa_agrees_on_the_packs(pack: str) -> None:
    run = run_policy_tests(load_pack(pack), OpaEngine(Path(str(OPA)), deadline=30))
    assert run.passed, [result for result in run.results if result.outcome != "pass"]


@needs_opa
def test_real_opa_has_no_network() -> None:
    module = Module("p.rego", 'package p\n\nx := http.send({"method": "get", "url": "http://127.0.0.1:9/"})')
    with pytest.raises(GateError):
        OpaEngine(Path(str(OPA)), deadline=30).evaluate([module], {}, {}, "data.p.x")
