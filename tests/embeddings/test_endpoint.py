from contextlib import closing
from typing import Any

import numpy as np
import pytest

from assay.core.errors import EndpointError
from assay.embeddings import EndpointEmbedder
from fixtures.chat_server import JsonServer, Raw


def _vectors(document: dict[str, Any]) -> dict[str, Any]:
    rows = [{"index": at, "embedding": [3.0, 4.0 * len(text)]} for at, text in enumerate(document["input"])]
    return {"data": rows[::-1]}


def test_vectors_come_in_the_order_of_the_texts_and_with_length_one() -> None:
    with JsonServer(_vectors) as server, closing(EndpointEmbedder(server.url, "some", "a-key")) as embedder:
        found = embedder.embed(["a", "bb"] * 50)
    np.testing.assert_allclose(found[:2], [[0.6, 0.8], [3 / 73**0.5, 8 / 73**0.5]], atol=1e-6)
    assert found.shape == (100, 2)
    assert [len(one["input"]) for one in server.requests] == [64, 36]
    assert set(server.keys) == {"Bearer a-key"}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"data": []}, "one vector a text"),
        ({"data": [{"index": 0, "embedding": ["x"]}]}, "one vector a text"),
        ({"data": [{"index": 0, "embedding": []}]}, "do not have 1 to"),
        ({"data": [{"index": 0, "embedding": [0.0, 0.0]}]}, "not finite, or all zero"),
        ([], "one vector a text"),
        (Raw(body=b"no json"), "not JSON"),
        (Raw(status=401, body=b"the key a-key-of-mine is wrong"), r"HTTP 401: the key \[api key\] is wrong"),
        (Raw(status=302, headers={"Location": "http://127.0.0.1:1"}), "HTTP 302"),
        (Raw(headers={"Content-Encoding": "gzip"}, body=b"{}"), "compressed"),
        (Raw(status=503), "HTTP 503.*2 attempts"),
    ],
)
def test_what_is_not_a_vector_a_text_is_an_error(answer: Any, message: str) -> None:
    with (
        JsonServer(lambda _: answer) as server,
        closing(EndpointEmbedder(server.url, "some", "a-key-of-mine", retries=1)) as embedder,
        pytest.raises(EndpointError, match=message),
    ):
        embedder.embed(["a"])


def test_a_server_that_recovers_is_asked_again() -> None:
    left = [Raw(status=503), Raw(status=429)]
    with (
        JsonServer(lambda document: left.pop() if left else _vectors(document)) as server,
        closing(EndpointEmbedder(server.url, "some")) as embedder,
    ):
        assert embedder.embed(["a"]).shape == (1, 2)


@pytest.mark.parametrize("url", ["ftp://host/v1", "host", "http://user:pass@host/v1", "http://:pass@host/v1"])
def test_an_address_that_is_not_plain_http_is_refused(url: str) -> None:
    with pytest.raises(EndpointError, match="not an http") as caught:
        EndpointEmbedder(url, "some")
    assert "pass" not in caught.value.diagnostics()


def test_a_server_that_hangs_is_given_up() -> None:
    with (
        JsonServer(lambda _: Raw(hang=True)) as server,
        closing(EndpointEmbedder(server.url, "some", timeout=0.2, retries=0)) as embedder,
        pytest.raises(EndpointError, match="1 attempts"),
    ):
        embedder.embed(["a"])
