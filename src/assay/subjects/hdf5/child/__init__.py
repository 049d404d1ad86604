"""What runs inside the confined child process that reads HDF5: h5py, numpy and the confinement of pickles.

`loop` takes one job · `window` the file as h5py is given it · `walk` the groups, links, datasets and
attributes · `values` strings out of attributes and datasets.
"""
