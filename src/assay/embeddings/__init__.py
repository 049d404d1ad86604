"""Texts as vectors: the embedded model, or an endpoint.

`embedder` the seam · `encoder` MiniLM-L6, which ships with Assay · `endpoint` an OpenAI-compatible server ·
`text_model` a network over tokens, as the guard's classifier uses it too · `json_endpoint` asking for JSON.
"""

from assay.embeddings.embedder import Embedder
from assay.embeddings.encoder import Encoder
from assay.embeddings.endpoint import EndpointEmbedder

__all__ = ["Embedder", "Encoder", "EndpointEmbedder"]
