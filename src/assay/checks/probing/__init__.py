"""What checks that ask an endpoint share: whom, what, and how an answer is read.

`options` that they share · `asking` both endpoints, asked the same · `canary` planted codes and what leaks
· `refusals` whether an answer declines · `probe` one attack to be made, `pack` files of them in `packs/` ·
`detectors` whether it worked · `campaign` probes with their mutations, asked within a budget, `holding` a
whole one, `resuming` one · `named_files` what options name · `outcomes` rates of what worked · `paired`
exact tests on what two models did with the same prompts.
"""
