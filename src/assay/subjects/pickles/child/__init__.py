"""What runs inside the confined child process: standard library only, and no import of the rest of Assay.

`loop` takes jobs · `recorder` the C unpickler over inert classes · `walker` the streaming opcode machine ·
`streams` the order in which both are used · `checkpoint` the plan of a checkpoint's tensors, which `contents`
finds and `rebuilding` takes apart · `files` how bytes are handed to the C unpickler ·
`confine` limits and seccomp · `wire` JSON lines and short forms of values. These two, `raw` and constants of
`streams` serve other children and the parent too; they lie here since this child can reach no other folder.
"""
