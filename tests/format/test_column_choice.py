"""What an encoder chooses for which columns, and what it says about them."""

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.format.codecs.numbers import encode_numbers
from drift_arrow.format.column_encoder import ColumnEncoder
from drift_arrow.format.distinct import find_distinct
from drift_arrow.format.encoding import Encoding
from drift_arrow.kernels.integer_costs import SMALL
from tests.format.columns import NUMBER_TYPES, PROFILES, array_of, long_arrays, names_of, numbers, store, stored_as

RANDOM = np.random.default_rng(6)
N = 20_000

PRICES = np.round(RANDOM.random(400) * 1e6, 2) * 3.7e-9
COLUMNS = {
    "counters": pa.array(RANDOM.integers(0, 1000, N)),
    "prices": pa.array(np.round(RANDOM.random(N) * 1000, 2)),
    "few floats": pa.array(RANDOM.choice(PRICES, N)),
    "few large integers": pa.array(RANDOM.choice(RANDOM.integers(0, 2**62, 300), N)),
    "skewed bytes": pa.array((RANDOM.geometric(0.8, N) + RANDOM.geometric(0.02, N) // 90).astype(np.int16)),
    "few words": pa.array(RANDOM.choice(["alpha", "beta", "gamma"], N)),
    "keys": pa.array([RANDOM.bytes(10).hex() for _ in range(N)]),
    "few decimals": pa.array(RANDOM.integers(0, 99, N)).cast(pa.decimal128(30)),
}

HOT = {
    "counters": ["INTEGERS"],
    "prices": ["FLOATS"],
    "few floats": ["DICTIONARY", "INTEGERS", "FLOATS"],
    "few large integers": ["INTEGERS"],
    "few words": ["DICTIONARY", "INTEGERS", "STRINGS", "INTEGERS"],
    "keys": ["STRINGS", "INTEGERS"],
}


def tree(name, profile="hot"):
    column = store(COLUMNS[name], profile)
    assert column.read().equals(COLUMNS[name])
    return column.open().describe()


@pytest.mark.parametrize("name", HOT)
def test_columns_take_the_encoding_that_is_made_for_them(name):
    assert names_of(tree(name)) == HOT[name]


def size_of(name, profile):
    return len(store(COLUMNS[name], profile).stored)


@pytest.mark.parametrize("name", COLUMNS)
def test_the_cold_profile_takes_no_more_bytes(name):
    assert size_of(name, "cold") <= size_of(name, "hot")


def test_only_the_hot_profile_gives_bytes_for_speed():
    # the time between events: five gaps of a thousand need a bit more than the others
    events = pa.array(np.cumsum(RANDOM.exponential(1e5, N).astype(int)))
    small = encode_numbers(events, weights=SMALL)
    assert len(ColumnEncoder(events.type, "cold").encode(events).stored) <= len(small.stored)
    assert len(small.stored) < len(ColumnEncoder(events.type, "hot").encode(events).stored) < 1.05 * len(small.stored)


def test_the_cold_profile_uses_compressors():
    assert "COMPRESSED" in names_of(tree("few words", "cold"))
    noisy = pa.array(RANDOM.normal(size=N).astype(np.float16).astype(np.float64) * np.pi)
    assert {"COMPRESSED", "PLANES", "FLOATS"} & set(names_of(store(noisy, "cold").open().describe()))


def test_no_hot_column_is_compressed_as_a_whole():
    rows = np.tile(np.repeat(RANDOM.integers(0, 200, 50), 41)[:2000], 10) ^ (np.arange(N) % 7 == 0)
    for array in (pa.array(rows), *COLUMNS.values(), *(array_of(kind, numbers(kind, N)) for kind in NUMBER_TYPES)):
        assert not {"COMPRESSED", "PLANES", "ZSTD"} & set(names_of(store(array).open().describe()))
    assert names_of(store(pa.array(rows), "cold").open().describe()) == ["PLANES"]


def test_codes_are_found_only_where_rows_repeat():
    assert find_distinct(pa.array(np.arange(N)), 1e9) is None
    assert find_distinct(pa.nulls(N, pa.int64()), 1e9) is None
    assert find_distinct(COLUMNS["few floats"], 10) is None
    found = find_distinct(COLUMNS["few words"], 1e9)
    assert found is not None
    assert found.values.to_pylist() == ["alpha", "beta", "gamma"]
    assert found.values.take(pa.array(found.codes)).equals(COLUMNS["few words"])


def test_a_sample_tells_how_many_numbers_there_are():
    few, many = RANDOM.integers(0, 200, N), RANDOM.integers(0, 2000, N)
    for rows, bits, is_found in (
        (few, 8, True),
        (few, 6, False),
        (few, 2.9, False),
        (many, 8, False),
        (many, 12, True),
    ):
        values = np.sqrt(rows)
        found = find_distinct(pa.array(values), N * bits / 8)
        assert (found is not None) == is_found
        if found is not None:
            assert found.values.to_numpy()[found.codes].tobytes() == values.tobytes()
    # codes in runs take few bits, however many there are
    runs = find_distinct(pa.array(np.repeat(np.sqrt(np.arange(N // 50)), 50)), N * 3 / 8)
    assert runs is not None
    assert len(runs.values) == N // 50


def test_values_that_no_sample_shows_are_not_too_many_for_codes_unnoticed():
    values = np.repeat(np.sqrt(np.arange(8)), 1 << 13)
    values[2000:8000] = RANDOM.normal(size=6000)
    assert find_distinct(pa.array(values), len(values)) is None
    column = store(pa.array(values))
    assert names_of(column.open().describe()) == ["FLOATS"]
    assert column.read().to_numpy().tobytes() == values.tobytes()


def test_codes_of_nulls_are_those_of_a_neighbour():
    found = find_distinct(pa.array([None, "b", None, "a", None] * 9), 1e9)
    assert found is not None
    assert found.codes[:5].tolist() == [1, 1, 1, 0, 0]


def all_of(encoding: Encoding):
    yield encoding
    for child in encoding.children:
        yield from all_of(child)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", long_arrays(1))
def test_the_bytes_of_a_tree_add_up(name, profile):
    column = store(long_arrays(2000)[name], profile)
    root = column.open().describe()
    assert (root.stored_bytes, root.n_values) == (len(column.stored), 2000)
    for encoding in all_of(root):
        if encoding.name != "COMPRESSED":
            assert sum(child.stored_bytes for child in encoding.children) <= encoding.stored_bytes
        assert encoding.n_values == 0 or encoding.bits_per_value > 0
    assert sum(encoding.stored_bytes for encoding in root.children) < root.stored_bytes or root.name == "COMPRESSED"


def test_widths_exceptions_and_schemes_of_vectors_are_told():
    values = np.concatenate([RANDOM.integers(0, 32, 1024), RANDOM.integers(0, 8, 1024), np.full(1024, 7)])
    values[5] = 1 << 40
    encoding = stored_as(encode_numbers(pa.array(values)), pa.array(values)).open().describe()
    assert (encoding.min_width, encoding.max_width, encoding.n_exceptions) == (0, 5, 1)
    assert encoding.detail == "frame=3"
    floats = stored_as(encode_numbers(COLUMNS["prices"]), COLUMNS["prices"]).open().describe()
    assert floats.detail == "alp=20"
    assert floats.max_width == 17


def test_a_column_of_no_rows_has_no_bits_per_value():
    assert np.isnan(store(pa.array([], pa.int8())).open().describe().bits_per_value)


def test_an_unknown_profile_is_no_profile():
    with pytest.raises(KeyError):
        ColumnEncoder(pa.int8(), "tepid")
