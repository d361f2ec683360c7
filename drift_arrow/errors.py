"""Every exception of drift_arrow. A class exists only where the caller would act differently."""

from __future__ import annotations

from functools import partial
from typing import Any


class DriftError(Exception):
    """Root of all errors raised by drift_arrow."""


class InvalidArgumentError(DriftError, ValueError):
    """The call is wrong: fix the argument that the message names. Nothing was written."""


class NotFoundError(DriftError, LookupError):
    """No such collection, column or file; the message names what exists."""


class AlreadyExistsError(DriftError):
    """The name or key is taken: choose another, open what exists, or upsert."""


class LimitExceededError(DriftError):
    """A documented limit was passed: send less, or raise the limit that the message names."""


class UnsupportedFormatError(DriftError):
    """The file was written by a newer version: upgrade drift_arrow."""


class CorruptionError(DriftError):
    """Bytes on disk are damaged. Never retried, never swallowed.

    Parameters
    ----------
    message : str
        What is wrong, without the location.
    path : str
        The damaged file, as the storage names it.
    offset : int
        First byte, counted from the start of the file, of the smallest checked region that is damaged.
    """

    def __init__(self, message: str, *, path: str, offset: int) -> None:
        super().__init__(f"{message}; path={path!r} offset={offset}")
        self.path = path
        self.offset = offset
        self._message = message

    def __reduce__(self) -> tuple[Any, ...]:
        """An exception is pickled with its text alone: it would not come out of the process of a worker."""
        return partial(CorruptionError, path=self.path, offset=self.offset), (self._message,), self.__dict__


class CommitConflictError(DriftError):
    """Another writer committed this version first; nothing was written. Reopen and retry."""


class LockedError(DriftError):
    """Another process holds the collection for writing: close it there, or open with read_only=True."""


class ClosedError(DriftError):
    """The handle was closed: open the collection again."""


class StorageError(DriftError, OSError):
    """Reading or writing failed below us; the message names the path and the cause."""


class PoisonedError(StorageError):
    """A write or sync of the log failed; nothing is acknowledged after it. Reopen to recover."""


class FencedError(PoisonedError):
    """Another writer took the collection over: this one acknowledges nothing more. Stop, or open it again."""
