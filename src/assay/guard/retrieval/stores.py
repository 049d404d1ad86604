"""The retrieval guard before stores: what is withheld is neither stored nor handed out.

Each wrapper has the calls that store and find, and no others: whoever needs more has the store itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from assay.core.errors import UsageError
from assay.guard.retrieval.guard import Passage, RetrievalGuard, RetrievalVerdict

Told = Callable[[RetrievalVerdict], None]


def _quietly(verdict: RetrievalVerdict) -> None:
    """Leave what was withheld out, and say nothing."""


class GuardedTable:
    """A LanceDB table.

    Args:
        table: `lancedb.table.Table`.
        guard: judges.
        text, vector, tenant: columns; a tenant column is only used where a search names a tenant.
        told: told of each verdict; `RetrievalVerdict.raise_withheld` makes what is withheld an error.
    """

    def __init__(
        self,
        table: Any,
        guard: RetrievalGuard,
        *,
        text: str = "text",
        vector: str = "vector",
        tenant: str = "tenant",
        told: Told = _quietly,
    ) -> None:
        self._table, self._guard, self._told = table, guard, told
        self._text, self._vector, self._tenant = text, vector, tenant

    def add(self, rows: Sequence[Mapping[str, Any]]) -> RetrievalVerdict:
        """Store the rows that are kept; nothing where the verdict is made an error."""
        verdict = self._guard.check(
            [_text(row, self._text) for row in rows], [row.get(self._vector) or () for row in rows]
        )
        self._told(verdict)
        kept = [{**rows[at], self._text: text} for at, text in zip(verdict.kept, verdict.texts, strict=True)]
        if kept:
            self._table.add(kept)
        return verdict

    def search(self, vector: Sequence[float], *, query: str = "", tenant: str = "") -> GuardedSearch:
        """A search by vector; `query` is the question in words, `tenant` who asks."""
        return GuardedSearch(self._table.search(vector), self._judged, query, tenant)

    def _judged(self, rows: list[dict[str, Any]], query: str, tenant: str) -> list[dict[str, Any]]:
        passages = [Passage(_text(row, self._text), str(row.get(self._tenant) or "")) for row in rows]
        verdict = self._guard.check(passages, query=query, tenant=tenant)
        self._told(verdict)
        return [{**rows[at], self._text: text} for at, text in zip(verdict.kept, verdict.texts, strict=True)]


class GuardedSearch:
    """A search that was begun; `GuardedTable.search` makes it."""

    def __init__(
        self, begun: Any, judged: Callable[..., list[dict[str, Any]]], query: str, tenant: str
    ) -> None:
        self._begun, self._judged, self._query, self._tenant = begun, judged, query, tenant

    def limit(self, count: int) -> Self:
        """Find no more than `count`."""
        self._begun = self._begun.limit(count)
        return self

    def where(self, condition: str) -> Self:
        """Only rows for which an SQL condition holds."""
        self._begun = self._begun.where(condition)
        return self

    def to_list(self) -> list[dict[str, Any]]:
        """The rows that are kept, nearest first."""
        return self._judged(self._begun.to_list(), self._query, self._tenant)


class GuardedQdrant:
    """A Qdrant client.

    Args:
        client: `qdrant_client.QdrantClient`.
        guard: judges.
        text, tenant: keys of the payload.
        told: as for `GuardedTable`.
    """

    def __init__(
        self,
        client: Any,
        guard: RetrievalGuard,
        *,
        text: str = "document",
        tenant: str = "tenant",
        told: Told = _quietly,
    ) -> None:
        self._client, self._guard, self._told = client, guard, told
        self._text, self._tenant = text, tenant

    def upsert(self, collection_name: str, points: Sequence[Any], **more: Any) -> RetrievalVerdict:
        """Store the points that are kept; of several vectors a point, none is compared."""
        vectors = [point.vector for point in points]
        single = None if any(isinstance(vector, Mapping) for vector in vectors) else vectors
        verdict = self._guard.check([_text(point.payload, self._text) for point in points], single)
        self._told(verdict)
        kept = [self._with(points[at], text) for at, text in zip(verdict.kept, verdict.texts, strict=True)]
        if kept:
            self._client.upsert(collection_name, points=kept, **more)
        return verdict

    def query_points(
        self, collection_name: str, query: Any, *, question: str = "", tenant: str = "", **more: Any
    ) -> Any:
        """What the client finds, less what is withheld; `question` is the query in words."""
        more["with_payload"] = True
        answer = self._client.query_points(collection_name, query=query, **more)
        payloads = [point.payload for point in answer.points]
        passages = [Passage(_text(one, self._text), str(one.get(self._tenant) or "")) for one in payloads]
        verdict = self._guard.check(passages, query=question, tenant=tenant)
        self._told(verdict)
        pairs = zip(verdict.kept, verdict.texts, strict=True)
        return answer.model_copy(
            update={"points": [self._with(answer.points[at], text) for at, text in pairs]}
        )

    def _with(self, point: Any, text: str) -> Any:
        """A point with the text that may be used."""
        return point.model_copy(update={"payload": {**point.payload, self._text: text}})


class GuardedCollection:
    """A Chroma collection.

    Args:
        collection: `chromadb.Collection`.
        guard: judges.
        tenant: key of the metadata.
        told: as for `GuardedTable`.
    """

    def __init__(
        self, collection: Any, guard: RetrievalGuard, *, tenant: str = "tenant", told: Told = _quietly
    ) -> None:
        self._collection, self._guard, self._tenant, self._told = collection, guard, tenant, told

    def upsert(
        self,
        ids: Sequence[str],
        documents: Sequence[str],
        embeddings: Sequence[Any] | None = None,
        metadatas: Sequence[Any] | None = None,
    ) -> RetrievalVerdict:
        """Store what is kept."""
        verdict = self._guard.check(list(documents), embeddings)
        self._told(verdict)
        kept = verdict.kept
        if kept:
            self._collection.upsert(
                ids=[ids[at] for at in kept],
                documents=list(verdict.texts),
                embeddings=None if embeddings is None else [embeddings[at] for at in kept],
                metadatas=None if metadatas is None else [metadatas[at] for at in kept],
            )
        return verdict

    def query(
        self,
        query_embeddings: Sequence[Any],
        *,
        questions: Sequence[str] = (),
        tenant: str = "",
        n_results: int = 10,
        where: Mapping[str, Any] | None = None,
    ) -> dict[str, list[list[Any]]]:
        """Ids, documents, metadatas and distances of what is kept, a list for each query."""
        if questions and len(questions) != len(query_embeddings):
            raise UsageError("there are not as many questions as queries")
        found = self._collection.query(
            query_embeddings=query_embeddings,
            n_results=n_results,
            where=where,
            include=["documents", "metadatas", "distances"],
        )
        parts: dict[str, list[list[Any]]] = {"ids": [], "documents": [], "metadatas": [], "distances": []}
        for number in range(len(found["ids"])):
            held = {name: list(found[name][number]) for name in parts}
            tenants = [str((one or {}).get(self._tenant) or "") for one in held["metadatas"]]
            passages = [
                Passage(text or "", who) for text, who in zip(held["documents"], tenants, strict=True)
            ]
            question = questions[number] if questions else ""
            verdict = self._guard.check(passages, query=question, tenant=tenant)
            self._told(verdict)
            held["documents"] = [verdict.verdicts[at].text for at in range(len(passages))]
            for name, values in held.items():
                parts[name].append([values[at] for at in verdict.kept])
        return parts


class GuardedCursor:
    """A DB-API cursor, such as psycopg's, over a table of pgvector.

    Args:
        cursor: of any driver that follows PEP 249.
        guard: judges.
        text, tenant: columns of what is selected.
        told: as for `GuardedTable`.
    """

    def __init__(
        self,
        cursor: Any,
        guard: RetrievalGuard,
        *,
        text: str = "text",
        tenant: str = "tenant",
        told: Told = _quietly,
    ) -> None:
        self._cursor, self._guard, self._told = cursor, guard, told
        self._text, self._tenant = text, tenant

    def select(
        self,
        statement: str,
        parameters: Sequence[Any] | Mapping[str, Any] = (),
        *,
        query: str = "",
        tenant: str = "",
    ) -> list[dict[str, Any]]:
        """Run a statement that selects; the rows that are kept, by column.

        Raises:
            UsageError: the text's column is not selected, so nothing could be judged.
        """
        self._cursor.execute(statement, parameters)
        names = [str(one[0]) for one in self._cursor.description or ()]
        if self._text not in names:
            raise UsageError(f"the statement does not select {self._text!r}", remedy="Select the text too.")
        rows = [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]
        passages = [Passage(_text(row, self._text), str(row.get(self._tenant) or "")) for row in rows]
        verdict = self._guard.check(passages, query=query, tenant=tenant)
        self._told(verdict)
        return [{**rows[at], self._text: text} for at, text in zip(verdict.kept, verdict.texts, strict=True)]

    def insert(
        self, statement: str, rows: Sequence[Mapping[str, Any]], *, vector: str = ""
    ) -> RetrievalVerdict:
        """Run a statement once for each row that is kept, with the row as named parameters.

        Args:
            statement: an INSERT or the like, in the driver's own style of named parameters.
            rows: parameters by name; the text stands under the name of its column.
            vector: the name of the vector among them, a list of numbers; "" compares none.
        """
        vectors = [row.get(vector) or () for row in rows] if vector else None
        verdict = self._guard.check([_text(row, self._text) for row in rows], vectors)
        self._told(verdict)
        for at, text in zip(verdict.kept, verdict.texts, strict=True):
            self._cursor.execute(statement, {**rows[at], self._text: text})
        return verdict


def _text(row: Mapping[str, Any] | None, name: str) -> str:
    """The text of a row.

    Raises:
        UsageError: it has none under that name, so it could not be judged.
    """
    value = (row or {}).get(name)
    if not isinstance(value, str):
        raise UsageError(
            f"a row has no text under {name!r}",
            remedy="Name the text's column or key when the store is wrapped.",
        )
    return value
