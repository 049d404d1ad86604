from __future__ import annotations

import re

import pytest

from assay.reports import Document, render

EXPECTED = """\
model.weights-diff  models/bot  pass  no findings; 12 tensors examined

data.hygiene  train.jsonl  incomplete  no findings; 990 rows examined, 11 not
  rows 10-20: not valid UTF-8 (and 10 more not examined)
  note: first release: no baseline
  not examined: 11 rows
    rows 10-20: not valid UTF-8
    → Convert the file.
    … and 10 more

artifact.scan  models/bot  fail  1 critical, 1 low; 4 files examined
  model.pt
  severity   rule                      found, and what to do
  ──────────────────────────────────────────────────────────────────────────────
  critical   pickle/dangerous-global   archive/data.pkl byte 12: loads os.system
                                       → Do not load this file.
  extra.pkl
  severity   rule                      found, and what to do
  ──────────────────────────────────────────────────────────
  low        pickle/unknown-global     loads mylib.Thing

supply.sbom  env  error  no findings; 0 files examined
  the disk is full

run 4 of 4
bot 1.2: 2 findings (1 critical, 1 low) in 4 checks: 1 error, 1 fail, 1 incomplete, 1 pass
  → `assay explain PATH` shows each call and the bytes that lead to it
verdict: fail
  fail artifact.scan found a critical
       → Remove it.
  approved by kim@example.org: seen it
"""


def test_the_exact_table(document: Document) -> None:
    assert render(document, "table", width=100) == EXPECTED


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_no_line_is_wider_than_asked(document: Document, hostile: Document, width: int) -> None:
    for one in (document, hostile):
        assert max(len(line) for line in render(one, "table", width=width).splitlines()) <= width


def test_colour_only_where_asked(document: Document) -> None:
    assert "\x1b" not in render(document, "table")
    assert "\x1b[" in render(document, "table", color=True)


def test_attack_terminal_escapes_do_not_reach_the_terminal(hostile: Document) -> None:
    plain = render(hostile, "table")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", plain)
    coloured = re.sub(r"\x1b\[[0-9;]*m", "", render(hostile, "table", color=True))
    assert [line.rstrip() for line in coloured.splitlines()] == plain.splitlines()


def test_no_check_does_not_read_as_clean(empty: Document) -> None:
    assert render(empty, "table") == "nothing: 0 findings in 0 checks: nothing was examined\n"
