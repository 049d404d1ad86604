"""Computation graphs in files, parsed without the libraries of their frameworks.

`protobuf` and `flatbuffers` read the two wire formats, bounded and without a copy; `schemas/` says which
fields a message has; a module for each framework takes out what a judge needs; `recognition` tells the
formats by content, `messages` those among them that are protobufs.
"""
