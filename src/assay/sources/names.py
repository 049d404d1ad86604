"""What names a source: `hf://`, `s3://`, `mlflow:` and `postgresql://`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from assay.core.errors import UsageError

SCHEMES = ("hf://", "s3://", "mlflow:", "postgresql://", "postgres://")
HUB, BUCKET, TRACKED = "hf://ORG/NAME@REVISION", "s3://BUCKET/KEY", "mlflow:NAME@ALIAS"
_MEANT = {
    "hf": HUB, "huggingface": HUB, "hub": HUB, "s3": BUCKET, "s3a": BUCKET, "s3n": BUCKET,
    "models": TRACKED, "runs": "mlflow:runs/RUN/PATH",
}  # fmt: skip
_LIKE_A_NAME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?:/{1,2}|(?=[\w.-]))")
_ON_THE_HUB = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+)", re.IGNORECASE)
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
    return text.lower().startswith(SCHEMES)


def written_low(text: str) -> str:
    """A source's name with its scheme as it is known: `HF://Org/Name` is `hf://Org/Name`."""
    scheme, colon, rest = text.partition(":")
    return scheme.lower() + colon + rest


def misnamed(text: str) -> UsageError | None:
    """What to write instead of a text that looks like the name of a source and is none; None for a path."""
    found = _LIKE_A_NAME.match(text)
    if found is None or is_source(text):
        return None
    scheme = found[1].lower()
    web = _ON_THE_HUB.match(text)
    if web is not None:
        remedy = f"Write hf://{web[1]}, with @REVISION for one that is not `main`."
    elif scheme == "file":
        remedy = "Write the path itself."
    elif scheme in _MEANT:
        remedy = f"Write {_MEANT[scheme]}."
    elif "/" in found[0]:
        remedy = f"Names are {HUB}, {BUCKET}, {TRACKED}. What lies elsewhere, download it and scan it."
    else:
        return None
    return UsageError("does not name what can be fetched", subject=text[:200], remedy=remedy)


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
        expected = "s3://BUCKET/KEY, s3://BUCKET/PREFIX/ or s3://BUCKET/KEY?versionId=ID"
        raise _unnamed(text, f"{expected}; a bucket has 3 to 63 small letters, digits, dots and hyphens")
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
    return written_low(text)


def _unnamed(text: str, expected: str) -> UsageError:
    return UsageError(f"{text[:100]!r} does not name what can be fetched", remedy=f"Write {expected}.")
