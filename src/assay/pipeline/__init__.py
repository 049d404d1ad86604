"""From assay.yaml to a promoted release.

`project` reads assay.yaml · `candidate` names the parts · `plan` orders the checks · `runner` runs one ·
`journal` signs and logs · `decision` asks the gate · `promotion` moves the alias · `release` does all of
it · `proof` shows what the ledger holds on a digest.
"""
