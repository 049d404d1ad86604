"""A request that is not served, and why, in the form of the OpenAI API's errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.core.errors import AssayError


class Refusal(AssayError):  # noqa: N818  it is an answer, not a defect
    """The client gets this instead of an answer.

    Args:
        status: HTTP status.
        code: for programs: `content_filter`, `rate_limit_exceeded` and so on.
        message: for people; quotes nothing of the request or of the upstream.
        param: the part of the request that it is about.
        kind: the `type` of the error.
        headers: sent with it.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        kind: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.kind = kind or _kind(status)
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The JSON that says so."""
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return {"error": error}


def _kind(status: int) -> str:
    known = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    if status in known:
        return known[status]
    return "server_error" if status >= 500 else "invalid_request_error"  # noqa: PLR2004  5xx


def filtered(param: str | None = None) -> Refusal:
    """What the guard's block reads like. It names no rule: whoever probes the guard learns little from it."""
    return Refusal(
        400,
        "content_filter",
        "The content filter of this gateway blocked the request. Its record is kept under the x-request-id.",
        param=param,
    )
