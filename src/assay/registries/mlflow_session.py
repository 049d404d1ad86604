"""MLflow's client, kept quiet and bounded, its errors told as ours.

MLflow is configured by environment variables and prints to stderr. Within `session` the variables that bound
its requests are set unless the user set them, and put back afterwards. Its usage telemetry is off.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from assay.core.errors import AssayError, RegistryError

# Seconds and counts. MLflow's own, 120 s and 7 retries with doubling pauses, keep a user waiting for minutes.
_BOUNDS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}
_FORCED = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
_LOGGERS = ("mlflow", "alembic")
_lock = threading.RLock()
_CREDENTIALS = re.compile(r"://[^/\s@]*@")
_REMEDIES = {
    "UNAUTHENTICATED": "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
    "PERMISSION_DENIED": "Ask for the right to read and write this model and its artifacts.",
    "RESOURCE_DOES_NOT_EXIST": "Check the name and the version.",
    "REQUEST_LIMIT_EXCEEDED": "Wait, then run again.",
}


@contextmanager
def session(subject: str) -> Iterator[None]:
    """Within it MLflow may be imported and called; whatever it raises comes out as `RegistryError`.

    Args:
        subject: what is being done, or to what; for the error.

    Raises:
        RegistryError: MLflow is absent, refused, or could not be reached.
    """
    with _lock, _environment(), _quiet():
        try:
            yield
        except AssayError:
            raise
        except ImportError as error:
            raise RegistryError(
                f"MLflow cannot be used: {error}", remedy="Install it: pip install 'assay-llm[mlflow]'."
            ) from error
        except Exception as error:
            # MLflow lets through what its stores raise: SQLAlchemy, requests, urllib3, JSON and more.
            raise translated(error, subject) from error


@contextmanager
def _environment() -> Iterator[None]:
    wanted = {name: value for name, value in _BOUNDS.items() if name not in os.environ} | _FORCED
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _quiet() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def translated(error: Exception, subject: str) -> RegistryError:
    """An error of MLflow's, or of what lies below it, as ours."""
    code = error_code(error)
    # The text quotes URLs as they were called, credentials and all.
    text = _CREDENTIALS.sub("://", " ".join(str(error).split()))[:300] or type(error).__name__
    status = _http_status(error)
    if status in {401, 403}:
        code = "UNAUTHENTICATED" if status == 401 else "PERMISSION_DENIED"  # noqa: PLR2004  HTTP
    if _unreachable(error):
        return RegistryError(
            "the MLflow server cannot be reached or does not answer as one",
            subject=subject,
            remedy=f"Check the URI and that the server runs. It said: {text}",
        )
    remedy = _REMEDIES.get(code, "Look at the server's log.")
    return RegistryError(f"MLflow refused: {text}", subject=subject, remedy=remedy)


def error_code(error: BaseException) -> str:
    """MLflow's error code, or ""."""
    return str(getattr(error, "error_code", "") or "")


def _http_status(error: Exception) -> int:
    getter: Any = getattr(error, "get_http_status_code", None)
    stated = int(getter()) if callable(getter) else 0
    return next((code for code in (401, 403) if f"error code {code}" in str(error)), stated)


def _unreachable(error: BaseException) -> bool:
    """Whether a connection failed somewhere in the chain of causes, or nonsense came back."""
    signs = ("Max retries exceeded", "Connection refused", "failed with exception", "valid JSON", "timed out")
    names = {"ConnectionError", "ConnectTimeout", "ReadTimeout", "JSONDecodeError", "MaxRetryError"}
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return False
        if type(seen).__name__ in names or any(sign in str(seen) for sign in signs):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def without_credentials(uri: str) -> str:
    """A URI as it may be shown."""
    parts = urlsplit(uri)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
