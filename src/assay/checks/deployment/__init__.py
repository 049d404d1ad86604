"""Checks on how a model is put into service."""
