"""The environment as a CycloneDX 1.6 bill of materials.

The same environment gives the same bytes: the serial number is derived from the environment's digest, there
is no time in it, and everything is sorted. So two bills can be compared, line by line.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import DisjunctiveLicense, LicenseAcknowledgement, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from assay.checks.packaging.sbom.licences import Licence
from assay.checks.packaging.sbom.sources import Source
from assay.core.subject import Subject
from assay.subjects.environment import Distribution

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://assay.dev/sbom")
MAX_NATIVE = 200


@dataclass(frozen=True, slots=True)
class Part:
    """A distribution with what was found out about it."""

    distribution: Distribution
    licence: Licence
    source: Source | None
    native: Sequence[str]

    @property
    def purl(self) -> PackageURL:
        """Its package URL; one that is not of the index says where it is from."""
        qualifiers: dict[str, str] = {}
        if self.source and self.source.kind == "vcs" and self.source.commit:
            qualifiers["vcs_url"] = f"git+{self.source.url.removeprefix('git+')}@{self.source.commit}"
        elif self.source and self.source.kind == "archive":
            qualifiers["download_url"] = self.source.url
        distribution = self.distribution
        return PackageURL("pypi", None, distribution.canonical_name, distribution.version, qualifiers)


def bill_of_materials(
    subject: Subject, python: str, parts: Sequence[Part], edges: Mapping[str, set[str]]
) -> dict[str, Any]:
    """The bill as a JSON document.

    Args:
        subject: the environment; its digest names the bill.
        python: its Python version.
        parts: distributions in canonical order.
        edges: canonical name to the canonical names it needs.
    """
    bom = Bom(serial_number=uuid.uuid5(NAMESPACE, subject.sha256))
    root = Component(
        name="python-environment",
        version=python,
        type=ComponentType.APPLICATION,
        bom_ref="environment",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=subject.sha256)],
        properties=[Property(name="assay:python", value=python)],
    )
    bom.metadata.component = root
    components: dict[str, list[Component]] = {}
    for part in parts:
        component = _component(part, len(components.get(part.distribution.canonical_name, ())))
        components.setdefault(part.distribution.canonical_name, []).append(component)
        bom.components.add(component)
    _wire(bom, root, components, edges)
    document: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    # The library stamps the clock; a bill that is compared and signed must not move by itself.
    document["metadata"].pop("timestamp", None)
    return document


def _wire(
    bom: Bom, root: Component, components: Mapping[str, list[Component]], edges: Mapping[str, set[str]]
) -> None:
    needed = {target for name, targets in edges.items() for target in targets if target != name}
    leaves = {name: [Dependency(c.bom_ref) for c in twins] for name, twins in components.items()}
    for name, twins in components.items():
        targets = [leaf for target in edges.get(name, ()) if target != name for leaf in leaves[target]]
        # Not Bom.register_dependency: it searches the whole graph each time.
        bom.dependencies.update(Dependency(component.bom_ref, targets) for component in twins)
    top = [leaf for name in components if name not in needed for leaf in leaves[name]]
    bom.dependencies.add(Dependency(root.bom_ref, top))


def _component(part: Part, twin: int) -> Component:
    distribution = part.distribution
    purl = part.purl
    return Component(
        name=distribution.canonical_name,
        version=distribution.version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string() + (f"#{twin + 1}" if twin else ""),
        purl=purl,
        description=str(distribution.metadata.get("Summary") or "")[:500] or None,
        licenses=_licences(part.licence),
        hashes=_hashes(part.source),
        external_references=_references(part.source),
        properties=[Property(name=f"assay:{name}", value=value) for name, value in _properties(part)],
    )


def _licences(licence: Licence) -> list[DisjunctiveLicense | LicenseExpression]:
    declared = LicenseAcknowledgement.DECLARED
    if licence.spdx:
        return [DisjunctiveLicense(id=licence.spdx, acknowledgement=declared)]
    if licence.expression:
        return [LicenseExpression(licence.expression, acknowledgement=declared)]
    return [DisjunctiveLicense(name=licence.name, acknowledgement=declared)] if licence.name else []


def _hashes(source: Source | None) -> list[HashType]:
    return [HashType(alg=HashAlgorithm.SHA_256, content=source.sha256)] if source and source.sha256 else []


def _references(source: Source | None) -> list[ExternalReference]:
    if source is None or source.kind in {"editable", "folder"}:
        return []
    kind = ExternalReferenceType.VCS if source.kind == "vcs" else ExternalReferenceType.DISTRIBUTION
    return [ExternalReference(type=kind, url=XsUri(source.url))]


def _properties(part: Part) -> list[tuple[str, str]]:
    distribution = part.distribution
    named = [("record:sha256", distribution.record_sha256)]
    if part.source:
        named.append(("source", part.source.kind))
    named += [("native-library", path) for path in part.native[:MAX_NATIVE]]
    if len(part.native) > MAX_NATIVE:
        named.append(("native-libraries", str(len(part.native))))
    return named
