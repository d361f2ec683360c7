"""xxh3 over buffers, and the checks that turn a mismatch into CorruptionError.

The digests find accidents, not attackers: anybody who can write a file can also write its checksum.
"""

from __future__ import annotations

import xxhash

from drift_arrow.errors import CorruptionError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.layout import Buffer


def xxh3_64(*parts: Buffer) -> int:
    """64-bit xxh3 digest of `parts` one after the other, without joining them.

    Returns
    -------
    int
        0 up to 2**64 - 1.
    """
    state = xxhash.xxh3_64()
    for part in parts:
        state.update(byte_view(part))
    return state.intdigest()


def xxh3_128(*parts: Buffer) -> str:
    """128-bit xxh3 digest of `parts` one after the other: 32 lower-case hexadecimal digits, high bits first."""
    state = xxhash.xxh3_128()
    for part in parts:
        state.update(byte_view(part))
    return state.hexdigest()


def check_xxh3_64(actual: int, expected: int, *, what: str, path: str, offset: int) -> None:
    """Compare two 64-bit digests.

    Raises
    ------
    CorruptionError
        They differ; `what` names the region that starts at `offset`.
    """
    if actual != expected:
        message = f"checksum of {what} does not match; expected={expected:016x} actual={actual:016x}"
        raise CorruptionError(message, path=path, offset=offset)


def check_xxh3_128(data: Buffer, expected: str, *, what: str, path: str, offset: int) -> None:
    """Compare the 128-bit digest of `data` with `expected`.

    Raises
    ------
    CorruptionError
        They differ; `what` names the region that starts at `offset`.
    """
    actual = xxh3_128(data)
    if actual != expected:
        message = f"digest of {what} does not match; expected={expected} actual={actual}"
        raise CorruptionError(message, path=path, offset=offset)
