"""The guard where texts go into a vector store, and where they come out of it.

`guard` judges passages · `stores` puts that before LanceDB, Qdrant, Chroma and a cursor of pgvector.
"""

from assay.guard.retrieval.guard import Passage, RetrievalGuard, RetrievalVerdict, WithheldError

__all__ = ["Passage", "RetrievalGuard", "RetrievalVerdict", "WithheldError"]
