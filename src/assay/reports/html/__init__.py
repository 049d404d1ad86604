"""One HTML file that a person enjoys reading: offline, no script, light and dark, printable.

`page` the whole · `banner` verdict and board · `findings` a section a check · `behavior`, `weights`, `tables`
what single checks have to show · `provenance` digests and ledger · `element` tags that escape.
"""

from __future__ import annotations

from assay.reports.html.page import render

__all__ = ["render"]
