from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels import lanes
from drift_arrow.kernels.bitpack import pack_vectors, packed_size, unpack_vectors
from tests import oracle

LANES = [8, 16, 32, 64]
PAIRS = [(lane, width) for lane in LANES for width in range(lane + 1)]


def random_values(lane, width, n=1024):
    values = np.random.default_rng(width).integers(0, 2**64, n, dtype=np.uint64) >> np.uint64(64 - max(width, 1))
    values = values.astype(f"u{lane // 8}") * bool(width)
    values[-1] = 2**width - 1
    return values


@pytest.mark.parametrize(("lane", "width"), PAIRS)
def test_packed_bytes_are_those_of_the_oracle_at_every_width(lane, width):
    values = random_values(lane, width, 2048)
    want = b"".join(oracle.packed_vector(part.tolist(), lane, width) for part in (values[:1024], values[1024:]))
    assert pack_vectors(values, width).tobytes() == want + bytes(lanes.TAIL_BYTES)


@pytest.mark.parametrize(("lane", "width"), PAIRS)
def test_values_come_back_at_every_width_whatever_follows_them(lane, width):
    values = random_values(lane, width, 3072)
    packed = pack_vectors(values, width)
    packed[-lanes.TAIL_BYTES :] = 255
    np.testing.assert_array_equal(unpack_vectors(packed, width, 3, values.dtype), values)


@pytest.mark.parametrize("lane", LANES)
def test_bits_above_the_width_are_dropped(lane):
    values = random_values(lane, lane)
    packed = pack_vectors(values, 3)
    np.testing.assert_array_equal(unpack_vectors(packed, 3, 1, values.dtype), values & values.dtype.type(7))


@pytest.mark.parametrize("width", [0, 5])
def test_no_vectors_are_packed_to_their_tail(width):
    packed = pack_vectors(np.zeros(0, np.uint32), width)
    assert packed.size == packed_size(0, width) == lanes.TAIL_BYTES
    assert unpack_vectors(packed, width, 0, np.uint32).size == 0


@pytest.mark.parametrize(("width", "lane"), [(0, 8), (1, 8), (8, 8), (9, 16), (16, 16), (17, 32), (33, 64), (64, 64)])
def test_the_lane_of_a_width_is_the_narrowest_that_holds_it(width, lane):
    assert lanes.lane_bits(width) == lane


@pytest.mark.parametrize(
    ("values", "width", "message"),
    [
        (np.zeros(1024, np.int32), 3, "unsigned"),
        (np.zeros(1000, np.uint32), 3, "vectors of 1024"),
        (np.zeros(1024, np.uint8), 9, "width"),
        (np.zeros(1024, np.uint8), -1, "width"),
        (np.zeros(2048, np.uint8)[::2], 3, "contiguous"),
        ([0] * 1024, 3, "unsigned"),
    ],
)
def test_what_cannot_be_packed_is_rejected(values, width, message):
    with pytest.raises(ValueError, match=message):
        pack_vectors(values, width)


@pytest.mark.parametrize(
    ("size", "width", "n_vectors", "message"),
    [(3 * 128, 3, 1, "shape"), (3 * 128 + 129, 3, 1, "shape"), (0, 0, -1, "negative"), (1024, 33, 1, "width")],
)
def test_packed_bytes_of_another_length_are_rejected(size, width, n_vectors, message):
    with pytest.raises(ValueError, match=message):
        unpack_vectors(np.zeros(size, np.uint8), width, n_vectors, np.uint32)
