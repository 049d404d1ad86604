"""Reports of scans, kept by the digest of what was scanned and of everything that had a say in the result.

`cache` finding, keeping and evicting · `entry` one report as JSON · `facts` what the file system says of a
subject · `tool` what of the tool has a say. For `assay scan` alone: evidence is always made anew
(docs/adr/009).
"""
