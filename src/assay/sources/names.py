"""What names a source: `hf://`, `s3://`, `mlflow:` and `postgresql://`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from assay.core.errors import UsageError

SCHEMES = ("hf://", "s3://", "mlflow:", "postgresql://", "postgres://")
_PART = re.compile(r"[^\W_][\w.-]{0,95}", re.ASCII)
# What huggingface_hub's own file system reads as one revision although it holds slashes.
_REFERENCE = re.compile(r"refs/(?:pr/[0-9]+|convert/[\w.-]+)")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RUN = re.compile(r"[0-9a-zA-Z_-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class HubName:
    """`hf://ORG/NAME[@REVISION][/PATH]`; PATH is a file or folder of the repository, "" all of it."""

    repository: str
    revision: str = "main"
    path: str = ""


@dataclass(frozen=True, slots=True)
class BucketName:
    """`s3://BUCKET/KEY[?versionId=ID]`; a KEY that ends in a slash, or is "", is a prefix."""

    bucket: str
    key: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class TrackedName:
    """In MLflow: a model version (`model`, and `alias` or `version`) or artifacts (`run` and `path`)."""

    model: str = ""
    alias: str = ""
    version: str = ""
    run: str = ""
    path: str = ""


def is_source(text: str) -> bool:
    """Whether `text` names a source rather than a local path; `./hf://x` is a path."""
    return text.startswith(SCHEMES)


def parse_hub(text: str) -> HubName:
    """The repository that `text` names.

    Raises:
        UsageError: it names none.
    """
    rest = _plain(text).removeprefix("hf://").removeprefix("models/").rstrip("/")
    head, at, tail = rest.partition("@")
    revision, path = "main", ""
    if at:
        known = _REFERENCE.match(tail)
        revision = known[0] if known else tail.partition("/")[0]
        path = tail[len(revision) :].lstrip("/")
        parts = head.split("/")
    else:
        parts = head.split("/")
        parts, path = parts[:2], "/".join(parts[2:])
    revision = unquote(revision)
    if parts[0] in {"datasets", "spaces"} or not revision or _CONTROL.search(revision):
        raise _unnamed(text, "hf://ORG/NAME@REVISION, a model repository")
    if len(parts) not in {1, 2} or not all(_PART.fullmatch(part) for part in parts):
        raise _unnamed(text, "hf://ORG/NAME@REVISION")
    return HubName("/".join(parts), revision, path)


def parse_bucket(text: str) -> BucketName:
    """The object or prefix that `text` names.

    Raises:
        UsageError: it names none.
    """
    rest, _, query = _plain(text).removeprefix("s3://").partition("?versionId=")
    bucket, _, key = rest.partition("/")
    if not _BUCKET.fullmatch(bucket) or (query and (not key or key.endswith("/"))):
        raise _unnamed(text, "s3://BUCKET/KEY, s3://BUCKET/PREFIX/ or s3://BUCKET/KEY?versionId=ID")
    return BucketName(bucket, key, query)


def parse_tracked(text: str) -> TrackedName:
    """The model version or run that `text` names.

    Raises:
        UsageError: it names none.
    """
    rest = _plain(text).removeprefix("mlflow:").removeprefix("models:/")
    if rest.startswith(("runs:/", "runs/")):
        run, _, path = rest.partition("/")[2].strip("/").partition("/")
        if _RUN.fullmatch(run):
            return TrackedName(run=run, path=path.strip("/"))
    model, at, alias = rest.rpartition("@")
    if at and model and alias and "/" not in rest:
        return TrackedName(model=model, alias=alias)
    model, slash, version = rest.rpartition("/")
    if slash and model and "/" not in model and version.isascii() and version.isdecimal():
        return TrackedName(model=model, version=version)
    raise _unnamed(text, "mlflow:NAME@ALIAS, mlflow:NAME/VERSION or mlflow:runs/RUN/PATH")


def _plain(text: str) -> str:
    if len(text) > 2_000 or _CONTROL.search(text):  # noqa: PLR2004  longer than any key with its bucket
        raise _unnamed(text, "a name without control characters")
    return text


def _unnamed(text: str, expected: str) -> UsageError:
    return UsageError(f"{text[:100]!r} does not name what can be fetched", remedy=f"Write {expected}.")
