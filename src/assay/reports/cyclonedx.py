"""The bill of materials of a run, as the CycloneDX JSON that a check made.

An environment's (`supply.sbom`) goes before a model's (`model.origin`): a run of the pipeline has both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from assay.core.errors import UsageError
from assay.core.report import Status
from assay.reports.document import Document

CHECK = "supply.sbom"
CHECKS = (CHECK, "model.origin")


def render(document: Document) -> str:
    """The bill of materials, byte for byte the same for the same environment or model.

    Raises:
        UsageError: no report holds one, or several subjects have one each.
    """
    made = {
        name: [r.details["bom"] for r in document.reports if r.check == name and "bom" in r.details]
        for name in CHECKS
    }
    found = next((boms for boms in made.values() if boms), [])
    if not found:
        failed = next(
            (r.message for r in document.reports if r.check in CHECKS and r.status is Status.ERROR), ""
        )
        if failed:
            raise UsageError(
                f"there is no SBOM in this run: {failed}", remedy="Mend that, then run it again."
            )
        raise UsageError("there is no SBOM in this run", remedy=f"Run the check {CHECK}.")
    if len(found) > 1:
        raise UsageError(
            "there are several SBOMs in this run", remedy="Render them one at a time, a document each."
        )
    if not isinstance(found[0], Mapping):
        raise UsageError("the SBOM of this run is not a document", remedy=f"Run the check {CHECK} again.")
    return json.dumps(found[0], indent=2, sort_keys=True) + "\n"
