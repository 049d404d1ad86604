"""Checks on what training did to a model."""
