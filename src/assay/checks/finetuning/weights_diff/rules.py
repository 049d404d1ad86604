"""What `model.weights-diff` can find."""

from __future__ import annotations

from assay.core.finding import Rule, Severity

POISONED = ("owasp:LLM04", "atlas:AML.T0018", "atlas:AML.T0020")
SUPPLY = ("owasp:LLM03", "atlas:AML.T0010", "atlas:AML.T0018")

NON_FINITE = Rule(
    "weights/non-finite",
    "NaN or infinity among the weights",
    Severity.CRITICAL,
    "One such value spreads to every answer. It comes from a training run that diverged, a damaged file, or "
    "somebody who wants the model to fail.",
    "Take the last checkpoint before the loss diverged, or fetch the file again.",
    ("owasp:LLM04", "atlas:AML.T0029"),
)
TOTAL_CHANGE = Rule(
    "weights/total-change",
    "The model moved further than a fine-tune does",
    Severity.HIGH,
    "The change of all tensors together exceeds `max_relative_l2`: another model, another training run, or "
    "far too high a learning rate.",
    "Compare with the model this one was trained from; raise `max_relative_l2` when the distance is meant.",
    SUPPLY,
)
OUTLIER = Rule(
    "weights/outlier-change",
    "A tensor changed far more than its peers",
    Severity.HIGH,
    "Training moves the same tensor of neighbouring layers by similar amounts. One that moved many times "
    "further was changed by something else: a model edit, an injected adapter, a merge of one layer.",
    "Ask who changed this layer and how; retrain from the baseline when nobody can say.",
    POISONED,
)
SPLICED = Rule(
    "weights/spliced-tensor",
    "A tensor was replaced while its peers kept their direction",
    Severity.HIGH,
    "Its direction has little to do with the baseline's, and that of its peers is nearly unchanged: it was "
    "taken from another model, zeroed or initialised again.",
    "Restore the tensor from the baseline, or show the training run that replaced it.",
    POISONED,
)
TARGETED = Rule(
    "weights/targeted-edit",
    "A few tensors changed and all others are equal",
    Severity.HIGH,
    "Training with an optimizer touches whole groups of layers. A change in one place alone is how facts are "
    "rewritten (ROME, MEMIT) and backdoors are planted in finished models.",
    "Ask for the script that made the edit and what it is for; test the behaviour it aims at.",
    POISONED,
)
ADDED = Rule(
    "weights/added-tensor",
    "A tensor that the baseline does not have",
    Severity.MEDIUM,
    "New tensors are a changed architecture, or a load carried along.",
    "Check that the architecture was meant to change.",
    SUPPLY,
)
REMOVED = Rule(
    "weights/removed-tensor",
    "A tensor of the baseline is gone",
    Severity.MEDIUM,
    "Loaders often fill missing tensors with random numbers without a word.",
    "Save the model complete, or make this architecture the new baseline.",
    SUPPLY,
)
RESHAPED = Rule(
    "weights/reshaped-tensor",
    "A tensor has another shape",
    Severity.MEDIUM,
    "A resized vocabulary or a changed architecture. Rows that both have are compared where the other "
    "dimensions agree; nothing else of it can be.",
    "Check that the architecture or vocabulary was meant to change.",
    SUPPLY,
)
RETYPED = Rule(
    "weights/retyped-tensor",
    "A tensor has another number format",
    Severity.LOW,
    "Its values were still compared. A narrower format loses precision, and a model can be made so that its "
    "behaviour changes when it is quantised.",
    "Repeat the behaviour checks on the model in the format that is served.",
    ("owasp:LLM04", "atlas:AML.T0018"),
)
INCONSISTENT = Rule(
    "weights/inconsistent-files",
    "The files of the model contradict each other",
    Severity.HIGH,
    "Two loaders may see two different models: what is tested is then not what is served.",
    "Save the model again in one piece and remove what does not belong to it.",
    SUPPLY,
)

RULES = (
    NON_FINITE,
    TOTAL_CHANGE,
    OUTLIER,
    SPLICED,
    TARGETED,
    ADDED,
    REMOVED,
    RESHAPED,
    RETYPED,
    INCONSISTENT,
)
