"""`s3://` against a server that speaks S3 over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.core.errors import LimitError, SubjectError
from assay.sources.fetching import fetched
from assay.sources.workspace import Bounds
from fixtures.refusals import printed_without, refusal

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
server = pytest.importorskip("moto.server", reason="moto is not installed")

OBJECTS = {"bot/config.json": b"{}", "bot/sub/weights.bin": b"w" * 3_000_000, "other.bin": b"o"}


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield "http://{}:{}".format(*running.get_host_and_port())
    running.stop()


@pytest.fixture
def client(store: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    settings = {
        "AWS_ENDPOINT_URL": store,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return boto3.session.Session().client("s3")


@pytest.fixture
def bucket(client: Any, request: pytest.FixtureRequest) -> str:
    name = f"b{abs(hash(request.node.name)):x}"
    client.create_bucket(Bucket=name)
    for key, content in OBJECTS.items():
        client.put_object(Bucket=name, Key=key, Body=content)
    return name


@pytest.mark.parametrize("prefix", ["bot", "bot/"])
def test_a_prefix_comes_whole(prefix: str, bucket: str, client: Any, cache: Path) -> None:
    client.put_object(Bucket=bucket, Key="bot/folder/")
    with fetched(f"s3://{bucket}/{prefix}") as found:
        there = {p.relative_to(found.path).as_posix(): p for p in found.path.rglob("*") if p.is_file()}
        expected = {key.removeprefix("bot/"): OBJECTS[key] for key in OBJECTS if key.startswith("bot/")}
        assert {name: path.read_bytes() for name, path in there.items()} == expected
        assert found.name.startswith(f"s3://{bucket}/bot/?versions=")
        first = found.name
    client.put_object(Bucket=bucket, Key="bot/config.json", Body=b"[]")
    with fetched(f"s3://{bucket}/{prefix}") as found:
        assert found.name != first
    assert [path.name for path in cache.iterdir()] == ["lock"]


def test_an_object_by_key_and_by_version(bucket: str, client: Any) -> None:
    with fetched(f"s3://{bucket}/other.bin") as found:
        assert "?etag=" in found.name
        assert (found.path.name, found.path.read_bytes()) == ("other.bin", b"o")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = client.put_object(Bucket=bucket, Key="other.bin", Body=b"first")["VersionId"]
    second = client.put_object(Bucket=bucket, Key="other.bin", Body=b"second")["VersionId"]
    for version, content in ((first, b"first"), (second, b"second")):
        with fetched(f"s3://{bucket}/other.bin?versionId={version}") as found:
            assert found.path.read_bytes() == content
            assert found.name == f"s3://{bucket}/other.bin?versionId={version}"
    with fetched(f"s3://{bucket}/other.bin") as found:
        assert found.name.endswith(f"?versionId={second}")


def test_a_whole_bucket(bucket: str) -> None:
    with fetched(f"s3://{bucket}") as found:
        assert (found.path / "bot/config.json").read_bytes() == b"{}"


@pytest.mark.parametrize("key", ["bot/../../escape", "bot//x", "bot/a\\b"])
def test_keys_that_leave_the_folder(key: str, bucket: str, client: Any, cache: Path) -> None:
    client.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert "leaves the folder" in refusal(f"s3://{bucket}/bot/").cause
    assert [path.name for path in cache.iterdir()] == ["lock"]


@pytest.mark.parametrize(
    ("bounds", "cause"),
    [(Bounds(bytes=1_000_000), "1,000,000 are allowed"), (Bounds(files=1), "more than 1 files")],
)
def test_bounds(bounds: Bounds, cause: str, bucket: str) -> None:
    error = refusal(f"s3://{bucket}/bot/", bounds)
    assert isinstance(error, LimitError)
    assert cause in error.cause


def test_what_is_not_there(bucket: str) -> None:
    assert "holds no files" in refusal(f"s3://{bucket}/nothing").cause
    assert "NoSuchBucket" in refusal("s3://no-such-bucket/x/").cause
    error = refusal(f"s3://{bucket}/other.bin?versionId=00000000-0000-0000-0000-000000000000")
    assert isinstance(error, SubjectError)


@pytest.mark.usefixtures("client")
def test_a_store_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert "Could not connect" in refusal("s3://bucket/x/").cause


@pytest.mark.usefixtures("client")
def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    error = refusal("s3://bucket/x/")
    assert "credentials" in error.cause
    assert "AWS_PROFILE" in error.remedy


def test_without_boto3_the_extra_is_named(tmp_path: Path) -> None:
    script = (
        "from assay.core.errors import UsageError\nfrom assay.sources.fetching import fetched\n"
        "try:\n    with fetched('s3://bucket/x'): pass\n"
        "except UsageError as e:\n    print(e.remedy)"
    )
    told = printed_without("botocore", tmp_path, script)
    assert told == "Install it: pip install 'assay-llm[s3]'.\n"
