"""The ground floor: values, and no input or output beyond hashing, walking folders and reading our own data.

`subject` what is checked · `finding`, `report` what a check says · `check` the plug-in seam ·
`evidence` statements before they are signed · `release` what is decided · `config` assay.yaml ·
`canonical`, `digest`, `codec` bytes · `folders`, `git_storage` what lies in a folder · `proportions`,
`quoting` how figures and texts read in sentences · `errors` the error tree · `controls` the checklist.
"""
