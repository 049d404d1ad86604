"""Files that options name."""

from __future__ import annotations

from pathlib import Path

from assay.core.errors import ConfigError

MAX_SYSTEM = 100_000  # bytes


def locate(path: str, root: str) -> Path:
    """`path` below `root`.

    Raises:
        ConfigError: it is relative and there is no root.
    """
    if not Path(path).is_absolute() and not root:
        remedy = "Give an absolute path, or the option `root`."
        raise ConfigError("a relative path, and no folder it starts from", subject=path, remedy=remedy)
    return Path(root) / path


def read_text(path: Path, limit: int) -> str:
    """The text of a small UTF-8 file.

    Raises:
        ConfigError: it cannot be read, is larger than `limit` bytes, or is not UTF-8.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise ConfigError(f"is larger than {limit:,} bytes", subject=str(path))
        return raw.decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise ConfigError(reason, subject=str(path), remedy="Correct the option that names it.") from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text", subject=str(path), remedy="Save it as UTF-8.") from error


def system_prompt(system: str, system_file: str, root: str) -> str:
    """The production system prompt, given as it is or as a file that holds it.

    Raises:
        ConfigError: both are given, or the file cannot be read.
    """
    if system and system_file:
        raise ConfigError("`system` and `system_file` are both given", remedy="Give one of them.")
    return read_text(locate(system_file, root), MAX_SYSTEM).strip() if system_file else system
