"""Computation graphs in files: ONNX, TensorFlow, Core ML, Paddle, TFLite and ExecuTorch, parsed without their libraries.

`protobuf` and `flatbuffers` read the two wire formats, bounded and without a copy; `schemas/` says which fields
a message has; a module for each framework takes out what a judge needs; `recognition` tells formats by content.
"""
