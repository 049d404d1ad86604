"""Answers that come in pieces: events are read, their texts go through the guard, others are written."""
