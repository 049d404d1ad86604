"""The texts of an answer, and the answer as it may leave. What streams in pieces is in `streams`."""
