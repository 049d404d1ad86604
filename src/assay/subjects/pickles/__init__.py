"""Pickles, read the way their victim would read them and without anything in them running.

`machine` drives child processes (`child/`) in which CPython's own unpickler runs over inert classes;
`records` holds what comes back; `tensors` lists the tensors of a PyTorch checkpoint,
`torch_objects` finds them among its symbols.
Import from the modules themselves: this package stays empty so that start-up stays cheap.
"""
