"""Assay secures the life of a language model: check, sign, decide, promote, roll back."""

__version__ = "0.1.0"
