"""What `model.origin` can find."""

from __future__ import annotations

from assay.core.finding import Rule, Severity

_SUPPLY = ("owasp:LLM03", "atlas:AML.T0010")
_NAMES = (*_SUPPLY, "atlas:AML.T0058", "cwe:CWE-1007")

LOOK_ALIKE = Rule(
    "origin/look-alike",
    "Name that only looks like a known publisher's",
    Severity.HIGH,
    "Anybody can register a name that differs from a known one in a letter, a hyphen, a digit for a "
    "letter, or that puts organisation and model the other way round. Whoever types or reads in haste gets"
    " their model.",
    "Use the publisher's own name. If the name is right, say so under `accept`, with the reason.",
    _NAMES,
)
RENAMED = Rule(
    "origin/renamed-namespace",
    "Name that was renamed or given up",
    Severity.MEDIUM,
    "The hub redirects an old name only until somebody registers it again; from then on whoever fetches by"
    " that name gets their files (AI-jacking, model namespace reuse).",
    "Fetch by the new name and pin the commit hash.",
    _NAMES,
)
COPIED = Rule(
    "origin/copied-name",
    "Another's model under this account",
    Severity.LOW,
    "The name is that of a known publisher's model, and the account is not theirs. Copies and conversions "
    "are common; nobody vouches that the weights are the publisher's.",
    "Take the model from its publisher, or compare the weights with theirs (`assay diff`).",
    _NAMES,
)
UNKNOWN = Rule(
    "origin/unknown-source",
    "Model of unknown origin",
    Severity.LOW,
    "Neither the model card, the download nor the options say where the model or its base comes from.",
    "Name the base model in the model card (`base_model`), or the source in the option `source`.",
    _SUPPLY,
)
NOT_ALLOWED = Rule(
    "origin/source-not-allowed",
    "Source that is not on your list",
    Severity.HIGH,
    "The option `allowed_sources` says where models may come from, and this is none of them.",
    "Use a model from an allowed source, or extend the list.",
    _SUPPLY,
)
MISMATCH = Rule(
    "origin/source-mismatch",
    "Other source or revision than declared",
    Severity.HIGH,
    "What the download left behind contradicts what is declared: these are not the files that were reviewed.",
    "Fetch the declared revision again, or correct the declaration after a review.",
    (*_SUPPLY, "cwe:CWE-345"),
)
ALTERED = Rule(
    "origin/altered-download",
    "File that is not what the hub gave",
    Severity.HIGH,
    "The download recorded the digest that the hub gave for each file, and this file has another one: it was "
    "changed on this machine. Medium in a folder of one's own, where editing is ordinary.",
    "Fetch the file again, and find out who wrote it.",
    (*_SUPPLY, "cwe:CWE-353"),
)
UNPINNED = Rule(
    "origin/unpinned",
    "Revision that is not pinned",
    Severity.MEDIUM,
    "A branch or tag can be moved to other files at any time; only a full commit hash names the same bytes"
    " for ever. Low for a base model in a card, which has no place for a revision.",
    "Write org/name@COMMIT, with the 40 digits of the commit.",
    (*_SUPPLY, "cwe:CWE-494"),
)
UNSIGNED = Rule(
    "origin/unsigned",
    "Model from outside without a signature",
    Severity.LOW,
    "It was taken from a hub and carries no signature of its publisher, so only the hub vouches for its "
    "bytes.",
    "Ask the publisher for a signature, or review the model and sign it yourself with `assay sign`.",
    (*_SUPPLY, "cwe:CWE-353"),
)
NO_CARD = Rule(
    "origin/missing-card",
    "Model without a model card",
    Severity.LOW,
    "There is no README.md with a front matter: nobody says what the model is, what it was made from and on "
    "which terms.",
    "Write one; https://huggingface.co/docs/hub/model-cards shows how.",
)
NO_LICENCE = Rule(
    "origin/missing-licence",
    "Model without a licence",
    Severity.LOW,
    "Neither the card nor a licence file states one, so nobody may be sure of being allowed to use it. High "
    "where `allowed_licences` is set.",
    "Ask its authors, or state the licence of what you made.",
)
CONFLICT = Rule(
    "origin/licence-conflict",
    "Licences that contradict each other",
    Severity.MEDIUM,
    "The card states another licence than the licence file, or than the one that the base model comes under. "
    "A fine-tune does not shed the terms of its base.",
    "State the licence that applies, with the terms of the base model.",
)
TERMS = Rule(
    "origin/licence-terms",
    "Licence with conditions",
    Severity.LOW,
    "It is no permissive licence: it forbids some uses, commercial use, or asks that derived models carry "
    "it on.",
    "Have the terms read by whoever answers for the product.",
)
LICENCE_NOT_ALLOWED = Rule(
    "origin/licence-not-allowed",
    "Licence that is not on your list",
    Severity.HIGH,
    "The option `allowed_licences` says which licences are acceptable, and this is none of them.",
    "Use another model, or extend the list.",
)
REMOTE_CODE = Rule(
    "origin/remote-code",
    "Model that brings its own Python",
    Severity.MEDIUM,
    "Loaders import it where `trust_remote_code` is set: loading the model runs the publisher's program. "
    "High where the code is fetched from another repository, whose owner can change it at any time.",
    "Use a model that a library implements, or review the code and pin the commit.",
    (*_SUPPLY, "atlas:AML.T0011", "cwe:CWE-829"),
)
RULES = (
    LOOK_ALIKE,
    RENAMED,
    COPIED,
    UNKNOWN,
    NOT_ALLOWED,
    MISMATCH,
    ALTERED,
    UNPINNED,
    UNSIGNED,
    NO_CARD,
    NO_LICENCE,
    CONFLICT,
    TERMS,
    LICENCE_NOT_ALLOWED,
    REMOTE_CODE,
)
