"""Models that lie elsewhere, by the name that the user gave: fetched into a private folder and pinned.

`names` what names a source · `fetching` from a name to a subject · `workspace` the bounded folder that files
land in · `private_folder` folders in the user's cache that nobody else may write · `hub` `hf://`, over `web`
guarded HTTP · `buckets` `s3://` · `tracking` `mlflow:`, by `tracking_child` in a process of its own · `globs`
quoted patterns of local paths.

Nothing here decides to fetch: what is fetched was named on the command line.
"""
