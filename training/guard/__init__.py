"""How the guard's encoder is made: data, training, calibration, export, evaluation. Not part of the wheel.

`example` a labelled text · `sources` public data, cleaned · `generators` texts made from templates ·
`dataset` all of it, without twins and split by group · `windows` what of a long text is learned · `encoder`
the network · `graph` the same as ONNX · `train` · `calibrate` · `export` · `measured` texts that only measure
· `metrics` · `evaluate`. Run each as `python -m training.guard.train` and so on from the repository's root;
DATA_CARD.md says what goes in, MODEL_CARD.md what came out.
"""
