from __future__ import annotations

import json
from dataclasses import replace

import pytest

from assay.core.errors import UsageError
from assay.reports import Document, render


def test_the_bill_of_materials_comes_out_as_it_is(document: Document) -> None:
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}
    report = replace(document.reports[3], details={"bom": bom})
    assert json.loads(render(replace(document, reports=(report,)), "cyclonedx")) == bom


def test_a_models_bill_comes_out_where_there_is_none_of_an_environment(document: Document) -> None:
    bills = [{"bomFormat": "CycloneDX", "version": number} for number in (1, 2)]
    environment = replace(document.reports[3], details={"bom": bills[0]})
    model = replace(document.reports[3], check="model.origin", details={"bom": bills[1]})
    for reports, expected in (((model,), bills[1]), ((model, environment), bills[0])):
        assert json.loads(render(replace(document, reports=reports), "cyclonedx")) == expected


def test_without_one_it_says_which_check_to_run_or_why_that_gave_none(document: Document) -> None:
    with pytest.raises(UsageError) as caught:
        render(replace(document, reports=document.reports[:1]), "cyclonedx")
    assert caught.value.remedy == "Run the check supply.sbom."
    with pytest.raises(UsageError) as caught:
        render(document, "cyclonedx")
    assert caught.value.cause == "there is no SBOM in this run: the disk is full"


def test_several_are_refused(document: Document) -> None:
    report = replace(document.reports[3], details={"bom": {"bomFormat": "CycloneDX"}})
    with pytest.raises(UsageError, match="several SBOMs"):
        render(replace(document, reports=(report, report)), "cyclonedx")
