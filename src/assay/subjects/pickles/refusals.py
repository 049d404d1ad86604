"""What is told of a checkpoint whose tensors cannot be written, by the codes of the child that looked."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.errors import LimitError, SubjectError
from assay.subjects.child_answers import WrongAnswerError


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A sentence, in which {name} and {detail} are filled in, and what to do."""

    cause: str
    remedy: str
    limit: bool = False


_DAMAGED = "Do not load it; get it from its source again."
_STATE_DICT = "Ask for a state dict or safetensors."
_TENSOR = "tensor {name} "
_REFUSALS = {
    "sparse": _Refusal(
        _TENSOR + "is sparse, for which safetensors has no form", "Save `tensor.to_dense()` in its place."
    ),
    "quantized": _Refusal(
        _TENSOR + "is quantized, for which safetensors has no form",
        "Save `tensor.int_repr()`, `tensor.q_scale()` and `tensor.q_zero_point()`, or `tensor.dequantize()`.",
    ),
    "ragged": _Refusal(
        _TENSOR + "is nested, for which safetensors has no form",
        "Save `tensor.unbind()`, which are plain tensors.",
    ),
    "empty": _Refusal(
        _TENSOR + "was saved without its numbers, from the meta device or a wrapper",
        "Save it from a device that holds its numbers.",
    ),
    "device": _Refusal(
        _TENSOR + "was saved from a device whose numbers are kept in another form",
        "Save `tensor.cpu()` in its place.",
    ),
    "lazy": _Refusal(
        _TENSOR + "is stored before its conjugation or negation",
        "Save `tensor.resolve_conj().resolve_neg()` in its place.",
    ),
    "dtype": _Refusal(
        _TENSOR + "has the number format {detail}, which safetensors does not have",
        "Save it in another format, or as bytes: `tensor.view(torch.uint8)`.",
    ),
    "view": _Refusal(
        _TENSOR + "lies in a part of a storage, as PyTorch 0.1 saved them, which is not followed",
        "Save it again with a current torch, where `assay explain` finds nothing in it.",
    ),
    "broken": _Refusal(_TENSOR + "cannot be placed in the file", _DAMAGED),
    "twofold": _Refusal(
        _TENSOR + "names its storage as of another class or size than an earlier one", _DAMAGED
    ),
    "storage": _Refusal("storage {detail} is of no tensor, or has no size that is known", _DAMAGED),
    "lost": _Refusal("{detail} in objects that are not followed{foreign}", _STATE_DICT),
    "damaged": _Refusal("its pickle is damaged: {detail}", _DAMAGED),
    "head": _Refusal(
        "is not a little-endian PyTorch checkpoint", "Save it again on a little-endian machine."
    ),
    "name": _Refusal("an entry has a name of more than 1,000 characters: {name}", _STATE_DICT, limit=True),
    "deep": _Refusal("it is nested more than 64 deep, at {name}", _STATE_DICT, limit=True),
    "many": _Refusal("it has more than 5,000,000 entries", _STATE_DICT, limit=True),
    "tensors": _Refusal("it names more than 200,000 tensors", _STATE_DICT, limit=True),
    "large": _Refusal("its pickle is larger or deeper than we follow", _STATE_DICT, limit=True),
}


def refusal_of(code: str, name: str, detail: str, foreign: str) -> SubjectError:
    """The error that a code of the child stands for; `foreign` is something that the pickle imports, or "".

    Raises:
        WrongAnswerError: there is no such code.
    """
    refusal = _REFUSALS.get(code)
    if refusal is None:
        raise WrongAnswerError
    shown = name if len(name) <= 200 else name[:200] + "…"  # noqa: PLR2004  for one line
    kind = LimitError if refusal.limit else SubjectError
    such = f", such as {foreign[:200]}" if foreign else ""
    cause = refusal.cause.format(name=repr(shown), detail=detail, foreign=such)
    return kind(cause, remedy=refusal.remedy)
