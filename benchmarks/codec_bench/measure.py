"""Bits and speeds of all codecs on one column."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from codec_bench.column import Column, same_bits
from codec_bench.peers import Peer, can_encode
from harness.duel import Clock, duel

_HOT_REPEATS = 3
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Result:
    """One codec on one column.

    Parameters
    ----------
    group, column, codec : str
    bits : float
        Per value, as stored.
    encode, decode : float
        GB/s of values, by medians; nan for what does not encode.
    detail : str
        What the codec chose.
    """

    group: str
    column: str
    codec: str
    bits: float
    encode: float
    decode: float
    detail: str


def measure(column: Column, codecs: Sequence[Peer], seconds: float, clock: Clock = time.perf_counter) -> list[Result]:
    """All codecs on one column, in turn.

    Raises
    ------
    RuntimeError    a codec gave back other bits
    """
    able = [codec for codec in codecs if can_encode(codec, column.values.dtype)]
    array = column.arrow
    packed = {codec.name: codec.encode(array) for codec in able}
    for name, found in packed.items():
        if not same_bits(column, found.decode()):
            raise RuntimeError(f"codec is not lossless; codec={name} column={column.name!r}")
    is_hot = not column.is_large
    encoders = {codec.name: partial(codec.encode, array) for codec in able if codec.is_encoder}
    encode = duel(encoders, seconds=seconds, clock=clock)
    decoders = {name: found.decode for name, found in packed.items()}
    decode = duel(decoders, seconds=seconds, repeats=_HOT_REPEATS if is_hot else 1, is_hot=is_hot, clock=clock)
    size = column.values.nbytes
    return [
        Result(
            group=column.group,
            column=column.name,
            codec=name,
            bits=8 * found.size / len(column.values),
            encode=size / encode.get(name, _NAN) / 1e9,
            decode=size / decode[name] / 1e9,
            detail=found.detail(),
        )
        for name, found in packed.items()
    ]
