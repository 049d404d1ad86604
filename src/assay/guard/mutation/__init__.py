"""How an attack is rewritten to get past a guard and still be understood by the model behind it.

`mutation` what one is · `characters` look-alikes, invisible signs, noise · `encodings` what a model decodes ·
`splitting` one order in many pieces · `padding` an order in the middle of much else · `carriers` an order
inside a document or a data structure · `wording` other words and other languages, from `wording.yaml`.

Every mutation is a function of the text and a random generator: the same seed gives the same text.
"""

from assay.guard.mutation.catalogue import FAMILIES, MUTATIONS, chosen, mutation
from assay.guard.mutation.mutation import Mutation

__all__ = ["FAMILIES", "MUTATIONS", "Mutation", "chosen", "mutation"]
