"""Paddle: operators that do more than compute."""

from __future__ import annotations

from collections import Counter

from assay.checks.packaging.artifact_scan import operators, rules
from assay.checks.packaging.artifact_scan.blob import Blob
from assay.checks.packaging.artifact_scan.inspectors import graph_files
from assay.checks.packaging.artifact_scan.inspectors.inspector import Inspection
from assay.subjects.graphs.paddle import read_program

MAX_FINDINGS = 20  # of one operator


def inspect(blob: Blob, inspection: Inspection) -> None:
    """Judge a program."""
    effects, told = operators.effects("paddle"), Counter[str]()
    with graph_files.parsing(blob, inspection, "Paddle program"):
        program = read_program(blob.data, blob.start, blob.end)
        graph_files.unknown_fields(blob, inspection, program.unknown)
        for operator in program.operators:
            effect = effects.get(operator.name)
            if effect is None or told[operator.name] >= MAX_FINDINGS:
                continue
            told[operator.name] += 1
            path = operator.attributes.get("file_path", "")
            named = f" ({path[:100]!r})" if path else ""
            message = f"Running the graph {effect.does}{named}: operator {operator.name[:60]}."
            where = graph_files.place(blob, operator.at, operator.name)
            inspection.report(rules.graphs.OPERATOR.finding(message, where, severity=effect.severity))
    graph_files.other_readings(blob, inspection, "paddle")
