from __future__ import annotations

import re
from dataclasses import replace

from markdown_it import MarkdownIt

from assay.core.finding import Finding, Severity
from assay.reports import Document, render
from assay.reports.markdown import MAX_FINDINGS


def html_of(text: str) -> str:
    return str(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text))


def test_the_board_and_what_is_missing(document: Document) -> None:
    text = render(document, "markdown")
    assert "### Verdict: ❌ fail" in text
    assert (
        "| packaging | <code>artifact.scan</code> | ❌ fail | 1 critical, 1 low | 4 files examined |" in text
    )
    assert "**Not examined: 11 rows**" in text
    assert "* <code>rows 10-20</code> not valid UTF-8 → Convert the file." in text


def test_attack_hostile_text_makes_no_markup(hostile: Document) -> None:
    rendered = html_of(render(hostile, "markdown"))
    assert "<script" not in rendered
    assert "<a " not in rendered
    assert "<img" not in rendered
    assert "@admin" not in re.sub(r"<code>.*?</code>", "", rendered)
    # The table keeps its shape: every row has five cells.
    rows = re.findall(r"<tr>(.*?)</tr>", rendered, re.DOTALL)
    assert {len(re.findall(r"<t[hd]", row)) for row in rows} == {5}


def test_many_findings_are_capped_and_counted(document: Document) -> None:
    finding = Finding("a/b", Severity.HIGH, "x" * 1000)
    report = replace(document.reports[1], findings=(finding,) * 10_000)
    text = render(replace(document, reports=(report,)), "markdown")
    assert f"and {10_000 - MAX_FINDINGS:,} more" in text
    assert len(text) < 200_000


def test_no_check_does_not_read_as_clean(empty: Document) -> None:
    assert "No check ran" in render(empty, "markdown")
