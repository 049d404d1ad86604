"""The guard: text in, what is wrong with it out. Used by checks, and by intake and gateway at run time.

`guard` one text in, one verdict out · `policy` what is done about what is seen · `deciding` what becomes of
a text by it, and why · `stream` the same for text that comes in pieces · `layers/` what looks · `scoring` one
score for each head · `timing` how long it took · `rows` a verdict as JSON · `bulk` many texts, on all cores.

`signs` cheap first looks · `unicode` what hides in a text · `folding` the text as a reader sees it ·
`decoding` every way in which it may be encoded, as `views` · `match` rules over them · `rules/` the packs, as
data · `quoting` whether words are an example, or negated · `pii` personal data and its redaction · `refusal`
whether an answer declines.
"""
