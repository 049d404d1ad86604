"""The guard: text in, what is wrong with it out. Used by checks, and by intake and gateway at run time.

`unicode` what hides in a text · `folding` the text as a reader sees it · `decoding` every way in which it may
be encoded, as `views` · `match` rules over them · `rules/` the packs, as data · `quoting` whether words are
an example, or negated · `refusal` whether an answer declines.
"""
