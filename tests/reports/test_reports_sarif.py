from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from assay.core.canonical import JSON
from assay.core.finding import Finding, Location, Severity
from assay.core.report import Coverage, conclude
from assay.core.subject import Subject, SubjectKind
from assay.reports import Document, render

SCHEMA = json.loads((Path(__file__).parent / "fixtures/sarif-2.1.0-rtm.5.json").read_text())


def run_of(document: Document) -> dict[str, Any]:
    log = json.loads(render(document, "sarif"))
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    run: dict[str, Any] = log["runs"][0]
    return run


@pytest.mark.parametrize("name", ["document", "hostile", "empty"])
def test_every_document_is_valid_sarif(name: str, request: pytest.FixtureRequest) -> None:
    assert run_of(request.getfixturevalue(name))["tool"]["driver"]["name"] == "Assay"


def test_results_carry_what_code_scanning_reads(document: Document) -> None:
    run = run_of(document)
    result = run["results"][0]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert result["ruleId"] == rule["id"] == "pickle/dangerous-global"
    assert result["level"] == "error"
    assert rule["properties"] == {
        "tags": ["security", "owasp:LLM03", "cwe:CWE-502"],
        "security-severity": "9.5",
    }
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "models/bot/model.pt"
    # The byte counts in the member, and a region would count in the file around it.
    assert "region" not in physical
    logical = result["locations"][0]["logicalLocations"][0]
    assert logical["properties"] == {"byteOffset": 12}
    assert result["partialFingerprints"]["assay/v1"] == document.reports[1].findings[0].fingerprint


def test_an_explanation_is_a_code_flow(document: Document) -> None:
    result = run_of(document)["results"][0]
    assert result["properties"]["explanation"] == {
        "source": "os.system('id')\nos.system('ls')",
        "loaders": ["torch.load(file, weights_only=False)"],
        "effect": "The command runs.",
        "advice": ["Do not load it.", "Keep its numbers:\nassay convert model.pt -o model.safetensors"],
    }
    flow = result["codeFlows"][0]
    assert flow["message"]["text"] == "os.system('id'); os.system('ls')"
    steps = [step["location"] for step in flow["threadFlows"][0]["locations"]]
    assert [step["message"]["text"] for step in steps] == [
        "GLOBAL imports os.system",
        "REDUCE calls os.system",
        "and on",
    ]
    assert [step["logicalLocations"][0].get("properties") for step in steps] == [
        {"byteOffset": 2},
        {"byteOffset": 12},
        None,
    ]


def test_a_byte_of_a_plain_file_is_a_region() -> None:
    finding = Finding("a/b", Severity.HIGH, "m", Location("model.pkl", offset=7))
    models = Subject(SubjectKind.FOLDER, "models", {"sha256": "0" * 64}, "/models")
    report = conclude("artifact.scan", models, findings=[finding], coverage=Coverage("files", 1))
    alone = Document("t", (report,), datetime(2026, 1, 1, tzinfo=UTC), "0")
    physical = run_of(alone)["results"][0]["locations"][0]["physicalLocation"]
    assert physical["region"] == {"byteOffset": 7, "byteLength": 0}


def test_every_rule_has_help_as_markdown(document: Document) -> None:
    for rule in run_of(document)["tool"]["driver"]["rules"]:
        assert rule["help"]["markdown"].startswith("**")


def test_what_was_not_examined_is_no_success(document: Document, empty: Document) -> None:
    invocations = {i["properties"]["check"]: i for i in run_of(document)["invocations"]}
    assert invocations["model.weights-diff"]["executionSuccessful"] is True
    assert invocations["artifact.scan"]["executionSuccessful"] is True
    told = invocations["data.hygiene"]
    assert told["executionSuccessful"] is False
    assert "not valid UTF-8" in told["toolExecutionNotifications"][0]["message"]["text"]
    assert invocations["supply.sbom"]["toolExecutionNotifications"][0]["level"] == "error"
    assert run_of(empty)["invocations"][0]["executionSuccessful"] is False


@pytest.mark.parametrize(
    ("kind", "name", "path", "uri"),
    [
        (SubjectKind.FOLDER, "models/bot", "a b/x.pkl", "models/bot/a%20b/x.pkl"),
        (SubjectKind.FOLDER, "/srv/models/bot", "x.pkl", "x.pkl"),
        (SubjectKind.FOLDER, "../bot", "x.pkl", "x.pkl"),
        (SubjectKind.FOLDER, "bot", "../../etc/passwd", "bot/etc/passwd"),
        (SubjectKind.FILE, "models/x.pkl", "x.pkl", "models/x.pkl"),
        (SubjectKind.FILE, "/srv/x.pkl", "", "x.pkl"),
        (SubjectKind.FILE, "./x.pkl", "", "x.pkl"),
        (SubjectKind.ENDPOINT, "support:bot", "", "support%3Abot"),
        (SubjectKind.FOLDER, "bot", "\udcff\n\x1b.pkl", "bot/%FF%0A%1B.pkl"),
        (SubjectKind.FOLDER, "bot", "\ud800.pkl", "bot/%ED%A0%80.pkl"),
    ],
)
def test_locations_are_relative_uris(kind: SubjectKind, name: str, path: str, uri: str) -> None:
    identity: JSON = {"name": name}
    subject = Subject.from_document(kind, name, identity, "/nowhere")
    finding = Finding("a/b", Severity.HIGH, "found", Location(path))
    report = conclude("artifact.scan", subject, findings=[finding], coverage=Coverage("files", 1))
    run = run_of(Document("t", (report,), datetime(2026, 1, 1, tzinfo=UTC), "1"))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_attack_a_link_in_a_message_is_no_link(hostile: Document) -> None:
    assert "[a](" not in run_of(hostile)["results"][0]["message"]["text"]
