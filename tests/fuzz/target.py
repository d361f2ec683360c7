"""What a fuzz target is, and what it may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from drift_arrow.errors import CorruptionError, UnsupportedFormatError

MAX_INPUT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One parser of bytes.

    Parameters
    ----------
    name : str
        For `--target`.
    seeds : callable
        Inputs that the parser accepts; together they reach all of its branches that valid files reach.
    mutate : callable
        Changes one input in one or a few places and repairs the checksums above them. Total: it takes any bytes, since
        its own results come back to it.
    parse : callable
        Reads an input as its caller would. Returns, or raises one of the two errors of damage.
    """

    name: str
    seeds: Callable[[], list[bytes]]
    mutate: Callable[[bytes, Random], bytes]
    parse: Callable[[bytes], object]

    def accepts(self, data: bytes) -> bool:
        """Whether the parser takes `data`; any other error than damage passes through, and so does lack of memory."""
        try:
            self.parse(data)
        except (CorruptionError, UnsupportedFormatError) as error:
            _refuse_hidden_memory_error(error)
            return False
        return True


def _refuse_hidden_memory_error(error: BaseException) -> None:
    """Arrow and zstd say in their own words that an allocation failed, which a parser then takes for damage."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or "not enough memory" in str(cause):
            raise MemoryError(str(cause)) from error
        cause = cause.__cause__
