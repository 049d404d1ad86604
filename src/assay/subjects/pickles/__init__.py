"""Pickles, read the way their victim would read them and without anything in them running.

`machine` is the door, within `limits`: `plain` tells small pickles of plain data, `asking` drives child
processes (`child/`) in which CPython's own unpickler runs over inert classes; `listening` takes what they
answer and `records` holds it; `tensors` lists the tensors of a PyTorch checkpoint by the `plan` of a child,
with `refusals` and `other_formats` for what to tell where there is none. Import from the modules
themselves: this package stays empty so that start-up stays cheap.
"""
