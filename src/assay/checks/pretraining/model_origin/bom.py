"""The model as a CycloneDX bill of materials (ML-BOM), 1.6 or 1.7.

The same model gives the same bytes: the serial number is derived from the model's digest, there is no time in
it, and everything is sorted. Written as JSON of our own: the CycloneDX library has no model cards.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast

from assay.checks.pretraining.model_origin.licences import Terms
from assay.checks.pretraining.model_origin.provenance import Provenance
from assay.core.canonical import carriable
from assay.core.digest import FileDigest
from assay.core.subject import Subject
from assay.subjects.hub import Licence, Repository
from assay.subjects.hub.cache import is_metadata

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://assay.dev/ml-bom")
MODEL = "model"
TYPE = "machine-learning-model"
MAX_FILES = 5_000


def bill_of_materials(
    subject: Subject, known: Provenance, terms: Terms, files: Sequence[FileDigest], version: str
) -> dict[str, Any]:
    """The bill as a JSON document.

    Args:
        subject: the model; its digest names the bill.
        known: its origin.
        terms: its licences.
        files: its files.
        version: of CycloneDX: `1.6` or `1.7`.
    """
    bases = [_base(base, terms) for base in known.bases]
    datasets = [_dataset(name) for name in sorted(known.card.datasets)]
    own = [file for file in files if not is_metadata(file.name)]
    references = sorted(part["bom-ref"] for part in datasets)
    document: dict[str, Any] = {
        "$schema": f"http://cyclonedx.org/schema/bom-{version}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, subject.sha256)}",
        "version": 1,
        "metadata": {"component": _model(subject, known, terms, len(own), bases)},
        "components": [*datasets, *(_file(file) for file in own[:MAX_FILES])],
        "dependencies": [{"ref": MODEL, "dependsOn": references}],
    }
    return cast("dict[str, Any]", carriable(document))


def _model(
    subject: Subject, known: Provenance, terms: Terms, files: int, bases: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    source = known.source
    component: dict[str, Any] = {
        "type": TYPE,
        "bom-ref": MODEL,
        "name": source.name if source else known.card.model_name or MODEL,
        "hashes": [{"alg": "SHA-256", "content": subject.sha256}],
        "modelCard": _card(known, terms),
        "properties": _properties(subject, known, files),
    }
    if source:
        component |= {"purl": source.purl, **({"group": source.org} if source.org else {})}
        if source.revision:
            component["version"] = source.revision
    if licences := _licences(terms):
        component["licenses"] = licences
    if terms.found:
        component["evidence"] = {"licenses": [{"license": _licence(found)} for found in terms.found]}
    if bases:
        component["pedigree"] = {"ancestors": list(bases)}
    if known.card.tags:
        component["tags"] = sorted(known.card.tags)
    return component


def _card(known: Provenance, terms: Terms) -> dict[str, Any]:
    configuration, card = known.configuration, known.card
    parameters: dict[str, Any] = {}
    if card.task:
        parameters["task"] = card.task
    if configuration.model_type:
        parameters["architectureFamily"] = configuration.model_type
    if configuration.architectures:
        parameters["modelArchitecture"] = configuration.architectures[0]
    if card.datasets:
        parameters["datasets"] = [{"ref": _data_reference(name)} for name in card.datasets]
    considerations: dict[str, Any] = {}
    if configuration.code:
        considerations["technicalLimitations"] = ["Loading it runs Python that comes with the model."]
    limited = sorted({t.id for t in (*terms.own, *terms.inherited.values()) if not t.permissive})
    if limited:
        considerations["ethicalConsiderations"] = [
            {"name": f"The licence {name} sets conditions on use", "mitigationStrategy": "Read its terms."}
            for name in limited
        ]
    made: dict[str, Any] = {}
    if parameters:
        made["modelParameters"] = parameters
    if considerations:
        made["considerations"] = considerations
    return made


def _properties(subject: Subject, known: Provenance, files: int) -> list[dict[str, str]]:
    named = {
        "assay:files": str(files),
        "assay:oms-root": subject.digests.get("oms-root", ""),
        "assay:library": known.card.library,
        "assay:language": ", ".join(known.card.languages),
        "assay:base-model-relation": known.card.relation,
    }
    return [{"name": name, "value": value} for name, value in named.items() if value]


def _base(base: Repository, terms: Terms) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": TYPE,
        "bom-ref": f"base:{base.id}",
        "name": base.name,
        "purl": base.purl,
    }
    if base.org:
        component["group"] = base.org
    if base.revision:
        component["version"] = base.revision
    if licence := terms.inherited.get(base.id):
        component["licenses"] = [{"license": _licence(licence)}]
    return component


def _dataset(name: str) -> dict[str, Any]:
    return {
        "type": "data",
        "bom-ref": _data_reference(name),
        "name": name,
        "data": [{"type": "dataset", "name": name}],
    }


def _data_reference(name: str) -> str:
    return f"data:{name}"


def _file(file: FileDigest) -> dict[str, Any]:
    return {
        "type": "file",
        "bom-ref": f"file:{file.name}",
        "name": file.name,
        "hashes": [{"alg": "SHA-256", "content": file.sha256}],
        "properties": [{"name": "assay:size", "value": str(file.size)}],
    }


def _licences(terms: Terms) -> list[dict[str, Any]]:
    declared = {"acknowledgement": "declared"}
    listed = [{"license": {**_licence(licence), **declared}} for licence in terms.declared]
    return listed + [{"license": {"name": text, **declared}} for text in terms.unknown]


def _licence(licence: Licence) -> dict[str, str]:
    return {"id": licence.id} if licence.spdx else {"name": licence.id}
