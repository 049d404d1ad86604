import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import SubjectError, TamperError
from assay.embeddings import Encoder
from assay.embeddings.encoder import MODEL
from assay.embeddings.text_model import TextModel

pytest.importorskip("onnxruntime")
pytest.importorskip("tokenizers")

TEXTS = ["That is a happy person", "That is a very happy person", "Today is a sunny day", ""]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


def test_vectors_are_near_those_that_the_original_gives(encoder: Encoder) -> None:
    near, far, _ = (encoder.embed(TEXTS) @ encoder.embed(TEXTS[:1])[0])[1:]
    assert near == pytest.approx(0.943, abs=0.05)  # the original's, as its model card prints them
    assert far == pytest.approx(0.257, abs=0.05)


def test_a_text_has_one_vector_whatever_stands_beside_it(encoder: Encoder) -> None:
    together = encoder.embed([*TEXTS, "word " * 4000])
    alone = np.concatenate([encoder.embed([text]) for text in [*TEXTS, "word " * 4000]])
    assert together.shape == (5, encoder.width) == (5, 384)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)


def test_threads_may_share_it(encoder: Encoder) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: encoder.embed(TEXTS), range(8)))
    for one in found:
        np.testing.assert_array_equal(one, found[0])


def test_no_texts_give_no_vectors(encoder: Encoder) -> None:
    assert encoder.embed([]).shape == (0, 384)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "model.json"])
def test_a_changed_or_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    shutil.copytree(MODEL, tmp_path / "model")
    changed = tmp_path / "model" / name
    content = bytearray(changed.read_bytes())
    content[len(content) // 2] ^= 1
    changed.write_bytes(content if name != "model.json" else b"{}")
    with pytest.raises(TamperError, match="released"):
        Encoder(tmp_path / "model")
    changed.unlink()
    with pytest.raises((TamperError, SubjectError)):
        Encoder(tmp_path / "model")


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a network")
    with pytest.raises(SubjectError, match="cannot be loaded as a model"):
        TextModel.of_user(tmp_path / "model.onnx", MODEL / "tokenizer.json")
