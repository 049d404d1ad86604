"""The model servers behind the gateway."""

from assay.gateway.upstreams.answer import Answer
from assay.gateway.upstreams.pool import Upstreams

__all__ = ["Answer", "Upstreams"]
