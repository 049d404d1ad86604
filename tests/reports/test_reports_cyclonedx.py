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


def test_without_one_it_says_which_check_to_run(document: Document) -> None:
    with pytest.raises(UsageError) as caught:
        render(document, "cyclonedx")
    assert caught.value.remedy == "Run the check supply.sbom."


def test_several_are_refused(document: Document) -> None:
    report = replace(document.reports[3], details={"bom": {"bomFormat": "CycloneDX"}})
    with pytest.raises(UsageError, match="several SBOMs"):
        render(replace(document, reports=(report, report)), "cyclonedx")
