"""A larger classifier of the user's, by path: Prompt Guard 2, a DeBERTa, or any like them."""

from __future__ import annotations

from pathlib import Path

from assay.core.errors import ConfigError
from assay.embeddings.text_model import TextModel
from assay.guard.classify.labels import read_labels
from assay.guard.classify.windowed import WindowedClassifier

NETWORKS = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")
WINDOW = 512  # tokens at most; where the network was made for fewer, those


class LocalClassifier(WindowedClassifier):
    """A classifier in a folder as Hugging Face lays it out: the ONNX file, `tokenizer.json`, `config.json`.

    Args:
        folder: with one of `NETWORKS`, and perhaps `labels.json` (see `labels`).
        name: as verdicts and histograms call the layer.
        threads: processor threads a window may use.

    Raises:
        ConfigError: a file is missing, or it is not known what an output is about.
        SubjectError: the files are no network or no tokenizer.
    """

    def __init__(self, folder: Path, *, name: str = "local", threads: int = 2) -> None:
        network = next((folder / one for one in NETWORKS if (folder / one).is_file()), None)
        if network is None:
            raise ConfigError(
                f"holds none of {', '.join(NETWORKS)}",
                subject=str(folder),
                remedy="Export the classifier to ONNX, in one file, into this folder.",
            )
        labels = read_labels(folder)
        model = TextModel.of_user(network, folder / "tokenizer.json", threads=threads)
        super().__init__(name, model, min(WINDOW, labels.longest or WINDOW), labels)
        if self.outputs != len(labels.heads):
            raise ConfigError(
                f"the network has {self.outputs} outputs and config.json names {len(labels.heads)}",
                subject=str(folder),
                remedy="Give the config.json that belongs to the network.",
            )
