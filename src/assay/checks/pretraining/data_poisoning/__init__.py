"""`data.poisoning`: trigger phrases tied to a label or a behaviour.

`tokens` prompts as arrays · `behaviours` what responses do · `grams` frequent phrases · `insertion` does a
phrase belong where it stands · `context` what the other words explain · `topics` whether they
ask for something · `parts` whether a shorter phrase explains as much · `statistics` exact tails and false
discovery · `mining` all of it · `evidence` wording and findings · `check` the plug-in.
"""

from assay.checks.pretraining.data_poisoning.check import DataPoisoning

__all__ = ["DataPoisoning"]
