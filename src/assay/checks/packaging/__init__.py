"""Checks on what is shipped: artifacts and their dependencies."""
