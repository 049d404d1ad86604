"""`s3://BUCKET/KEY`: an object, or all below a prefix, by boto3 with its own chain of credentials.

What is fetched is pinned: by version ids where the bucket keeps versions, else by the entity tags (ETag) of
the listing, which every download must still carry. Checksums that the store holds are verified by boto3 (the
`ChecksumMode` of GetObject). AWS_ENDPOINT_URL and AWS_PROFILE are boto3's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from assay.core.canonical import canonical_digest
from assay.core.errors import SubjectError, UsageError
from assay.sources.fetching import Fetched
from assay.sources.names import BucketName
from assay.sources.workspace import Expected, Workspace, too_many_files

CHUNK = 1 << 20
MAX_TOLD = 20  # versions that the notes name
_ABSENT = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NoSuchVersion", "NotFound"})
_REMEDIES = {
    "AccessDenied": "Ask for s3:GetObject and s3:ListBucket on it, or use another AWS_PROFILE.",
    "403": "Ask for s3:GetObject and s3:ListBucket on it, or use another AWS_PROFILE.",
    "InvalidObjectState": "It lies in an archive: restore it first.",
    "PreconditionFailed": "It was changed meanwhile; run it again.",
    "412": "It was changed meanwhile; run it again.",
} | dict.fromkeys(_ABSENT, "Check bucket, key and version; a prefix ends in a slash.")


def fetch_objects(name: BucketName, workspace: Workspace) -> Fetched:
    """Fetch an object, or all objects below a prefix.

    Raises:
        UsageError: boto3 is not installed.
        SubjectError: it cannot be fetched in full, or changed meanwhile.
        LimitError: it is larger than the workspace's bounds, or slower.
    """
    with _told(workspace):
        client = _client()
        single = _single(client, name) if name.key and not name.key.endswith("/") else None
        if single is not None:
            file = Expected(name.key.rpartition("/")[2], int(single["ContentLength"]))
            workspace.expect([file])
            version = _fetch(client, name.bucket, name.key, file, single, workspace)
            return Fetched(workspace.folder / file.name, f"s3://{name.bucket}/{name.key}?{version}")
        prefix = name.key if not name.key or name.key.endswith("/") else f"{name.key}/"
        listed = list(_listed(client, name.bucket, prefix, workspace))
        workspace.expect([file for file, _ in listed])
        versions = {}
        for file, entry in listed:
            key = prefix + file.name
            versions[key] = _fetch(client, name.bucket, key, file, entry, workspace)
    pinned = f"s3://{name.bucket}/{prefix}?versions={canonical_digest(versions)[:16]}"
    told = [f"{key}?{version}" for key, version in list(versions.items())[:MAX_TOLD]]
    more = f" and {len(versions) - MAX_TOLD:,} more" if len(versions) > MAX_TOLD else ""
    return Fetched(workspace.folder, pinned, (f"objects: {', '.join(told)}{more}",))


def _client() -> Any:
    import boto3  # noqa: PLC0415  an extra, and slow to import
    from botocore.config import Config  # noqa: PLC0415

    retries = {"max_attempts": 3, "mode": "standard"}
    config = Config(connect_timeout=10, read_timeout=30, retries=retries, user_agent_extra="assay")
    return boto3.session.Session().client("s3", config=config)


def _single(client: Any, name: BucketName) -> Any:
    """What the store says of the object, or None where there is none of that key."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    version = {"VersionId": name.version} if name.version else {}
    try:
        return client.head_object(Bucket=name.bucket, Key=name.key, **version)
    except ClientError as error:
        if name.version or _code(error) not in _ABSENT:
            raise
        return None


def _listed(client: Any, bucket: str, prefix: str, workspace: Workspace) -> Iterator[tuple[Expected, Any]]:
    count = 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        _ = workspace.remaining
        for entry in page.get("Contents", ()):
            if entry["Key"].endswith("/") and not entry["Size"]:
                continue  # what consoles make to show a folder
            count += 1
            if count > workspace.bounds.files:
                raise too_many_files(workspace.source, workspace.bounds)
            yield Expected(entry["Key"].removeprefix(prefix), int(entry["Size"])), entry


def _fetch(client: Any, bucket: str, key: str, file: Expected, known: Any, workspace: Workspace) -> str:
    """Fetch an object that must still be the one that was listed; returns what pins it."""
    version = {"VersionId": known["VersionId"]} if known.get("VersionId", "null") != "null" else {}
    answer = client.get_object(
        Bucket=bucket, Key=key, IfMatch=known["ETag"], ChecksumMode="ENABLED", **version
    )
    with closing(answer["Body"]) as body:
        workspace.write(file, body.iter_chunks(CHUNK))
    stated = str(answer.get("VersionId", "null"))
    return f"versionId={stated}" if stated != "null" else f"etag={str(answer['ETag']).strip(chr(34))}"


@contextmanager
def _told(workspace: Workspace) -> Iterator[None]:
    """Within it, what boto3 raises comes out as ours."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            f"S3 cannot be read: {error}",
            subject=workspace.source,
            remedy="Install it: pip install 'assay-llm[s3]'.",
        ) from error
    try:
        yield
    except ClientError as error:
        code = _code(error)
        said = str(error.response.get("Error", {}).get("Message", ""))[:150]
        raise SubjectError(
            f"the store refuses: {code} {said}".rstrip(),
            subject=workspace.source,
            remedy=_REMEDIES.get(
                code, "Check the name and the credentials (AWS_PROFILE), then run it again."
            ),
        ) from error
    except BotoCoreError as error:
        raise SubjectError(
            f"the store cannot be read: {' '.join(str(error).split())[:200]}",
            subject=workspace.source,
            remedy="Check AWS_ENDPOINT_URL, the region and the credentials (AWS_PROFILE), then run it again.",
        ) from error


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
