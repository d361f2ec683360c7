from __future__ import annotations

import gzip
import re
import types
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from drift_arrow.kernels import alp, float_decode
from drift_arrow.kernels._jit import INTERPRETED
from drift_arrow.kernels.alp_search import search_group
from drift_arrow.kernels.floats import encode_floats
from tests.kernels import float_oracle as oracle

# exponent, factor, exceptions and bits of an integer, by the encoder of the publication, for the first 1024 values
PUBLISHED = {
    "arade4": (14, 10, 8, 24),
    "basel_temp_f": (14, 7, 47, 28),
    "basel_wind_f": (14, 7, 9, 29),
    "bird_migration_f": (14, 9, 2, 17),
    "bitcoin_f": (14, 10, 10, 25),
    "bitcoin_transactions_f": (14, 10, 11, 30),
    "city_temperature_f": (14, 13, 0, 11),
    "cms1": (14, 5, 10, 41),
    "cms25": (14, 4, 6, 42),
    "cms9": (16, 16, 2, 10),
    "food_prices": (16, 12, 46, 20),
    "gov10": (3, 1, 72, 27),
    "gov26": (18, 18, 0, 0),
    "gov30": (18, 18, 4, 0),
    "gov31": (18, 18, 1, 0),
    "gov40": (18, 18, 3, 0),
    "medicare1": (14, 5, 37, 38),
    "medicare9": (16, 16, 3, 10),
    "neon_air_pressure": (14, 9, 3, 16),
    "neon_bio_temp_c": (14, 12, 0, 10),
    "neon_dew_point_temp": (14, 11, 6, 13),
    "neon_pm10_dust": (14, 11, 0, 8),
    "neon_wind_dir": (14, 12, 0, 16),
    "nyc29": (14, 1, 5, 42),
    "poi_lat": (16, 0, 157, 55),
    "poi_lon": (16, 0, 199, 56),
    "ssd_hdd_benchmarks_f": (14, 13, 0, 17),
    "stocks_de": (14, 11, 5, 10),
    "stocks_uk": (14, 13, 0, 9),
    "stocks_usa_c": (14, 12, 0, 7),
}

# published bits per value of whole columns, of which only the first row-group is at hand
ROW_GROUPS = {
    "bitcoin_transactions_f": 36.49,
    "city_temperature_f": 10.74,
    "food_prices": 23.65,
    "nyc29": 40.41,
}


def published_bits(name):
    _, _, n_exceptions, width = PUBLISHED[name]
    return (1024 * width + 80 * n_exceptions + 88) / 1024


@pytest.mark.parametrize("name", sorted(oracle.samples()))
def test_a_sample_takes_no_more_bits_than_published(name):
    encoded = oracle.round_trip(oracle.samples()[name])
    assert oracle.published_bits(encoded) <= published_bits(name)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_each_of_the_thirty_columns_takes_no_more_bits_than_published(name):
    values = np.array(oracle.shared(f"samples/{name}.csv").read_text().split(), np.float64)
    assert oracle.published_bits(oracle.round_trip(values)) <= published_bits(name)


@pytest.mark.parametrize("name", sorted(ROW_GROUPS))
def test_a_row_group_takes_no_more_bits_than_published(name):
    encoded = oracle.round_trip(np.fromfile(oracle.shared(f"rowgroup_bin/{name}_tw.bin")))
    assert oracle.published_bits(encoded) <= ROW_GROUPS[name]


def test_doubles_that_were_floats_take_the_published_bits():
    values = np.array(oracle.shared("issue/issue_24_102400_values.csv").read_text().split(), np.float64)
    assert oracle.published_bits(oracle.round_trip(values)) <= 32.20
    with gzip.open(oracle.shared("issue/ShapesAll_TEST.csv.gz"), "rt") as file:
        values = np.array(file.read().split(), np.float64)
    assert oracle.published_bits(oracle.round_trip(values)) <= 33.57


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("digits", [0, 1, 3])
def test_decimals_take_the_bits_of_their_range(dtype, digits):
    steps = np.random.default_rng(0).integers(0, 1000, 4096)
    steps[::1024] = 0
    steps[1::1024] = 999
    encoded = oracle.round_trip((steps / 10**digits).astype(dtype))
    assert encoded.widths.tolist() == [10] * 4
    # some multiples of 0.001 come back from no exponents
    assert encoded.n_exceptions.sum() <= 41


