"""Jinja templates as trees: read, never rendered, and without importing Jinja.

`lexer` texts, blocks and their tokens · `expressions` what stands in them · `statements` the tree.
"""

from assay.subjects.jinja.expressions import Node, walk
from assay.subjects.jinja.statements import Block, Branch, Broken, Item, Output, Template, Text, parse

__all__ = ["Block", "Branch", "Broken", "Item", "Node", "Output", "Template", "Text", "parse", "walk"]
