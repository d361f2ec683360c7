from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.code_block import HAS_BYTE_PRODUCTS
from drift_arrow.kernels.memory import address_of
from drift_arrow.kernels.row_products import plain_row_products, row_products
from tests.kernels.test_code_block import planes

pytestmark = pytest.mark.skipif(not HAS_BYTE_PRODUCTS, reason="needs compiled code and AVX-512 VNNI")


@kernel
def multiply(codes, dim, count, weights, products):
    row_products(np.uint64(codes), dim, count, np.uint64(weights), np.uint64(products))


@pytest.mark.parametrize("dim", [64, 65, 100, 127, 128, 129, 768, 784, 1536, 4096])
@pytest.mark.parametrize("count", [1, 3, 15, 16, 17, 63, 64])
def test_products_are_exact_and_nothing_is_written_behind_the_last_sixteen(dim, count):
    random = np.random.default_rng(dim + count)
    codes = random.integers(0, 256, (count, dim), dtype=np.uint8)
    largest = min(16_319, (1 << 31) // (256 * dim))
    weights = random.integers(-largest, largest + 1, dim)
    cut = planes(weights, dim)
    size = -(-count // 16) * 16
    products = np.full(size + 1, 7, np.int32)
    multiply(address_of(codes), dim, count, address_of(cut), address_of(products))
    wanted = codes.astype(np.int64) @ weights
    np.testing.assert_array_equal(products[:count], wanted)
    assert (products[count:size] == wanted[-1]).all()
    assert products[size] == 7
    # and so is the twin that stands in where nothing is compiled
    plain = np.zeros(count, np.int32)
    plain_row_products(address_of(codes), dim, count, address_of(cut), address_of(plain))
    np.testing.assert_array_equal(plain, wanted)
