"""`model.behavior-diff`: did the update change behaviour that it must not change?

`check` the plug-in · `options`, `rules` its face · `suite` prompts with expectations · `grading` whether an
answer meets them · `comparison` suites compared · `replay` triggers and extraction probes · `verdicts`
figures to findings. Whom it asks, planted codes, refusals and paired tests are `assay.checks.probing`.
"""

from __future__ import annotations

from assay.checks.finetuning.behavior_diff.check import BehaviorDiff

__all__ = ["BehaviorDiff"]
