"""Texts made from templates: `grammar` expands them, `attacks` and `benign` say with which labels.

`surroundings` plants a payload in ordinary text, `obfuscation` distorts it as people and attackers do,
`gibberish` makes suffixes like those found by a gradient search. The templates are data: `data/*.yaml`.
"""
