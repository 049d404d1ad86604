"""The check `vector.poisoning`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from assay.checks.deployment.vector_poisoning.changes import changes
from assay.checks.deployment.vector_poisoning.contrast import LEAST, contrast
from assay.checks.deployment.vector_poisoning.copies import find_copies
from assay.checks.deployment.vector_poisoning.embedding import compare, embedded_encoder, installed
from assay.checks.deployment.vector_poisoning.findings import Evidence
from assay.checks.deployment.vector_poisoning.instructions import instructions
from assay.checks.deployment.vector_poisoning.neighbours import Neighbours, nearest, unit
from assay.checks.deployment.vector_poisoning.options import Options
from assay.checks.deployment.vector_poisoning.planted import PlantedGroups
from assay.checks.deployment.vector_poisoning.rules import RULES
from assay.checks.deployment.vector_poisoning.shapes import far_off, hubs, long_vectors, occurrences, skewness
from assay.checks.deployment.vector_poisoning.tenants import homophily, leaks, strays
from assay.core.canonical import JSON
from assay.core.check import CheckInfo, Context, Role, Stage
from assay.core.errors import ConfigError
from assay.core.finding import Finding
from assay.core.report import Coverage, Metric, Report, conclude
from assay.core.subject import Subject, SubjectKind
from assay.embeddings.embedder import Embedder
from assay.subjects.dataset import Tally
from assay.subjects.vector_stores.confined import Hazard
from assay.subjects.vector_stores.snapshot import Snapshot, take
from assay.subjects.vector_stores.store import open_store

NAME = "vector.poisoning"
FEWEST = max(100, LEAST)  # entries from which on a store tells what is usual in it


@dataclass(slots=True)
class _Run:
    """One run: what was seen so far."""

    snapshot: Snapshot
    tally: Tally
    options: Options
    context: Context
    found: list[Finding] = field(default_factory=list)
    metrics: dict[str, Metric] = field(default_factory=dict)
    details: dict[str, JSON] = field(default_factory=dict)

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.snapshot)

    def tick(self, done: int) -> None:
        self.context.checkpoint()
        self.context.progress.update(done, len(self.snapshot), "entries")


class VectorPoisoning:
    """Finds planted, hub-like, duplicated or instruction-carrying entries in a vector store."""

    info: ClassVar[CheckInfo] = CheckInfo(
        name=NAME,
        title="Planted, hub-like, duplicated or instruction-carrying entries in a vector store",
        stage=Stage.DEPLOYMENT,
        role=Role.VECTORS,
        kinds=(SubjectKind.VECTOR_STORE, SubjectKind.FILE, SubjectKind.FOLDER),
        version="1",
        rules=RULES,
        options=Options,
        baseline=True,
    )

    def run(self, subject: Subject, context: Context) -> Report:
        """Read the store once, into memory, and look at texts, vectors, tenants and changes."""
        options = context.parsed(Options)
        tally = Tally()
        snapshot, hazards = _take(subject, options, tally)
        run = _Run(snapshot, tally, options, context)
        run.found += run.evidence.code(hazards)
        run.metrics["entries"] = len(run.snapshot)
        run.details["snapshot_sha256"] = run.snapshot.sha256()
        if len(run.snapshot):
            _texts(run)
            _embedding(run)
            _vectors(run)
            _compared(run)
        return conclude(
            NAME,
            subject,
            findings=run.found,
            coverage=_coverage(tally, len(run.snapshot)),
            fail_on=options.fail_on,
            metrics=run.metrics,
            details=run.details,
            baseline=context.baseline,
        )


def _take(subject: Subject, options: Options, tally: Tally) -> tuple[Snapshot, list[Hazard]]:
    store = open_store(subject.path, options.table, options.fields())
    snapshot = take(store.entries(tally), tally, options.max_entries)
    return snapshot, store.hazards


def _coverage(tally: Tally, examined: int) -> Coverage:
    return Coverage("entries", examined, tuple(tally.skipped), tally.skipped_total, tuple(tally.notes))


def _texts(run: _Run) -> None:
    silent = sum(not text for text in run.snapshot.texts)
    if silent:
        run.tally.skip(
            f"the text of {silent:,} entries",
            "is not in the store, so neither instructions nor common wording could be looked for",
            "Name its column with the option text_column.",
            count=silent,
        )
    seen, unread = instructions(run.snapshot, run.tick)
    for at, reason in unread:
        run.tally.skip(
            f"the text of entry {run.snapshot.ids[at]}",
            reason or "was not decoded to the end",
            "Look at it by hand: texts that hide so much are rarely meant to be read.",
        )
    run.found += run.evidence.instructions(seen)
    run.metrics["instructions"] = len(seen)


def _embedding(run: _Run) -> None:
    embedder = _embedder(run)
    if embedder is None:
        return
    most = run.options.max_embedded
    result = compare(run.snapshot, embedder, most, run.options.seed, run.tick)
    run.details["embedder"] = embedder.name
    run.metrics |= {"embedded_again": result.compared, "median_cosine": round(result.median, 6)}
    if not result.same_model:
        run.tally.skip(
            "texts against their vectors",
            f"the vectors were not made by {embedder.name}: their median cosine is {result.median:.2f}",
            "Name the store's own model with the options embedder and embedder_model.",
        )
        return
    if result.compared < len(run.snapshot):
        run.tally.note(
            f"{result.compared:,} of {len(run.snapshot):,} texts were embedded again (max_embedded)"
        )
    run.found += run.evidence.mismatches(result.mismatches)
    run.metrics["text_mismatches"] = len(result.mismatches)


def _embedder(run: _Run) -> Embedder | None:
    """What made the vectors; None, with a note, where that is not known."""
    options = run.options
    if options.embedder == "none":
        run.tally.note("texts were not held against their vectors: embedder is none")
        return None
    if options.embedder == "auto":
        found = embedded_encoder(run.snapshot, options.seed)
        if found is None:
            why = "" if installed() else " and the extra guard is not installed"
            run.tally.note(f"texts were not held against their vectors: no embedder is named{why}")
        return found
    if options.embedder == "minilm":
        from assay.embeddings.encoder import Encoder  # noqa: PLC0415  an extra, and slow to load

        return Encoder()
    if not options.embedder.startswith(("http://", "https://")):
        raise ConfigError(
            f"no embedder {options.embedder!r}", remedy="Use auto, none, minilm or a server's base URL."
        )
    from assay.embeddings.endpoint import EndpointEmbedder  # noqa: PLC0415  an extra

    key = os.environ.get(options.embedder_key_env, "") if options.embedder_key_env else ""
    return EndpointEmbedder(options.embedder, options.embedder_model, key)


def _vectors(run: _Run) -> None:
    snapshot, evidence = run.snapshot, run.evidence
    lengths = np.linalg.norm(snapshot.vectors.astype(np.float64), axis=1)
    if len(snapshot) < FEWEST:
        run.tally.skip(
            "neighbourhoods",
            f"{len(snapshot):,} entries are too few to tell what is usual in the store ({FEWEST} are needed)",
            "Read the entries; or declare the check not applicable with that reason.",
        )
        return
    near = nearest(unit(snapshot.vectors), run.tick)
    counts = occurrences(near)
    odd = {"hubs": hubs(counts), "long_vectors": long_vectors(lengths), "far_off": far_off(near)}
    run.found += evidence.hubs(odd["hubs"])
    run.found += evidence.long_vectors(odd["long_vectors"])
    run.found += evidence.far_off(odd["far_off"])
    run.metrics |= {name: len(those) for name, those in odd.items()}
    run.metrics["hubness"] = round(skewness(counts), 6)
    _groups(run, near)


def _groups(run: _Run, near: Neighbours) -> None:
    snapshot, evidence = run.snapshot, run.evidence
    copies = find_copies(snapshot, near)
    run.found += evidence.copies(copies)
    run.metrics["copies"] = sum(len(one.members) - 1 for one in copies)
    shared = list(leaks(snapshot, copies))
    lost = strays(snapshot, near)
    run.found += [*evidence.leaks(shared), *evidence.strays(lost)]
    run.metrics |= {"tenant_copies": len(shared), "tenant_strays": len(lost)}
    run.metrics["tenant_homophily"] = round(homophily(snapshot, near), 6)
    search = PlantedGroups(
        snapshot, near, contrast(near), rate=run.options.rate(), seed=run.options.seed
    ).search(run.context.checkpoint)
    run.found += evidence.planted(search.groups)
    run.metrics |= {
        "planted_groups": len(search.groups),
        "planted_entries": sum(len(group.members) for group in search.groups),
        "flagged_entries": search.flagged,
    }
    run.details["search"] = {
        "shared_rate": round(search.shared_rate, 6),
        "contrast_rate": round(search.rate, 6),
        "contrast": round(search.contrast, 6),
        "candidates": search.candidates,
    }


def _compared(run: _Run) -> None:
    """Compare with the approved snapshot, where there is one."""
    approved = run.context.baseline
    if approved is None:
        run.tally.note("there is no approved snapshot to compare with")
        return
    tally = Tally()
    before, _ = _take(approved, run.options, tally)
    if tally.skipped_total:
        first = tally.skipped[0]
        run.tally.skip(f"the baseline's {first.what}", first.reason, first.remedy, count=tally.skipped_total)
    found = changes(run.snapshot, before)
    run.found += run.evidence.changes(found)
    run.metrics |= {
        "added": len(found.added),
        "removed": len(found.removed),
        "rewritten": len(found.rewritten),
        "moved": len(found.moved),
        "relabelled": len(found.relabelled),
    }
    if found.embedded_anew and found.kept:
        run.tally.note("most vectors changed under the same texts: the store was embedded anew")
