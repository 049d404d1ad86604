"""The SBOM of a run, as the CycloneDX JSON that `supply.sbom` made."""

from __future__ import annotations

import json
from collections.abc import Mapping

from assay.core.errors import UsageError
from assay.reports.document import Document

CHECK = "supply.sbom"


def render(document: Document) -> str:
    """The bill of materials, byte for byte the same for the same environment.

    Raises:
        UsageError: no report holds one, or several subjects have one each.
    """
    found = [r.details["bom"] for r in document.reports if r.check == CHECK and "bom" in r.details]
    if not found:
        raise UsageError("there is no SBOM in this run", remedy=f"Run the check {CHECK}.")
    if len(found) > 1:
        raise UsageError(
            "there are several SBOMs in this run", remedy="Render them one at a time, a document each."
        )
    if not isinstance(found[0], Mapping):
        raise UsageError("the SBOM of this run is not a document", remedy=f"Run the check {CHECK} again.")
    return json.dumps(found[0], indent=2, sort_keys=True) + "\n"
