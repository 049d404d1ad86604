"""What tells personal data from other numbers, from `words.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.core.data_files import read_data

WORDS: dict[str, Any] = {
    name: "".join(value) if isinstance(value, list) else value
    for name, value in read_data(Path(__file__).with_name("words.yaml")).items()
}
TITLES: dict[str, str] = WORDS["titles"]
