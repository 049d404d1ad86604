"""The guard: text in, what is wrong with it out. Used by checks, and by intake and gateway at run time.

`unicode` what hides in a text, and the text as a reader sees it · `match` rules over it · `rules/` the
rule packs, as data · `refusal` whether an answer declines.
"""
