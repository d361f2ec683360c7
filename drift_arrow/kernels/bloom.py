"""Split-block Bloom filter over fingerprints of keys: who is told "no" need not search.

A filter is an array of blocks of 8 words of 32 bits. A key sets, or asks for, one bit in each word of one block, so it
touches one cache line. Source: Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", WEA 2007;
blocks, salts and the choice of a bit are those of Parquet's split block Bloom filters, but the hash is not. All
arithmetic is on unsigned integers, modulo 2**64 or, where it says so, 2**32:

    hash  = first + second * 0x9E3779B97F4A7C15             # the two words of the fingerprint
    hash  = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9
    hash  = (hash ^ hash >> 27) * 0x94D049BB133111EB
    hash  = hash ^ hash >> 31                               # SplitMix64 ends like this
    block = (hash >> 32) * n_blocks >> 32
    bit of word i = (hash * SALTS[i] modulo 2**32) >> 27
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel

WORDS: Final = 8
"""Words of 32 bits in a block."""

BITS_PER_KEY: Final = 10.6
"""Least size at which no more than 1 % of the keys that are not there seem to be: 10.5 would let 1.013 % pass."""

SALTS: Final = np.array(
    [0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31], np.uint32
)
SALTS.flags.writeable = False

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)


@kernel(inline=True)
def _hash(first: Any, second: Any) -> Any:
    """Integer keys are their own fingerprint, which has no entropy to choose bits by until it is mixed."""
    mixed = first + second * _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    return mixed ^ (mixed >> np.uint64(31))


@kernel(inline=True)
def _block(digest: Any, n_blocks: Any) -> Any:
    return np.int64(((digest >> np.uint64(32)) * np.uint64(n_blocks)) >> np.uint64(32))


@kernel(inline=True)
def _bit(digest: Any, salt: Any) -> Any:
    return np.uint32(1) << (np.uint32(np.uint32(digest & np.uint64(0xFFFFFFFF)) * salt) >> np.uint32(27))


@kernel
def _insert(fingerprints: Any, salts: Any, bloom: Any) -> None:
    for row in range(len(fingerprints)):
        digest = _hash(fingerprints[row, 0], fingerprints[row, 1])
        words = bloom[_block(digest, len(bloom))]
        for i in range(WORDS):
            words[i] |= _bit(digest, salts[i])


@kernel
def _contains(bloom: Any, salts: Any, fingerprints: Any, out: Any) -> None:
    for row in range(len(fingerprints)):
        digest = _hash(fingerprints[row, 0], fingerprints[row, 1])
        words = bloom[_block(digest, len(bloom))]
        missing = np.uint32(0)
        for i in range(WORDS):
            missing |= _bit(digest, salts[i]) & ~words[i]
        out[row] = missing == np.uint32(0)


def bloom_blocks(n_keys: int, bits_per_key: float = BITS_PER_KEY) -> int:
    """Blocks, of 32 bytes each, of a filter for a number of keys; at least one."""
    return max(1, math.ceil(n_keys * bits_per_key / (32 * WORDS)))


def build_bloom(fingerprints: NDArray[np.uint64], bits_per_key: float = BITS_PER_KEY) -> NDArray[np.uint32]:
    """Build the filter of some keys.

    Parameters
    ----------
    fingerprints : (n, 2) uint64
    bits_per_key : float
        Size of the filter; see `BITS_PER_KEY`.

    Returns
    -------
    (bloom_blocks(n, bits_per_key), 8) uint32

    Raises
    ------
    ValueError    wrong dtype, shape or layout
    """
    fingerprints = readonly("fingerprints", fingerprints, np.uint64, None, 2)
    bloom = np.zeros((bloom_blocks(len(fingerprints), bits_per_key), WORDS), np.uint32)
    _insert(fingerprints, SALTS, bloom)
    return bloom


def bloom_contains(bloom: NDArray[np.uint32], fingerprints: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Ask a filter for some keys.

    Parameters
    ----------
    bloom : (b, 8) uint32
        What `build_bloom` gave; b in [1, 2**32).
    fingerprints : (n, 2) uint64

    Returns
    -------
    (n,) bool
        False where the key is certainly not among those of the filter.

    Raises
    ------
    ValueError    wrong dtype, shape or layout
    """
    bloom = readonly("bloom", bloom, np.uint32, None, WORDS)
    fingerprints = readonly("fingerprints", fingerprints, np.uint64, None, 2)
    if not 0 < len(bloom) < 1 << 32:
        raise ValueError(f"a filter has from 1 to 2**32 - 1 blocks; got={len(bloom)}")
    out = np.empty(len(fingerprints), np.bool_)
    _contains(bloom, SALTS, fingerprints, out)
    return out
