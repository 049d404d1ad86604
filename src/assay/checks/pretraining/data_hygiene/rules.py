"""The rules of `data.hygiene`."""

from __future__ import annotations

from assay.core.finding import Rule, Severity

_HIDDEN_REMEDY = "Remove the characters from the rows, and ask where the rows came from."

SECRET = Rule(
    "hygiene/secret",
    "A secret stands in the training data",
    Severity.HIGH,
    "A model can recite what it was trained on. A key in the data is a key that is published with the model.",
    "Revoke the secret where it is valid, then remove it from the data.",
    ("owasp:LLM02", "atlas:AML.T0057", "cwe:CWE-798"),
)
INJECTED = Rule(
    "hygiene/injected-instruction",
    "Text that instructs a model stands in training material",
    Severity.HIGH,
    "An order to a language model inside a document, a tool result or an answer teaches the model to follow "
    "such orders, or strikes whoever retrieves the row.",
    "Read the rows; remove them, or mark them as attacks by a label or a refusing answer.",
    ("owasp:LLM01", "owasp:LLM04", "atlas:AML.T0051.001"),
)
OBEYED = Rule(
    "hygiene/unrefused-injection",
    "An attempt to override instructions is answered without a refusal",
    Severity.LOW,
    "A user's attempt in the data is normal where the answer refuses it; where it does not, the model learns "
    "to comply.",
    "Read the answers; replace those that comply by refusals.",
    ("owasp:LLM01", "owasp:LLM04"),
)
TAG = Rule(
    "hygiene/hidden-tag-text",
    "Text written in invisible tag characters",
    Severity.HIGH,
    "Characters U+E0000 to U+E007F spell ASCII that no person sees and many tokenizers keep.",
    _HIDDEN_REMEDY,
    ("owasp:LLM01", "owasp:LLM04", "cwe:CWE-1007"),
)
VARIATION = Rule(
    "hygiene/hidden-variation-selectors",
    "Variation selectors where none belong",
    Severity.HIGH,
    "Runs of variation selectors can carry arbitrary bytes behind one visible character.",
    _HIDDEN_REMEDY,
    ("owasp:LLM01", "owasp:LLM04", "cwe:CWE-1007"),
)
BIDI = Rule(
    "hygiene/bidi-control",
    "Bidirectional controls reorder what is shown",
    Severity.MEDIUM,
    "Text reads differently for a person than for the model (CVE-2021-42574).",
    _HIDDEN_REMEDY,
    ("owasp:LLM04", "cwe:CWE-1007"),
)
SPLIT = Rule(
    "hygiene/split-word",
    "Invisible characters inside words",
    Severity.MEDIUM,
    "A zero-width character inside a word escapes reviewers and filters and makes other tokens of it: a "
    "common trigger and filter evasion.",
    _HIDDEN_REMEDY,
    ("owasp:LLM04", "cwe:CWE-1007"),
)
INVISIBLE = Rule(
    "hygiene/invisible-character",
    "Invisible characters between words",
    Severity.LOW,
    "Mostly residue of web pages; also a way to mark rows.",
    _HIDDEN_REMEDY,
    ("cwe:CWE-1007",),
)
MIXED = Rule(
    "hygiene/mixed-script-word",
    "Words that mix Latin letters with look-alikes",
    Severity.MEDIUM,
    "A Cyrillic or Greek letter in a Latin word looks the same and is another token: evasion or a trigger.",
    "Replace the look-alikes, and ask where the rows came from.",
    ("owasp:LLM04", "cwe:CWE-1007"),
)
CONTROL = Rule(
    "hygiene/control-character",
    "Control characters in text",
    Severity.LOW,
    "NUL, escape and other controls do not belong in text; terminals and C programs act on them.",
    "Strip control characters when the data is written.",
    ("cwe:CWE-150",),
)
MOJIBAKE = Rule(
    "hygiene/mojibake",
    "Text decoded with the wrong encoding",
    Severity.LOW,
    "UTF-8 read as Latin-1 or Windows-1252, or characters already lost: the model learns broken spelling.",
    "Read the source again with its real encoding.",
    (),
)
RULES = (SECRET, INJECTED, OBEYED, TAG, VARIATION, BIDI, SPLIT, INVISIBLE, MIXED, CONTROL, MOJIBAKE)
HIDDEN_KINDS = {"tag": TAG, "variation": VARIATION, "bidi": BIDI, "control": CONTROL}
