"""The rules of `vector.poisoning`."""

from __future__ import annotations

from assay.core.finding import Rule, Severity

_RAG = ("owasp:LLM04", "owasp:LLM08", "atlas:AML.T0070")
_REMEDY = "Read the entries, remove what was planted, and find out who could write it."

CODE = Rule(
    "vector/code",
    "The store's own files run code when they are opened",
    Severity.CRITICAL,
    "Some stores keep entries as pickles. One of them names code that is no part of a store: whoever "
    "opens it "
    "with the store's own library runs it.",
    "Do not open the store; restore it from a copy that you trust, and find out who could write to it.",
    ("owasp:LLM03", "atlas:AML.T0018", "cwe:CWE-502"),
)
PLANTED = Rule(
    "vector/planted-group",
    "A group of entries was made for one question",
    Severity.HIGH,
    "A handful of entries lie closer to each other than to anything else, say different things, and "
    "share words "
    "that no others have. Whoever asks in those words is answered from them alone (PoisonedRAG, Zou et "
    "al. 2024).",
    _REMEDY,
    _RAG,
)
INSTRUCTION = Rule(
    "vector/instruction",
    "An entry instructs the model that will read it",
    Severity.HIGH,
    "A retrieved text is put before the model beside its own instructions; an order in it is followed as "
    "one.",
    "Remove the entry, and let the guard look at texts before they are stored.",
    (*_RAG, "owasp:LLM01", "atlas:AML.T0051.001"),
)
MISMATCH = Rule(
    "vector/text-mismatch",
    "A text does not match its own vector",
    Severity.HIGH,
    "The entry is found by a vector that its text does not have: it is retrieved for questions that it "
    "does not "
    "answer, or never for those that it does.",
    "Embed the entry again from its text, and find out who could write vectors.",
    _RAG,
)
HUB = Rule(
    "vector/hub",
    "An entry is near to far too many others",
    Severity.MEDIUM,
    "A vector in the middle of everything is retrieved for questions of every kind. Some hubs arise by "
    "nature; "
    "this one is far beyond those of this store.",
    _REMEDY,
    _RAG,
)
LONG = Rule(
    "vector/long-vector",
    "A vector is far longer than all others",
    Severity.MEDIUM,
    "A search by inner product ranks by length too: a long vector comes first for every question.",
    "Bring vectors to length 1 when they are stored, or search by cosine.",
    _RAG,
)
COPIES = Rule(
    "vector/copies",
    "Many entries are versions of one text",
    Severity.LOW,
    "Versions of one text fill the first results of a search, so that nothing else is read.",
    "Keep one of them.",
    ("owasp:LLM08",),
)
FAR_OFF = Rule(
    "vector/far-off",
    "An entry lies where nothing else does",
    Severity.LOW,
    "Its vector is near to no other: another model's, damaged, or of a subject that does not belong here.",
    "Read the entry, and embed it again.",
    ("owasp:LLM08",),
)
STRAY = Rule(
    "vector/tenant-stray",
    "An entry of one tenant lies in the middle of another's",
    Severity.MEDIUM,
    "A search that is not confined to the tenant finds it in place of what that tenant wrote.",
    "Confine every search to a tenant in the store itself; read the entry.",
    (*_RAG, "cwe:CWE-668"),
)
LEAK = Rule(
    "vector/tenant-copy",
    "A few tenants hold the same text",
    Severity.LOW,
    "A text of one tenant may have come into another's part of the store.",
    "Ask whose the text is; keep tenants in tables of their own.",
    ("owasp:LLM08", "owasp:LLM02", "cwe:CWE-668"),
)
MOVED = Rule(
    "vector/moved-vector",
    "A vector changed while its text stayed the same",
    Severity.MEDIUM,
    "Since the approved snapshot the entry was moved to be found for other questions, or for none.",
    "Embed the entry again from its text, and find out who could write vectors.",
    _RAG,
)
CHANGED = Rule(
    "vector/changed",
    "The store changed since the approved snapshot",
    Severity.INFO,
    "Entries were added, removed or rewritten; they were not part of what was approved.",
    "Approve the new snapshot once its changes are known.",
    ("owasp:LLM08",),
)
RULES = (CODE, PLANTED, INSTRUCTION, MISMATCH, HUB, LONG, COPIES, FAR_OFF, STRAY, LEAK, MOVED, CHANGED)
