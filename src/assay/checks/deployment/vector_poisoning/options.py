"""Options of `vector.poisoning`."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.finding import Severity
from assay.subjects.vector_stores.entry import Fields
from assay.subjects.vector_stores.snapshot import MAX_ENTRIES


@dataclass(frozen=True, slots=True)
class Options:
    """Options of `vector.poisoning`.

    Attributes:
        table: which table or collection, where the store holds several.
        id_column, text_column, vector_column: columns, where they should not be found by name.
        source_column, tenant_column: the same for where an entry came from and whose it is.
        embedder: what made the vectors: auto (our own encoder where it fits), none, minilm, or the base URL
        of
            an OpenAI-compatible server.
        embedder_model: the model name to send to that server.
        embedder_key_env: the environment variable that holds its key.
        max_embedded: texts that are embedded again at most; of a larger store a random sample.
        max_entries: entries that are read at most; more are reported as not examined.
        false_positive_rate: share of honest entries that may be flagged as part of a planted group; 0 to 0.1.
        fail_on: findings of this severity or above fail the check.
        seed: of random samples.
    """

    table: str = ""
    id_column: str = ""
    text_column: str = ""
    vector_column: str = ""
    source_column: str = ""
    tenant_column: str = ""
    embedder: str = "auto"
    embedder_model: str = ""
    embedder_key_env: str = ""
    max_embedded: int = 20_000
    max_entries: int = MAX_ENTRIES
    false_positive_rate: float = 0.01
    fail_on: Severity = Severity.MEDIUM
    seed: int = 0

    def fields(self) -> Fields:
        """The columns that the user named."""
        return Fields(
            self.id_column, self.text_column, self.vector_column, self.source_column, self.tenant_column
        )

    def rate(self) -> float:
        """The false-positive rate, within what the method allows."""
        return min(max(self.false_positive_rate, 1e-6), 0.1)
