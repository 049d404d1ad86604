"""What runs inside the confined child processes that read stores: one file or table, then the end.

`answer` the lines that are sent back · `values` plain values out of pickles · `database` SQLite files opened
as hostile · `qdrant`, `chroma` their tables · `files` serves those · `lance` serves LanceDB tables.
"""
