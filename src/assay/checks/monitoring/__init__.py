"""Checks on what runs: whether its guard and its answers still hold."""
