"""HDF5 files, opened by h5py in a confined child process of their own, and never by their path.

`superblock` what the first bytes say, parsed by ourselves · `reader` starts the child (`child/`) and checks
what it answers · `records` what comes back. Import from the modules themselves: start-up stays cheap.
"""
