"""`artifact.scan` beside four other scanners: how fast, how much memory, and what each of them finds."""
