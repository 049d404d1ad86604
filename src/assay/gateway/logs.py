"""Structured logs: a JSON object a line, on stderr."""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonFormatter(logging.Formatter):
    """Writes a record with whatever `extra` holds."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            "process": os.getpid(),
        }
        line |= {
            key: value for key, value in vars(record).items() if key not in _USUAL and value not in ("", [])
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_to_stderr() -> None:
    """Have our lines, and the web server's, written to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    ours = logging.getLogger("assay.gateway")
    ours.setLevel(logging.INFO)
    theirs = logging.getLogger("uvicorn.error")
    theirs.setLevel(logging.WARNING)
    for logger in (ours, theirs):
        logger.handlers, logger.propagate = [handler], False
