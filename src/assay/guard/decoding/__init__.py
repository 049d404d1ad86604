"""Ways in which a text may be encoded, and the search through them.

A decoder takes a text and yields what it decodes, as pieces of that text (`found`).

`bases` base 64, 32, 16, 85 · `escapes` URL, HTML, quoted-printable, string literals, markup inside words ·
`codes` numbers and Morse · `ciphers` Caesar, Atbash, reversed · `spelling` leet, letters apart, words run
together · `mistyped` typing errors · `pieces` an order in pieces · `letters` look-alikes and what hidden
characters spell. `signs` cheap first looks, `search` the search, nested to a bound.
"""

from assay.guard.decoding.search import Bounds, views

__all__ = ["Bounds", "views"]
