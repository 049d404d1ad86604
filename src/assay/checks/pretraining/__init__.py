"""Checks on what a model is trained on."""
