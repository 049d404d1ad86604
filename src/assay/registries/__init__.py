"""Where models live and aliases point: one interface, a plain folder or MLflow behind it.

`registry` the interface and `open_registry` · `folder`, `mlflow` the implementations · `storage` copying and
writing that survive a kill · `mlflow_session` MLflow's client kept quiet, bounded and translated.
"""

from __future__ import annotations

from assay.registries.registry import Lineage, Registry, Version, open_registry

__all__ = ["Lineage", "Registry", "Version", "open_registry"]
