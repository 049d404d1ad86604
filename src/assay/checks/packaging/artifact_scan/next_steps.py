"""What to do about what was not examined. Whoever skips something says one of these, or something better."""

from __future__ import annotations

AGAIN = "Get it again from its source; where it is the same there, do not load it."
REVIEW = "Read it yourself, or remove it."
CONVERT = "Remove the file, or convert it to a format that is judged, such as safetensors."
UNPACK = "Unpack it, and scan what comes out."
SMALLER = "Ask whoever made it why it is so large; split it, or remove it."
ALONE = "Scan it alone; where that ends so too, report it as a defect of Assay."
SAVE_AGAIN = (
    "Save it again with the newest version of the library that made it, or convert it to safetensors."
)


def raised(option: str) -> str:
    """That the user may allow more, by an option of the check."""
    return f"Where so much is expected, allow more: `assay check artifact.scan PATH --option {option}=N`."
