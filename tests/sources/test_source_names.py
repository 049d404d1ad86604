"""Which texts name a source, and what they name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assay.core.errors import UsageError
from assay.sources.addresses import address_of, may_lead_to
from assay.sources.names import (
    BUCKET,
    HUB,
    TRACKED,
    BucketName,
    HubName,
    TrackedName,
    is_source,
    misnamed,
    parse_bucket,
    parse_hub,
    parse_tracked,
)

NAMES: list[tuple[Callable[[str], object], str, object]] = [
    (parse_hub, "hf://a/b", HubName("a/b")),
    (parse_hub, "hf://gpt2", HubName("gpt2")),
    (parse_hub, "hf://a/b@v1.0/c/d.bin", HubName("a/b", "v1.0", "c/d.bin")),
    (parse_hub, "hf://a/b/c/d.bin", HubName("a/b", "main", "c/d.bin")),
    (parse_hub, "hf://a/b@refs/pr/12", HubName("a/b", "refs/pr/12")),
    (parse_bucket, "s3://models/bot/", BucketName("models", "bot/")),
    (parse_bucket, "s3://models", BucketName("models", "")),
    (parse_bucket, "s3://models/a@b?versionId=x.y", BucketName("models", "a@b", "x.y")),
    (parse_tracked, "mlflow:bot@champion", TrackedName(model="bot", alias="champion")),
    (parse_tracked, "mlflow:models:/bot/3", TrackedName(model="bot", version="3")),
    (parse_tracked, "mlflow:runs:/abc/model", TrackedName(run="abc", path="model")),
    (parse_tracked, "mlflow:runs/abc", TrackedName(run="abc")),
    (parse_hub, "HF://A/b@V1", HubName("A/b", "V1")),
    (parse_bucket, "S3://models/Bot", BucketName("models", "Bot")),
    (parse_tracked, "MLflow:Bot@champion", TrackedName(model="Bot", alias="champion")),
]


@pytest.mark.parametrize(("parse", "text", "expected"), NAMES)
def test_what_a_name_names(parse: Callable[[str], object], text: str, expected: object) -> None:
    assert is_source(text)
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_hub, "hf://"),
        (parse_hub, "hf://../etc"),
        (parse_hub, "hf://a/b@"),
        (parse_hub, "hf://datasets/a/b"),
        (parse_hub, "hf://a/b\n"),
        (parse_hub, "hf://a?/b"),
        (parse_bucket, "s3://"),
        (parse_bucket, "s3://UP/x"),
        (parse_bucket, "s3://bucket/prefix/?versionId=x"),
        (parse_tracked, "mlflow:"),
        (parse_tracked, "mlflow:bot"),
        (parse_tracked, "mlflow:bot/latest"),
        (parse_tracked, "mlflow:runs/../x"),
    ],
)
def test_what_names_nothing(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(UsageError, match="does not name") as caught:
        parse(text)
    assert caught.value.remedy.startswith("Write ")


@pytest.mark.parametrize("text", ["model.pt", "./hf://a/b", "hf:/a", "s3:/x", "http://x", "mlflow"])
def test_paths_are_no_sources(text: str) -> None:
    assert not is_source(text)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("hf:/a/b", "Write hf://ORG/NAME@REVISION."),
        ("HF:a/b", "Write hf://ORG/NAME@REVISION."),
        ("s3:/x", "Write s3://BUCKET/KEY."),
        ("models:/bot/3", "Write mlflow:NAME@ALIAS."),
        ("runs:/abc/model", "Write mlflow:runs/RUN/PATH."),
        (
            "https://huggingface.co/a/b/tree/main",
            "Write hf://a/b, with @REVISION for one that is not `main`.",
        ),
        ("file:///m.pt", "Write the path itself."),
        (
            "ftp://host/m.pt",
            f"Names are {HUB}, {BUCKET}, {TRACKED}. What lies elsewhere, download it and scan it.",
        ),
    ],
)
def test_what_looks_like_a_name_is_told_how_to_write_it(text: str, remedy: str) -> None:
    error = misnamed(text)
    assert error is not None
    assert (error.cause, error.subject, error.remedy) == ("does not name what can be fetched", text, remedy)


@pytest.mark.parametrize(
    "text", ["model.pt", "model:v1.pt", "C:\\models", "./s3:/x", "hf://a/b", "run 3: a/b", "a/b:c"]
)
def test_what_may_be_a_path_is_left_to_be_one(text: str) -> None:
    assert misnamed(text) is None


@pytest.mark.parametrize(
    ("target", "home", "allowed"),
    [
        ("151.101.1.1", "18.1.1.1", True),
        ("127.0.0.1", "18.1.1.1", False),
        ("10.0.0.1", "18.1.1.1", False),
        ("::1", "18.1.1.1", False),
        ("::ffff:10.0.0.1", "18.1.1.1", False),
        ("2002:7f00:1::", "18.1.1.1", False),
        ("169.254.169.254", "10.0.0.1", False),
        ("fd00:ec2::254", "fd00::1", False),
        ("100.100.100.200", "10.0.0.1", False),
        ("fe80::1%eth0", "10.0.0.1", False),
        ("0.0.0.0", "127.0.0.1", False),
        ("10.0.0.2", "10.0.0.1", True),
        ("127.0.0.1", "10.0.0.1", False),
        ("10.0.0.1", "127.0.0.1", False),
        ("127.0.0.2", "127.0.0.1", True),
    ],
)
def test_where_a_server_may_send_us(target: str, home: str, allowed: bool) -> None:
    assert may_lead_to(address_of(target), address_of(home)) is allowed


def test_a_bucket_of_no_bucket_s_name_is_told_what_it_lacks() -> None:
    with pytest.raises(UsageError) as caught:
        parse_bucket("s3://b/k")
    assert "a bucket has 3 to 63 small letters" in (caught.value.remedy or "")
