"""Who may use the gateway: keys that are stored only as hashes.

A key is `sk-assay-ID-SECRET`; the secret has 256 random bits, so that HMAC-SHA-256 under a salt of its own is
enough to store it by: there is nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from assay.core.codec import from_json, to_json
from assay.core.errors import AssayError, ConfigError, UsageError

PREFIX = "sk-assay-"
SCOPES = ("chat", "completions", "responses", "embeddings", "models", "metrics")
USUAL_SCOPES = SCOPES[:-1]
MAX_FILE = 16 << 20
FILE_NAME = "keys.json"


class KeysError(AssayError):
    """The file of keys cannot be read; nobody is let in."""


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What a key may use; None is what the configuration says, 0 is no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent: int | None = None
    body_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """A key, without its secret.

    Attributes:
        id: twelve hex digits; part of the key itself.
        name: for people.
        tenant: whom it belongs to; goes into routes, records and samples.
        scopes: the endpoints that it opens.
        models: names of models; `*` and `?` are wild.
        salt, digest: HMAC-SHA-256 of the secret, in hex.
        created, expires, revoked: times, UTC.
        limits: its own.
    """

    id: str
    name: str
    tenant: str
    scopes: tuple[str, ...]
    models: tuple[str, ...]
    salt: str
    digest: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    limits: KeyLimits = KeyLimits()

    def opens(self, scope: str, model: str = "") -> bool:
        """Whether it may be used for that, and for that model."""
        fits = not model or any(fnmatchcase(model, pattern) for pattern in self.models)
        return scope in self.scopes and fits

    def valid(self, now: datetime) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked is None and (self.expires is None or now < self.expires)


ANYBODY = GatewayKey("-", "anybody", "", SCOPES, ("*",), "", "", datetime.fromtimestamp(0, UTC))


@dataclass(frozen=True, slots=True)
class _File:
    keys: tuple[GatewayKey, ...] = ()
    version: int = 1


class KeyStore:
    """The keys of a gateway, in one file of mode 0600; changes are seen with the next request.

    Args:
        file: where they are.
        clock: the time, UTC.
    """

    def __init__(self, file: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._file, self._clock = file, clock
        self._stamp: tuple[int, ...] | None = None
        self._keys: dict[str, GatewayKey] = {}

    def identify(self, presented: str) -> GatewayKey | None:
        """The key that somebody presents, None where there is no such valid one.

        Raises:
            KeysError: the file cannot be read.
        """
        self._refresh()
        identity, _, secret = presented.removeprefix(PREFIX).partition("-")
        found = self._keys.get(identity)
        salt, digest = (found.salt, found.digest) if found else ("00", "")
        fits = hmac.compare_digest(_hashed(salt, secret), digest)
        if found is None or not presented.startswith(PREFIX) or not fits:
            return None
        return found if found.valid(self._clock()) else None

    def all(self) -> tuple[GatewayKey, ...]:
        """All of them.

        Raises:
            KeysError: the file cannot be read.
        """
        self._refresh()
        return tuple(self._keys.values())

    def add(
        self,
        name: str,
        *,
        tenant: str = "",
        scopes: tuple[str, ...] = USUAL_SCOPES,
        models: tuple[str, ...] = ("*",),
        expires: datetime | None = None,
        limits: KeyLimits | None = None,
    ) -> tuple[GatewayKey, str]:
        """Make a key; returns it, and its text, which is stored nowhere.

        Raises:
            UsageError: a scope that there is not.
            KeysError: the file cannot be read or written.
        """
        for scope in scopes:
            if scope not in SCOPES:
                raise UsageError(f"no scope {scope!r}", remedy=f"One of {', '.join(SCOPES)}.")
        identity, secret, salt = secrets.token_hex(6), secrets.token_urlsafe(32), secrets.token_hex(16)
        key = GatewayKey(
            id=identity,
            name=name,
            tenant=tenant,
            scopes=scopes,
            models=models,
            salt=salt,
            digest=_hashed(salt, secret),
            created=self._clock(),
            expires=expires,
            limits=limits or KeyLimits(),
        )
        with self._changing():
            self._write((*self.all(), key))
        return key, f"{PREFIX}{identity}-{secret}"

    def revoke(self, identity: str) -> GatewayKey:
        """Stop taking a key, named by its id.

        Raises:
            UsageError: there is none.
            KeysError: the file cannot be read or written.
        """
        with self._changing():
            found = next((key for key in self.all() if key.id == identity), None)
            if found is None:
                raise UsageError(f"no key {identity!r}", remedy="See `assay gateway key list`.")
            changed = replace(found, revoked=found.revoked or self._clock())
            self._write(tuple(changed if key.id == identity else key for key in self.all()))
        return changed

    def _refresh(self) -> None:
        try:
            state = self._file.stat()
        except FileNotFoundError:
            self._stamp, self._keys = None, {}
            return
        except OSError as error:
            raise self._error(error.strerror or "unknown") from error
        stamp = (state.st_mtime_ns, state.st_ino, state.st_size)
        if stamp != self._stamp:
            self._keys = {key.id: key for key in self._read().keys}
            self._stamp = stamp

    def _read(self) -> _File:
        try:
            with self._file.open("rb") as file:
                return from_json(_File, json.loads(file.read(MAX_FILE)), source=str(self._file))
        except (OSError, ValueError, RecursionError, AssayError) as error:
            raise self._error(str(error)[:200]) from error

    def _write(self, keys: tuple[GatewayKey, ...]) -> None:
        new = self._file.with_suffix(".new")
        document: Any = to_json(_File(keys))
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(document, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._file)
        except OSError as error:
            raise self._error(error.strerror or "unknown") from error
        self._stamp = None

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One change at a time, also between processes."""
        private_folder(self._file.parent)
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _error(self, cause: str) -> KeysError:
        return KeysError(
            f"the gateway's keys cannot be read: {cause}", subject=str(self._file), remedy="Restore the file."
        )


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner may read.

    Raises:
        ConfigError: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot be made: {error.strerror}", subject=str(folder)) from error


def _hashed(salt: str, secret: str) -> str:
    raw = secret.encode("utf-8", "surrogatepass")
    return hmac.new(bytes.fromhex(salt), raw, hashlib.sha256).hexdigest()
