"""XXH64, the 64-bit hash of xxHash, over the strings of an Arrow column.

Source: Collet, "xxHash fast digest algorithm" 0.1.1, section "XXH64 algorithm description".
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from drift_arrow.kernels._jit import kernel

_PRIME_1: Final = np.uint64(0x9E3779B185EBCA87)
_PRIME_2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_PRIME_3: Final = np.uint64(0x165667B19E3779F9)
_PRIME_4: Final = np.uint64(0x85EBCA77C2B2AE63)
_PRIME_5: Final = np.uint64(0x27D4EB2F165667C5)


@kernel(inner=True)
def _rotate(value: Any, bits: Any) -> Any:
    return (value << np.uint64(bits)) | (value >> np.uint64(64 - bits))


@kernel(inner=True)
def _word(data: Any, position: Any, n_bytes: Any) -> Any:
    word = np.uint64(0)
    for i in range(n_bytes):
        word |= np.uint64(data[position + i]) << np.uint64(8 * i)
    return word


@kernel(inner=True)
def _round(lane: Any, word: Any) -> Any:
    return _rotate(lane + word * _PRIME_2, 31) * _PRIME_1


@kernel(inner=True)
def _merge(digest: Any, lane: Any) -> Any:
    return (digest ^ _round(np.uint64(0), lane)) * _PRIME_1 + _PRIME_4


@kernel(inner=True)
def _stripes(data: Any, start: Any, stop: Any, seed: Any) -> Any:
    """Digest of the whole 32-byte stripes of [start, stop)."""
    lane_1 = seed + _PRIME_1 + _PRIME_2
    lane_2 = seed + _PRIME_2
    lane_3 = seed
    lane_4 = seed - _PRIME_1
    for position in range(start, stop - 31, 32):
        lane_1 = _round(lane_1, _word(data, position, 8))
        lane_2 = _round(lane_2, _word(data, position + 8, 8))
        lane_3 = _round(lane_3, _word(data, position + 16, 8))
        lane_4 = _round(lane_4, _word(data, position + 24, 8))
    digest = _rotate(lane_1, 1) + _rotate(lane_2, 7) + _rotate(lane_3, 12) + _rotate(lane_4, 18)
    return _merge(_merge(_merge(_merge(digest, lane_1), lane_2), lane_3), lane_4)


@kernel(inner=True)
def _tail(digest: Any, data: Any, position: Any, stop: Any) -> Any:
    """Mix in the last bytes, fewer than 32."""
    while position + 8 <= stop:
        digest = _rotate(digest ^ _round(np.uint64(0), _word(data, position, 8)), 27) * _PRIME_1 + _PRIME_4
        position += 8
    if position + 4 <= stop:
        digest = _rotate(digest ^ (_word(data, position, 4) * _PRIME_1), 23) * _PRIME_2 + _PRIME_3
        position += 4
    while position < stop:
        digest = _rotate(digest ^ (_word(data, position, 1) * _PRIME_5), 11) * _PRIME_1
        position += 1
    return digest


@kernel(inner=True)
def xxh64(data: Any, start: Any, stop: Any, seed: Any) -> Any:
    """Digest of the bytes [start, stop) of a uint8 array; `seed` and result are uint64."""
    length = stop - start
    digest = _stripes(data, start, stop, seed) if length >= 32 else seed + _PRIME_5
    digest = _tail(digest + np.uint64(length), data, stop - length % 32, stop)
    digest = (digest ^ (digest >> np.uint64(33))) * _PRIME_2
    digest = (digest ^ (digest >> np.uint64(29))) * _PRIME_3
    return digest ^ (digest >> np.uint64(32))
