"""Decoder of `EncodedFloats` in plain Python, value by value, and samples to encode."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from drift_arrow.kernels.encoded_floats import EncodedFloats
from drift_arrow.kernels.floats import decode_floats, encode_floats

CODES = {2: "e", 4: "f", 8: "d"}
DATA = Path(__file__).with_name("data")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "alp"


def shared(name: str) -> Path:
    """A file of the large data set that may lie next to the repository."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"no data next to the repository: shared/data/alp/{name}")
    return path


def samples() -> dict[str, NDArray[np.float64]]:
    """The columns of 1024 values that belong to the tests."""
    names, *rows = (DATA / "alp_samples.csv").read_text().splitlines()
    columns = np.array([row.split(",") for row in rows], np.float64).T
    return dict(zip(names.split(","), np.ascontiguousarray(columns), strict=True))


def bits(values: NDArray[Any]) -> NDArray[Any]:
    return values.view(f"u{values.itemsize}")


def assert_same_bits(got: NDArray[Any], want: NDArray[Any]) -> None:
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(bits(got), bits(want))


def round_trip(values: NDArray[Any], *, whole_bytes: bool = False) -> EncodedFloats:
    encoded = encode_floats(values, whole_bytes=whole_bytes)
    assert_same_bits(decode_floats(encoded), values)
    return encoded


def published_bits(encoded: EncodedFloats) -> float:
    """Bits per value by the count of the publication: 88 for the header of a vector."""
    arrays = encoded.positions.nbytes + encoded.exceptions.nbytes + encoded.lefts.nbytes + encoded.packed.nbytes - 128
    return (88 * len(encoded.headers) + 8 * arrays) / (1024 * len(encoded.headers))


def unpacked(words: bytes, width: int, lane_bits: int) -> list[int]:
    """The integers of a packed vector: value i is the (i // lanes)th of the string of bits of lane i % lanes."""
    lanes = 1024 // lane_bits
    strings = [
        sum(
            int.from_bytes(words[(k * lanes + lane) * lane_bits // 8 :][: lane_bits // 8], "little") << k * lane_bits
            for k in range(width)
        )
        for lane in range(lanes)
    ]
    return [strings[i % lanes] >> i // lanes * width & ((1 << width) - 1) for i in range(1024)]


def decoded_vectors(encoded: EncodedFloats) -> list[list[int]]:
    """Bits of the values of every vector, by the description in `float_header` alone."""
    size = encoded.dtype.itemsize
    packed, positions = encoded.packed.tobytes(), iter(encoded.positions.tolist())
    exceptions, lefts = iter(encoded.exceptions.tolist()), iter(encoded.lefts.tolist())
    vectors = []
    for number, (header, base) in enumerate(zip(encoded.headers.tolist(), encoded.bases.tolist(), strict=True)):
        scheme, width, high, low, n = header & 3, header >> 2 & 127, header >> 9 & 63, header >> 15 & 63, header >> 21
        if scheme == 0:
            values = [base % (1 << 8 * size)] * 1024
        elif scheme == 1:
            values = [int.from_bytes(packed[i * size :][:size], "little") for i in range(1024)]
        elif scheme == 2:
            integers = unpacked(packed, width, 32 if width <= 32 else 64)
            floats = [float(base + integer) * float(f"1e{low}") * float(f"1e-{high}") for integer in integers]
            values = [int.from_bytes(struct.pack(CODES[size], as_type(value, size)), "little") for value in floats]
            for position in [next(positions) for _ in range(n)]:
                values[position] = next(exceptions)
        else:
            codes = unpacked(packed, base, 16)
            parts = [int(encoded.dictionaries[number // 100, code]) for code in codes]
            for position in [next(positions) for _ in range(n)]:
                parts[position] = next(lefts)
            rights = unpacked(packed[128 * base :], width, 8 * size)
            values = [part << high | right << low for part, right in zip(parts, rights, strict=True)]
        packed = packed[128 * (width + (base if scheme == 3 else 0)) :]
        vectors.append(values)
    return vectors


def as_type(value: float, size: int) -> float:
    # where an exception follows the value may be beyond float32, which struct refuses
    with np.errstate(over="ignore"):
        return float(np.float32(value)) if size == 4 else value
