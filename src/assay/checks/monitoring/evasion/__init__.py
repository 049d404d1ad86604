"""`monitor.evasion`: known attacks, mutated, against the guard that is in force.

`attacks` where the search starts, from `attacks.yaml` or the user's file · `trials` one text against the
guard · `search` every mutation alone, then chains · `verdicts` from rates to findings · `check` the plug-in.
The mutations themselves are `assay.guard.mutation`.
"""

from assay.checks.monitoring.evasion.check import GuardEvasion

__all__ = ["GuardEvasion"]
