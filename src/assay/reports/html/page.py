"""The page: what stands where."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from assay.reports.document import Document
from assay.reports.html.banner import anchors, banner, board_section
from assay.reports.html.element import Markup, join, tag, trusted
from assay.reports.html.findings import report_section
from assay.reports.html.provenance import provenance
from assay.reports.stages import worst_first


def render(document: Document) -> str:
    """The document as one HTML file that asks no network for anything."""
    style = files("assay.reports.html").joinpath("style.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{document.title} · Assay"),
        tag("style", trusted(style)),
    )
    body = tag(
        "body",
        tag("a", "Skip to the findings", href="#checks", class_="skip"),
        _top(document),
        tag("main", banner(document), board_section(document), _checks(document), provenance(document)),
    )
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def _policy(style: str) -> str:
    # Even if an escape failed, nothing would run and nothing would load: only this style is let in.
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _top(document: Document) -> Markup:
    when = document.created_at
    return tag(
        "header",
        tag("p", "Assay", class_="brand"),
        tag("h1", document.title),
        tag(
            "p",
            tag("time", f"{when:%d %B %Y, %H:%M} UTC", datetime=when.isoformat()),
            f" · Assay {document.tool_version}",
            class_="quiet",
        ),
    )


def _checks(document: Document) -> Markup:
    named = anchors(document)
    sections = [report_section(document, r, named[id(r)]) for r in worst_first(document.reports)]
    notes = [tag("p", note, class_="note") for note in document.notes]
    return tag("div", join(notes), join(sections), id="checks")
