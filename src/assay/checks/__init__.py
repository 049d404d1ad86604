"""The checks, a package per stage of a model's life. They register as third-party checks do."""
