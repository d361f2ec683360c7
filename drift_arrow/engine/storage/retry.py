"""Requests that may fail on their way: tried again after growing pauses, and told in our own errors."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from drift_arrow.errors import DriftError, NotFoundError, StorageError

_Answer = TypeVar("_Answer")

# what no repetition changes: the request itself is wrong, or not allowed
_FINAL = (DriftError, FileNotFoundError, PermissionError, IsADirectoryError, NotImplementedError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a request is sent, and how long to wait between two of them.

    Parameters
    ----------
    attempts : int
        At least 1.
    first_s, most_s : float
        Pause behind the first failure, and its limit; each pause is twice the one before.
    sleep : callable
        Waits for so many seconds.
    jitter : callable
        A random number in [0, 1): between half and all of a pause is waited for, so that writers that met once do not
        meet again.
    """

    attempts: int = 6
    first_s: float = 0.05
    most_s: float = 2.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def call(self, request: Callable[[], _Answer], path: str) -> _Answer:
        """The answer to `request`.

        Raises
        ------
        NotFoundError
            There is no such path.
        StorageError
            The request was refused, or failed at every attempt; the message names the path and the last cause.
        """
        for is_last in self.pauses():
            try:
                return request()
            except Exception as error:
                if is_last or is_final(error):
                    raise translated(error, path) from error
        raise AssertionError("the last attempt returns or raises")

    def pauses(self) -> Iterator[bool]:
        """One item for each attempt, with the pauses between them; true is the last."""
        for number in range(self.attempts):
            if number:
                pause_s = min(self.first_s * 2 ** (number - 1), self.most_s)
                self.sleep(pause_s * (1 + self.jitter()) / 2)
            yield number == self.attempts - 1


def is_final(error: Exception) -> bool:
    """Whether a request that failed so fails again; an existing file is no failure here, since it may be ours."""
    return isinstance(error, _FINAL) or "Credential" in type(error).__name__


def translated(error: Exception, path: str) -> DriftError:
    """One of our own errors in place of whatever a file system raised."""
    if isinstance(error, DriftError):
        return error
    if isinstance(error, FileNotFoundError):
        return NotFoundError(f"no such file; path={path!r}")
    return StorageError(f"storage failed: {type(error).__name__}: {error}; path={path!r}")