@pytest.mark.parametrize("outlier", [1e6, -1e6, 1e300, np.nan, np.inf, -0.0, 5e-324, 0.123456789])
def test_outliers_are_exceptions_and_do_not_widen_the_others(outlier):
    values = np.random.default_rng(0).integers(0, 100, 1024) / 10
    values[::100] = outlier
    encoded = oracle.round_trip(values)
    assert encoded.schemes.tolist() == [2]
    assert encoded.widths[0] <= 7
    assert encoded.positions.tolist() == list(range(0, 1024, 100))
    np.testing.assert_array_equal(encoded.exceptions, oracle.bits(values[::100]))


def test_a_vector_unlike_its_row_group_gets_exponents_of_its_own():
    values = np.zeros(102400)
    values[::500] = 1
    values[50 * 1024 : 51 * 1024] = np.random.default_rng(0).integers(0, 10**6, 1024) / 100
    encoded = oracle.round_trip(values)
    assert encoded.widths[50] <= 20


@pytest.mark.parametrize("width", [1, 2, 31, 32, 33, 34, 45, 51])
def test_integers_of_any_width_come_back(width):
    values = np.random.default_rng(width).integers(0, 2**width, 2048).astype(np.float64)
    values[::1024] = 0
    values[1::1024] = 2**width - 1
    assert set(oracle.round_trip(values).widths) <= {width, 64}


@pytest.mark.parametrize("edge", [2**51 - 1, 2**51, 2**52, 2**53, 2**62, 2**63])
def test_integers_at_the_edge_of_the_range_come_back(edge):
    values = np.nextafter(np.float64(edge), np.tile([-np.inf, np.inf], 512))
    oracle.round_trip(np.concatenate([values, -values, np.arange(1024.0)]))


def test_the_search_finds_the_digits():
    values = np.random.default_rng(0).integers(0, 10**4, 8192) / 1000
    candidates, bits, bits_where_smaller = search_group(values.view(np.uint64))
    assert {exponent - factor for exponent, factor in candidates.tolist()} == {3}
    assert 13 <= bits == bits_where_smaller <= 15


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties_and_zeros_take_no_bits(dtype):
    values = np.zeros(1024, dtype)
    values[7] = 12.5
    encoded = oracle.round_trip(values)
    assert encoded.widths.tolist() == [0]
    assert encode_floats(values).n_exceptions.tolist() == [1]


def test_powers_of_ten_are_rounded_once():
    for exponent, (power, inverse) in enumerate(zip(alp.POWERS, alp.INVERSES, strict=True)):
        assert power == float(f"1e{exponent}")
        assert inverse == float(f"1e-{exponent}")


@pytest.mark.skipif(INTERPRETED, reason="there is no assembly without compilation")
def test_decoding_uses_the_widest_vectors_of_the_processor():
    decode: Any = float_decode._decode_alp
    plain = types.FunctionType(decode.py_func.__code__, decode.py_func.__globals__, "decode_alp")
    njit: Any = numba.njit
    fresh = njit(nogil=True, _nrt=False, fastmath=decode.targetoptions["fastmath"])(plain)
    table = numba.types.Array(numba.float64, 1, "C", readonly=True)
    arguments = (numba.uint32, numba.int64, numba.uint64, table, table, numba.uint64, numba.uint64)
    fresh.compile(arguments)
    assembly = fresh.inspect_asm(arguments)
    flags = cpu_flags()
    if not flags & {"avx2", "avx512f"}:
        pytest.skip("the processor has no wide vectors, or does not say so")
    register = "zmm" if "avx512f" in flags else "ymm"
    assert len(re.findall(rf"\bvmulpd\s.*%{register}", assembly)) >= 2 * 1024 * 64 // (
        512 if register == "zmm" else 256
    )
    assert not re.search(r"\bcvtsi2sd|\bvfmadd", assembly)


def cpu_flags():
    description = Path("/proc/cpuinfo")
    flags = re.search(r"^flags\s*:(.*)$", description.read_text() if description.exists() else "", re.MULTILINE)
    return set(flags[1].split()) if flags else set()
