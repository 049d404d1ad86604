"""XML documents, read without following anything that they point to.

`prolog` what a document declares before its root element · `document` its elements, by a bounded parse.
"""

from assay.subjects.markup.document import Element, Instruction, MarkupError, read_elements
from assay.subjects.markup.prolog import Entity, Prolog, read_prolog

__all__ = [
    "Element",
    "Entity",
    "Instruction",
    "MarkupError",
    "Prolog",
    "read_elements",
    "read_prolog",
]
