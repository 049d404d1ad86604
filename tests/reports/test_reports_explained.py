"""Findings explained at a terminal: everything of each, and nothing that acts on the terminal."""

from __future__ import annotations

import pytest

from assay.reports import Document
from assay.reports.explained import closing, render

TOLD = """\
model.pt!/archive/data.pkl byte 12
critical  pickle/dangerous-global  FINGERPRINT
loads os.system
  would run  os.system('id')
             os.system('ls')
  because    byte 2   GLOBAL imports os.system
             byte 12  REDUCE calls os.system
                      and on
  run by     torch.load(file, weights_only=False)
  effect     The command runs.
  do         → Do not load it.
             → Keep its numbers:
             assay convert model.pt -o model.safetensors

extra.pkl
low  pickle/unknown-global  FINGERPRINT
loads mylib.Thing

"""


def test_each_finding_is_told_whole(document: Document) -> None:
    report = document.reports[1]
    text = render([(report, finding) for finding in report.findings])
    for finding in report.findings:
        text = text.replace(finding.fingerprint[:12], "FINGERPRINT")
    assert text == TOLD
    assert closing(2, [report]) == "2 of 2 findings explained"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_attack_hostile_text_stays_text_and_within_the_width(hostile: Document, width: int) -> None:
    report = hostile.reports[0]
    text = render([(report, finding) for finding in report.findings], width=width)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert max(map(len, text.splitlines())) <= width


def test_what_was_not_examined_is_said(document: Document) -> None:
    incomplete = next(report for report in document.reports if report.coverage.skipped_total)
    assert "not examined" in closing(0, [incomplete])
