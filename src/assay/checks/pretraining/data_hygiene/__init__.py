"""`data.hygiene`: secrets, hidden text, injected instructions and broken encodings.

`rules` what can be found · `inspect` one row · `check` the plug-in. The patterns themselves are the guard's.
"""

from assay.checks.pretraining.data_hygiene.check import DataHygiene

__all__ = ["DataHygiene"]
