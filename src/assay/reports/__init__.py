"""Reports to text: functions from values to a string. Nothing here prints, writes or exits.

`document` what is rendered · `render` the one door · `table` with `brief`, what of it needs no layout,
`json_report`, `sarif`, `junit`, `markdown`, `html`, `cyclonedx` a format each · `plain` hostile text made
safe · `stages` the lifecycle board.
"""

from __future__ import annotations

from assay.reports.document import Document, LedgerFacts
from assay.reports.render import FORMATS, render

__all__ = ["FORMATS", "Document", "LedgerFacts", "render"]
