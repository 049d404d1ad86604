"""Vector stores, read without running anything of theirs: entries of id, text, vector, source and tenant.

`entry` one entry, and which columns hold what · `store` the seam, and telling which store lies in a folder ·
`plain` JSON Lines, JSON and Parquet · `snapshot` all entries as arrays, and their digest.
Import from the modules themselves: this package stays empty so that start-up stays cheap.
"""
