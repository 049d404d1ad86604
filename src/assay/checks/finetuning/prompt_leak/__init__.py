"""`model.prompt-leak`: whether a planted secret, and with it the system prompt, comes out.

`check` the plug-in · `options`, `rules` its face. Probes (pack `leak`), planted codes and campaigns are
`assay.checks.probing`.
"""

from assay.checks.finetuning.prompt_leak.check import PromptLeak

__all__ = ["PromptLeak"]
