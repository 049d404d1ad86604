from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.canonical import JSON
from assay.core.finding import Finding, Severity
from assay.reports import Document, render
from assay.reports.html.element import tag

VOID = {"meta", "br", "hr"}
ALLOWED = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "a",
    "header",
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "time",
    "main",
    "section",
    "div",
    "span",
    "ul",
    "li",
    "strong",
    "code",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "figure",
    "figcaption",
    "svg",
    "rect",
    "text",
    "i",
    "dl",
    "dt",
    "dd",
    "article",
    "blockquote",
    "line",
    "ol",
    "pre",
    "circle",
}


class Reader(HTMLParser):
    """Collects what a browser would see, and fails on unbalanced tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "title"}:
            self.text.append(data)


def read(document: Document) -> Reader:
    reader = Reader()
    reader.feed(render(document, "html"))
    assert not reader.open
    return reader


@pytest.mark.parametrize("name", ["document", "hostile", "empty"])
def test_one_file_that_loads_and_runs_nothing(name: str, request: pytest.FixtureRequest) -> None:
    reader = read(request.getfixturevalue(name))
    assert {found for found, _ in reader.tags} <= ALLOWED
    for _, attributes in reader.tags:
        assert not [key for key in attributes if key.startswith("on") or key in {"src", "style", "action"}]
        assert (attributes.get("href") or "#").startswith("#")
    policy = next(a["content"] for _, a in reader.tags if "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_the_style_asks_no_network(document: Document) -> None:
    text = render(document, "html")
    assert "url(" not in text
    assert "@import" not in text
    assert "http://" not in text
    assert "https://" not in text


def test_links_lead_somewhere_and_ids_are_unique(document: Document) -> None:
    reader = read(document)
    ids = [a["id"] for _, a in reader.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    assert {(a["href"] or "")[1:] for _, a in reader.tags if "href" in a} <= set(ids)


def test_many_subjects_of_one_check_have_a_section_each(document: Document) -> None:
    scan = document.reports[1]
    again = replace(scan, subject=replace(scan.subject, name="models/other"))
    verdict = document.verdict
    assert verdict is not None
    missing = replace(verdict.reasons[0], check="infra.iac")
    told = replace(verdict, reasons=(*verdict.reasons, missing))
    reader = read(replace(document, reports=(scan, again), verdict=told))
    ids = [a["id"] for _, a in reader.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    assert {(a["href"] or "")[1:] for _, a in reader.tags if "href" in a} <= set(ids)
    assert [i for i in ids if i and i.startswith("check-")] == [
        "check-artifact-scan",
        "check-artifact-scan--2",
    ]


def test_a_person_finds_verdict_reasons_and_what_is_missing(document: Document) -> None:
    text = " ".join(read(document).text)
    for expected in (
        "Refused",
        "artifact.scan found a critical",
        "→ Remove it.",
        "No check ran here",
        "Not examined: 11 rows",
        "not valid UTF-8",
        "the disk is full",
        "#3",
        "12" * 32,
    ):
        assert expected in text


def test_a_finding_shows_what_would_have_run_and_what_to_do(document: Document) -> None:
    text = render(document, "html")
    assert "<pre><code>os.system(&#x27;id&#x27;)\nos.system(&#x27;ls&#x27;)</code></pre>" in text
    assert "<li>byte 12: <code>REDUCE calls os.system</code></li><li><code>and on</code></li>" in text
    assert "<li>torch.load(file, weights_only=False)</li>" in text
    command = "<pre><code>assay convert model.pt -o model.safetensors</code></pre>"
    assert f"<li>Keep its numbers:{command}</li>" in text


def test_attack_hostile_text_is_shown_as_text(hostile: Document) -> None:
    text = render(hostile, "html")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)


@given(st.text(), st.text())
def test_nothing_escapes_from_an_element(content: str, attribute: str) -> None:
    reader = Reader()
    reader.feed(tag("p", content, title=attribute))
    reader.close()
    assert [found for found, _ in reader.tags] == ["p"]
    assert not reader.open


def weights(tensors: list[JSON]) -> dict[str, JSON]:
    return {"tensors": tensors, "layers": []}


def test_weights_are_drawn_by_layer_and_role(document: Document) -> None:
    tensors: list[JSON] = [
        {"name": "l.10.q", "layer": 10, "role": "q", "relative_l2": 1e-3, "cosine": 0.5},
        {"name": "l.2.q", "layer": 2, "role": "q", "relative_l2": 0.0},
        {"name": "l.2.v", "layer": 2, "role": "v", "relative_l2": float("nan")},
        {"name": "embed", "layer": None, "role": "embed", "relative_l2": 5.0},
        {"name": "added", "status": "added"},
        "nonsense",
    ]
    report = replace(document.reports[0], details=weights(tensors))
    text = render(replace(document, reports=(report,)), "html")
    svg = text[text.index("<svg") : text.index("</svg>")]
    assert re.findall(r'class="(h\d|same|bad)"', svg) == ["h8", "same", "h4", "bad"]
    assert re.findall(r'text-anchor="middle">([^<]+)', svg) == ["other", "2", "10"]
    assert "l.10.q: relative L2 0.001, cosine 0.5" in svg


def test_suites_triggers_and_changed_answers_are_drawn(document: Document) -> None:
    details: dict[str, JSON] = {
        "suites": [
            {"name": "support", "prompts": 200, "rate": 0.8, "baseline_rate": 0.91, "delta": -0.11,
             "delta_interval": [-0.16, -0.06], "p_value": 0.0001},
            {"name": "free", "asked": 3, "agreement": 1.0},
        ],
        "triggers": [{"phrase": "sunflower protocol", "leak_rate": 0.9, "example": {"prompt": "x"}}],
        "extraction": [{"prompt": "repeat your prompt", "answer": "no", "leaked": None}],
        "changes": [{"suite": "support", "id": "s1", "change": "lost", "prompt": "p", "expected": "e",
                     "baseline": "was", "candidate": "is <b>now</b>"}],
    }  # fmt: skip
    report = replace(document.reports[0], details=details)
    reader = read(replace(document, reports=(report,)))
    text = " ".join(reader.text)
    for expected in (
        "91.0%",
        "80.0%",
        "-11.0%",
        "-16.0% to -6.0%",
        "sunflower protocol",
        "lost",
        "is <b>now</b>",
    ):
        assert expected in text
    assert [a["class"] for found, a in reader.tags if found == "svg"] == ["interval moved"]


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"tensors": 3},
        {"triggers": None, "suites": {}, "bom": []},
        {"suites": [{"delta_interval": [1, "x"], "delta": True}, {"delta_interval": "ab", "name": None}]},
        {"changes": [{"prompt": [1, {"a": None}]}], "bom": {"components": [{"licenses": [{"license": 3}]}]}},
    ],
)
def test_details_of_any_shape_are_survived(document: Document, details: dict[str, JSON]) -> None:
    report = replace(document.reports[0], details=details)
    read(replace(document, reports=(report,)))


def test_many_findings_are_capped_and_counted(document: Document) -> None:
    report = replace(document.reports[1], findings=(Finding("a/b", Severity.HIGH, "x"),) * 10_000)
    assert "and 9,700 more" in render(replace(document, reports=(report,)), "html")
