"""Encoded floats of a mapped file of which single vectors are read from the file, and leave no pages of the map."""

from __future__ import annotations

from typing import Final, NamedTuple

from drift_arrow.kernels.encoded_floats import EncodedFloats

_OUTSIDE: Final = ("headers", "bases", "dictionaries", "positions", "exceptions", "lefts")
"""What a vector needs besides its packed numbers."""

_OUTSIDE_SHARE: Final = 8
"""It is copied to memory if it takes at most a byte for so many numbers."""

PackedAt = tuple[int, int]
"""Descriptor of an open file, and where the packed vectors lie in it."""


class SingleFloats(NamedTuple):
    """Encoded floats as kernels shall find single vectors of them, and the memory that they take."""

    encoded: EncodedFloats
    packed_at: PackedAt | None
    held_bytes: int


def packed_place(encoded: EncodedFloats, descriptor: int | None, offset: int, stored_len: int) -> PackedAt | None:
    """Where the packed vectors lie, which are the last of the stored arrays; None if no file is open."""
    return None if descriptor is None else (descriptor, offset + stored_len - encoded.packed.nbytes)


def single_floats(encoded: EncodedFloats, packed_at: PackedAt | None) -> SingleFloats:
    """As they are if there is no file, or if what would have to be copied is much."""
    outside = sum(int(getattr(encoded, name).nbytes) for name in _OUTSIDE)
    if packed_at is None or outside * _OUTSIDE_SHARE > encoded.n:
        return SingleFloats(encoded, None, encoded.starts.nbytes)
    return SingleFloats(encoded.detached(), packed_at, encoded.starts.nbytes + outside)
