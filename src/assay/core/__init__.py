"""The ground floor: values, and no input or output beyond hashing.

`subject` what is checked · `finding`, `report` what a check says · `check` the plug-in seam ·
`evidence` statements before they are signed · `release` what is decided · `config` assay.yaml ·
`canonical`, `digest`, `codec` bytes · `errors` the error tree · `controls` the checklist.
"""
