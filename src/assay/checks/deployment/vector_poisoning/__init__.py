"""`vector.poisoning`: what was planted in a vector store.

`neighbours` exact nearest neighbours in blocks · `tails` what is rare in this store · `contrast` groups that
stand apart · `wording` what their texts share · `planted` groups made for one question · `copies` versions of
one text · `shapes` hubs, long and far-off vectors · `tenants` what crosses their line · `instructions` texts
that speak to the model · `embedding` texts against their own vectors · `changes` against the approved
snapshot · `rules`, `findings` wording · `options` · `check` the plug-in.
"""

from assay.checks.deployment.vector_poisoning.check import VectorPoisoning

__all__ = ["VectorPoisoning"]
