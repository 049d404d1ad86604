"""`model.behavior-diff`: did the update change behaviour that it must not change?

`check` the plug-in · `options`, `rules` its face · `suite` prompts with expectations · `grading`,
`refusal` whether an answer meets them · `asking` both endpoints, the same prompts · `statistics` paired
tests · `comparison` suites compared · `canary` planted codes and leaks · `replay` triggers and extraction
probes · `verdicts` figures to findings.
"""

from __future__ import annotations

from assay.checks.finetuning.behavior_diff.check import BehaviorDiff

__all__ = ["BehaviorDiff"]
