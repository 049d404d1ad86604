from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from assay.core.codec import from_json, to_json
from assay.core.finding import Finding, Location, Severity
from assay.core.ignoring import IgnoreEntry, ignore_findings, still_ignored
from assay.core.report import Coverage, Report, Skipped, Status, conclude
from assay.core.subject import Subject, SubjectKind

TODAY = date(2026, 6, 1)
LATER, GONE = date(2026, 6, 1), date(2026, 5, 31)
WHY = "reviewed by the platform team"
SUBJECT = Subject.from_document(SubjectKind.FOLDER, "model", {}, "/nowhere")
ACME = Finding(
    "pickle/unknown-global", Severity.HIGH, "acme.Dense", Location("a.zip", "m.pkl", name="acme.Dense")
)
OTHER = Finding("archive/inconsistent", Severity.MEDIUM, "odd", Location("b.zip"))


def report(*findings: Finding, skipped: int = 0) -> Report:
    coverage = Coverage("files", 2, tuple(Skipped(f"file{n}", "odd") for n in range(skipped)))
    return conclude("artifact.scan", SUBJECT, findings=findings, coverage=coverage)


@pytest.mark.parametrize(
    ("entry", "matches"),
    [
        (IgnoreEntry(WHY, LATER, rule="pickle/unknown-global"), True),
        (IgnoreEntry(WHY, LATER, rule="pickle/*"), True),
        (IgnoreEntry(WHY, LATER, rule="archive/*"), False),
        (IgnoreEntry(WHY, LATER, path="a.zip!/m.pkl"), True),
        (IgnoreEntry(WHY, LATER, path="a.zip"), False),
        (IgnoreEntry(WHY, LATER, rule="pickle/*", name="acme.*"), True),
        (IgnoreEntry(WHY, LATER, rule="pickle/*", name="other.*"), False),
        (IgnoreEntry(WHY, LATER, rule="pickle/*", check="artifact.scan"), True),
        (IgnoreEntry(WHY, LATER, rule="pickle/*", check="data.hygiene"), False),
        (IgnoreEntry(WHY, LATER, fingerprint=ACME.fingerprint[:12]), True),
        (IgnoreEntry(WHY, LATER, fingerprint="0" * 12), False),
        (IgnoreEntry(WHY, LATER), False),
        (IgnoreEntry(WHY, LATER, check="artifact.scan"), False),
    ],
)
def test_an_entry_matches_what_it_names(entry: IgnoreEntry, matches: bool) -> None:
    assert entry.matches("artifact.scan", ACME) is matches


def test_what_is_ignored_stays_in_the_report_and_no_longer_fails_it() -> None:
    entry = IgnoreEntry(WHY, LATER, rule="pickle/*")
    found = ignore_findings(report(ACME), [entry], TODAY)
    assert (found.status, found.findings) == (Status.PASS, ())
    assert [(item.finding, item.reason, item.expires) for item in found.ignored] == [(ACME, WHY, LATER)]
    assert from_json(Report, to_json(found)) == found
    assert still_ignored(found, [entry], TODAY)
    assert not still_ignored(found, [replace(entry, rule="archive/*")], TODAY)


def test_what_is_left_still_counts() -> None:
    entries = [IgnoreEntry(WHY, LATER, rule="pickle/*")]
    assert ignore_findings(report(ACME, OTHER), entries, TODAY).status is Status.FAIL
    assert ignore_findings(report(ACME, skipped=1), entries, TODAY).status is Status.INCOMPLETE
    crashed = replace(report(ACME), status=Status.ERROR)
    assert ignore_findings(crashed, entries, TODAY).status is Status.ERROR
    own = replace(report(ACME, OTHER), fail_on=None)  # a plug-in that concluded by itself
    assert ignore_findings(own, entries, TODAY).status is Status.FAIL
    assert ignore_findings(replace(report(ACME), fail_on=None), entries, TODAY).status is Status.PASS


def test_an_entry_that_ran_out_sets_nothing_aside_and_says_so() -> None:
    found = ignore_findings(report(ACME), [IgnoreEntry(WHY, GONE, rule="pickle/*")], TODAY)
    assert (found.status, found.ignored) == (Status.FAIL, ())
    assert found.coverage.notes == (f"an entry of the ignore file ran out on 2026-05-31: {WHY}",)
    renewed = [IgnoreEntry(WHY, GONE, rule="pickle/*"), IgnoreEntry(WHY, LATER, rule="pickle/*")]
    assert ignore_findings(report(ACME), renewed, TODAY).coverage.notes == ()
