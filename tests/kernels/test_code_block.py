from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.code_block import (
    BLOCK_ROWS,
    HAS_BYTE_PRODUCTS,
    LOW_BITS,
    block_products,
    block_size,
    plain_products,
    plain_turn,
    turn_block,
)
from drift_arrow.kernels.memory import address_of

pytestmark = pytest.mark.skipif(not HAS_BYTE_PRODUCTS, reason="needs compiled code and AVX-512 VNNI")


@kernel
def turn_and_multiply(codes, dim, count, turned, size, weights, products):
    turn_block(np.uint64(codes), dim, count, np.uint64(turned))
    block_products(np.uint64(turned), size, np.uint64(weights), np.uint64(products))


def planes(weights, dim):
    """High and low bytes in windows; codes that come twice weigh nothing the second time."""
    size = block_size(dim)
    windows = np.zeros(size, np.int64)
    whole = dim // 64 * 64
    windows[:whole] = weights[:whole]
    windows[whole + size - dim :] = weights[whole:]
    high = (windows + (1 << LOW_BITS) // 2) >> LOW_BITS
    return np.stack([high, windows - (high << LOW_BITS)]).astype(np.int8)


@pytest.mark.parametrize("dim", [64, 65, 100, 127, 128, 768, 784, 1536, 4096])
@pytest.mark.parametrize("count", [1, 15, 16, 17, 63, 64])
def test_products_are_exact(dim, count):
    random = np.random.default_rng(dim + count)
    codes = random.integers(0, 256, (count, dim), dtype=np.uint8)
    largest = min(16_319, (1 << 31) // (256 * dim))
    weights = random.integers(-largest, largest + 1, dim)
    cut = planes(weights, dim)
    turned = np.empty(block_size(dim) * BLOCK_ROWS, np.uint8)
    products = np.zeros(BLOCK_ROWS, np.int32)
    arrays = [address_of(array) for array in (codes, turned, cut, products)]
    turn_and_multiply(arrays[0], dim, count, arrays[1], block_size(dim), arrays[2], arrays[3])
    np.testing.assert_array_equal(products[:count], codes.astype(np.int64) @ weights)
    # and so are the twins that stand in where nothing is compiled
    expected, plain = turned.copy(), np.zeros_like(products)
    plain_turn(arrays[0], dim, count, arrays[1])
    np.testing.assert_array_equal(turned, expected)
    plain_products(arrays[1], block_size(dim), arrays[2], address_of(plain))
    np.testing.assert_array_equal(plain, products)
