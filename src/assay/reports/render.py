"""The one door: a document and a format in, text out."""

from __future__ import annotations

from importlib import import_module

from assay.core.errors import UsageError
from assay.reports import brief
from assay.reports.document import Document

# Modules are imported when their format is asked for: a table must not pay for an SBOM library.
_MODULES = {
    "table": "assay.reports.table",
    "json": "assay.reports.json_report",
    "sarif": "assay.reports.sarif",
    "junit": "assay.reports.junit",
    "markdown": "assay.reports.markdown",
    "html": "assay.reports.html",
    "cyclonedx": "assay.reports.cyclonedx",
}
FORMATS = tuple(_MODULES)


def render(document: Document, fmt: str, *, width: int | None = None, color: bool = False) -> str:
    """Render `document` as one of `FORMATS`; the text ends with a newline.

    Args:
        document: what to render.
        fmt: `table`, `json`, `sarif`, `junit`, `markdown`, `html` or `cyclonedx`.
        width: columns of the table; 100 where none is given. Other formats do not look at it.
        color: whether the table may carry ANSI colours.

    Raises:
        UsageError: the format is unknown, or `cyclonedx` was asked for and no report holds an SBOM.
    """
    if fmt not in _MODULES:
        raise UsageError(f"there is no format {fmt!r}", remedy=f"Known formats: {', '.join(FORMATS)}.")
    if fmt == "table" and (lines := brief.render(document, width=width, color=color)) is not None:
        return lines
    module = import_module(_MODULES[fmt])
    if fmt == "table":
        return str(module.render(document, width=width, color=color))
    return str(module.render(document))
