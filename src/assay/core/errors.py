"""The error tree. Every error tells what happened, to which input, and what to do next.

AssayError
├── UsageError            the user asked for something that does not exist or does not fit
│   └── ConfigError       assay.yaml, an ignore file or a policy is wrong
├── SubjectError          what should be examined cannot be opened or read
│   └── LimitError        it is larger, deeper or slower than we are willing to follow
├── EndpointError         an endpoint is down, too slow or answers nonsense
├── EngineError           an external tool is absent, of the wrong version, or failed
├── LedgerError           the ledger cannot be read or written
│   └── TamperError       its bytes are not those that were signed or logged
├── SigningKeyError       a signing key is missing, unreadable or refused
├── GateError             a policy cannot be evaluated; it never means "pass"
├── RegistryError         the registry refused or could not be reached
│   └── ConflictError     somebody else moved the alias first (compare-and-set failed)
└── CheckError            a check could not do its work
"""

from __future__ import annotations


class AssayError(Exception):
    """Root of all errors that Assay raises on purpose.

    Args:
        cause: what happened, one sentence without a full stop.
        subject: the input it happened to (a path, URL, row, key id), or "".
        remedy: the next step for the person reading it, or "".
    """

    def __init__(self, cause: str, *, subject: str = "", remedy: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.subject = subject
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.subject}: {self.cause}" if self.subject else self.cause

    def diagnostics(self) -> str:
        """Cause, input and next step, as printed by the command line."""
        return f"{self}\n  → {self.remedy}" if self.remedy else str(self)


class UsageError(AssayError):
    """The user asked for something that does not exist or does not fit."""


class ConfigError(UsageError):
    """A configuration, ignore or policy file is wrong."""


class SubjectError(AssayError):
    """What should be examined cannot be opened or read."""


class LimitError(SubjectError):
    """A bound on size, depth or time was reached."""


class EndpointError(AssayError):
    """An endpoint is down, too slow or answers nonsense."""


class EngineError(AssayError):
    """An external tool is absent, of the wrong version, or failed."""


class LedgerError(AssayError):
    """The ledger cannot be read or written."""


class TamperError(LedgerError):
    """Stored bytes are not those that were signed or logged."""


class SigningKeyError(AssayError):
    """A signing key is missing, unreadable, revoked or refused."""


class GateError(AssayError):
    """A policy cannot be evaluated. The gate treats it as a refusal."""


class RegistryError(AssayError):
    """The registry refused a request or could not be reached."""


class ConflictError(RegistryError):
    """Somebody else moved the alias first: the compare-and-set failed."""


class CheckError(AssayError):
    """A check could not do its work; its report is `error`, never `pass`."""
