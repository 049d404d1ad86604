"""The guard's own layers, cheapest first: `normalise`, `match`, `personal`, `yara`.

`classify` is a package of its own. `opening` makes the layers that a policy asks for.
"""
