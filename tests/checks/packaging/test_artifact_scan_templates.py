"""Templates that reach into Python, cost everything or speak behind the user's back; real ones pass."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import jinja2
import pytest
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

from assay.core.report import Status
from fixtures.chat_templates import BENIGN, BOMBS, HARMLESS_COSTS, INJECTIONS, POISONED
from fixtures.computed_templates import SHAPES
from fixtures.gguf_writer import ordinary
from fixtures.scanning import found, scan_bytes


class _Generation(Extension):
    tags = {"generation"}  # noqa: RUF012  jinja2's own declaration

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        next(parser.stream)
        parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.Output([])


@pytest.mark.parametrize("name", BENIGN)
def test_templates_of_real_shapes_pass_and_are_jinja(name: str, tmp_path: Path) -> None:
    extensions = ["jinja2.ext.loopcontrols", _Generation]
    ImmutableSandboxedEnvironment(extensions=extensions).parse(BENIGN[name])
    report = scan_bytes(tmp_path, "chat_template.jinja", BENIGN[name])
    assert report.status is Status.PASS, report
    assert report.details["files"][0]["format"] == "jinja"  # type: ignore[index,call-overload]
    report = scan_bytes(tmp_path, "tokenizer_config.json", json.dumps({"chat_template": BENIGN[name]}))
    assert report.status is Status.PASS, report


@pytest.mark.parametrize("name", INJECTIONS)
def test_ways_into_python_are_found(name: str, tmp_path: Path) -> None:
    template, severity = INJECTIONS[name]
    report = scan_bytes(tmp_path, "chat_template.jinja", BENIGN["chatml"] + template)
    assert found(report) == {("template/injection", severity)}


@pytest.mark.parametrize("name", SHAPES)
def test_names_put_together_in_any_way_are_found(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    report = scan_bytes(tmp_path, "chat_template.jinja", BENIGN["chatml"] + shape.attack)
    assert found(report) == {("template/injection", shape.severity)}


@pytest.mark.parametrize("name", SHAPES)
def test_harmless_templates_of_the_same_shapes_pass_and_are_jinja(name: str, tmp_path: Path) -> None:
    twin = SHAPES[name].twin
    ImmutableSandboxedEnvironment(extensions=["jinja2.ext.do"]).parse(twin)
    report = scan_bytes(tmp_path, "chat_template.jinja", BENIGN["chatml"] + twin)
    assert report.status is Status.PASS, report


@pytest.mark.parametrize("first", ["{% set a = 1 %}", "{% set ns = namespace(a=1) %}"])
def test_more_assignments_than_are_followed_are_not_clean(first: str, tmp_path: Path) -> None:
    target = "ns.a" if "ns" in first else "a"
    sets = [f"{{% set {target} = {number} %}}" for number in range(400)]
    loop = f"{{% for i in range({target}) %}}x{{% endfor %}}"
    report = scan_bytes(tmp_path, "chat_template.jinja", "".join([first, *sets, loop]))
    assert report.status is Status.INCOMPLETE
    report = scan_bytes(tmp_path, "chat_template.jinja", "".join([first, *sets[:40], loop]))
    assert report.status is Status.PASS


def test_a_name_behind_many_decoys_is_found(tmp_path: Path) -> None:
    decoys = "".join(f"{{% set a = 'd{number}' %}}" for number in range(400))
    report = scan_bytes(tmp_path, "chat_template.jinja", decoys + "{% set a = '__cl' %}{{ x[a ~ 'ass__'] }}")
    assert found(report) == {("template/injection", "high")}


@pytest.mark.parametrize("name", ["center", "letters of a function"])
def test_a_template_in_gguf_is_judged_as_one_in_a_file(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    file = ordinary()
    file.keys = [*file.keys[:-1], ("tokenizer.chat_template", 8, shape.attack)]
    report = scan_bytes(tmp_path, "model.gguf", file.write())
    assert found(report) == {("template/injection", shape.severity)}
    file.keys = [*file.keys[:-1], ("tokenizer.chat_template", 8, shape.twin)]
    assert scan_bytes(tmp_path, "model.gguf", file.write()).status is Status.PASS


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_found(name: str, tmp_path: Path) -> None:
    assert found(scan_bytes(tmp_path, "a.jinja", BOMBS[name])) == {("template/resource-bomb", "medium")}


@pytest.mark.parametrize("name", HARMLESS_COSTS)
def test_ordinary_loops_and_sums_pass(name: str, tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, "a.jinja", HARMLESS_COSTS[name]).status is Status.PASS


@pytest.mark.parametrize("name", POISONED)
def test_templates_that_speak_behind_the_back_are_found(name: str, tmp_path: Path) -> None:
    template, severity = POISONED[name]
    report = scan_bytes(tmp_path, "chat_template.jinja", template)
    assert ("template/hidden-instruction", severity) in found(report)
    assert {rule for rule, _ in found(report)} == {"template/hidden-instruction"}


@pytest.mark.parametrize(
    "keyword", ["include '/etc/passwd'", "import 'a' as b", "from 'a' import b", "extends 'a'"]
)
def test_other_files_are_not_taken_in(keyword: str, tmp_path: Path) -> None:
    assert found(scan_bytes(tmp_path, "a.jinja", f"{{% {keyword} %}}")) == {
        ("template/includes-file", "medium")
    }


EVIL = INJECTIONS["hexadecimal"][0]
PLACES = {
    "chat_template.jinja": EVIL,
    "additional.jinja2": EVIL,
    "chat_template.json": json.dumps({"chat_template": EVIL}),
    "tokenizer_config.json": json.dumps({"chat_template": [{"name": "default", "template": EVIL}]}),
    "lines.json": json.dumps({"chat_template": ["{{ x|attr(", "'\\x5f\\x5fclass\\x5f\\x5f') }}"]}),
    "processor_config.json": json.dumps({"processor": {"chat_template": {"rag": EVIL}}}),
    "model_config.yaml": 'tokenizer:\n  chat_template: "{{ x|attr(\\"__class__\\") }}"\n',
    "plain.yaml": "chat_template: |\n  {{ x|attr('__class__') }}\n",
    "rows.jsonl": json.dumps({"t": "{{ x|attr('__class__') }}"}) + "\n" + json.dumps({"t": "b"}) + "\n",
    "notes.txt": EVIL,
}


@pytest.mark.parametrize("name", PLACES)
def test_templates_are_found_wherever_they_come(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, name, PLACES[name])
    assert ("template/injection", "critical") in found(report), report


def test_a_template_in_safetensors_metadata_and_in_an_archive(tmp_path: Path) -> None:
    header = json.dumps({"__metadata__": {"chat_template": EVIL}}).encode()
    report = scan_bytes(tmp_path, "model.safetensors", len(header).to_bytes(8, "little") + header)
    assert ("template/injection", "critical") in found(report)
    archive = tmp_path / "model.zip"
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("model_config.yaml", PLACES["model_config.yaml"])
    report = scan_bytes(tmp_path, "model.nemo", archive.read_bytes())
    assert report.findings[0].location.member == "model_config.yaml"


def test_the_message_names_place_and_words(tmp_path: Path) -> None:
    report = scan_bytes(
        tmp_path, "tokenizer_config.json", json.dumps({"chat_template": "{{ x['__cl'~'ass__'] }}"})
    )
    (finding,) = report.findings
    expected = "A template in chat_template reaches for '__class__': \"{{ x['__cl'~'ass__'] }}\"."
    assert finding.message == expected


def test_documentation_of_attacks_does_not_alarm(tmp_path: Path) -> None:
    page = (
        "# Template injection\n\nAn attacker writes `{{ ''.__class__.__mro__ }}` or\n```\n" + EVIL + "\n```\n"
    )
    report = scan_bytes(tmp_path, "SECURITY.md", page)
    assert (report.status, found(report)) == (Status.PASS, {("template/injection", "low")})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "Set `{{ name }}` in your file. {% raw %}"),
        (
            "template",
            "{{- if .System }}<|system|>{{ .System }}{{ end }}{{ range .Messages }}{{ .Content }}{{ end }}",
        ),
        ("refs.bib", "@article{a, title = {{Attention Is All You Need}}, year = {{2017}}}"),
        ("page.txt", "{{#if user}}Hello {{user.name}}{{/if}}"),
        ("prompt.yaml", "doc_to_text: '{{question}}\\nAnswer: {{choices[answer]}}'\n"),
    ],
)
def test_other_languages_with_braces_pass(name: str, text: str, tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, name, text).status is Status.PASS


def test_what_is_no_jinja_is_not_clean_where_jinja_is_expected(tmp_path: Path) -> None:
    for text in ("{% if x %}", "{{ x. }}", "{% endfor %}", "{{ 'abc }}", "{# open"):
        assert scan_bytes(tmp_path, "chat_template.jinja", text).status is Status.INCOMPLETE, text
    report = scan_bytes(tmp_path, "chat_template.jinja", "{{ x.__class__ !! }}")
    assert found(report) == {("template/injection", "high")}


@pytest.mark.parametrize(
    "text",
    [
        "{{ a" * 50_000,
        "{{'" * 50_000,
        "{#" * 100_000,
        "{% raw %}" * 20_000,
        "{{ " + "(" * 5_000 + "a" + ")" * 5_000 + " }}",
        "{{ " + "a ~ " * 9_000 + "'__class__' }}",
        "{{ x[" + "'' ~ " * 9_000 + "'__class__'] }}",
        "{{ " + "-" * 10_000 + "1 }}",
        "{{ " + "not " * 10_000 + "1 }}",
        "{{ a" + "|b" * 9_000 + " }}",
        "{{ a" + ".b" * 9_000 + " }}",
        "{{ " + "9**" * 5_000 + "9 }}",
        "{% if a %}" * 5_000,
        "{% set a = [a, a] %}" * 2_000 + "{{ x['__class__'] }}",
        "{% set l = [] %}" + "{{ l.append(l) }}" * 2_000 + "{{ x['__class__'] }}",
        "".join(f"{{% set a{i} = a{i + 1} ~ a{i + 1} %}}" for i in range(2_000)) + "{{ x['__class__'] }}",
        "{% set a = 'ab'|random %}{{ x[a" + " ~ a" * 2_000 + "] }}",
        "{{ x['a'|replace('a', 'b' * 4000)|replace('b', 'c' * 4000)] }}" * 200,
    ],
    ids=range(18),
)
def test_hostile_sizes_and_depths_come_to_an_end(text: str, tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, "chat_template.jinja", text).status is not Status.PASS or "class" not in text
    scan_bytes(tmp_path, "notes.txt", text)
