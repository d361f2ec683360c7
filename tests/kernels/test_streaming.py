from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drift_arrow.kernels import floats, integers
from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels.floats import decode_floats, encode_floats
from drift_arrow.kernels.integer_schemes import DELTA, DICTIONARY, FRAME, RUNS
from drift_arrow.kernels.integers import decode_table, encode_integers

N = 4096 + 77


def columns():
    random = np.random.default_rng(0)
    return {
        FRAME: np.where(random.random(N) < 0.01, 10**9, random.integers(0, 100, N)),
        DELTA: np.cumsum(np.where(random.random(N) < 0.003, 10**7, random.integers(0, 3, N))),
        RUNS: np.repeat(random.integers(0, 2**62, N // 50 + 1), 50)[:N],
        DICTIONARY: random.choice(random.integers(0, 2**62, 30), N),
    }


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int64"])
@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("scheme", [FRAME, DELTA, RUNS, DICTIONARY])
def test_streamed_values_are_the_same_at_any_address(dtype, offset, scheme):
    values = columns()[scheme].astype(dtype)
    memory = aligned(N + 2, values.dtype)
    memory[:] = 9
    out = memory[offset : offset + N]
    assert decode_table(encode_integers(values).table, out, streams=True) is out
    np.testing.assert_array_equal(out, values)
    assert set(np.concatenate([memory[:offset], memory[offset + N :]]).tolist()) == {9}


@pytest.mark.parametrize("scheme", [FRAME, DELTA, RUNS, DICTIONARY])
def test_every_scheme_occurs(scheme):
    assert scheme in encode_integers(columns()[scheme]).schemes


def test_what_leaves_the_caches_is_streamed_without_being_told(monkeypatch):
    table, streamed = encode_integers(np.arange(2048)).table, []
    monkeypatch.setattr(integers, "decode_kinds", lambda *_, streams: streamed.append(streams))
    decode_table(table)
    decode_table(table, streams=True)
    monkeypatch.setattr(integers, "STREAM_BYTES", 2048 * 8)
    decode_table(table)
    assert streamed == [False, True, True]


def mixed_floats(dtype):
    """Vectors of all four schemes, with exceptions, and a part of one."""
    random = np.random.default_rng(1)
    decimals = np.where(random.random(2048) < 0.01, np.nan, np.round(random.normal(50, 20, 2048), 2))
    noise = random.standard_normal(3000) * np.where(random.random(3000) < 0.02, 1e-4, 1)
    raw = np.frombuffer(random.bytes(1024 * 8), "u8").view(np.float64)
    return np.concatenate([np.full(1024, 7.5), decimals, raw, noise]).astype(dtype)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_streamed_floats_are_the_same_at_any_address(dtype, offset):
    values = mixed_floats(dtype)
    bits = np.dtype(f"u{values.itemsize}")
    memory = aligned(values.size + 2, values.dtype)
    memory[:] = 9
    out = memory[offset : offset + values.size]
    assert decode_floats(encode_floats(values), out, streams=True) is out
    np.testing.assert_array_equal(out.view(bits), values.view(bits))
    assert set(np.concatenate([memory[:offset], memory[offset + values.size :]]).tolist()) == {9}


def test_a_damaged_vector_is_found_when_it_is_streamed():
    encoded = encode_floats(mixed_floats("float64"))
    headers = encoded.headers.copy()
    headers[2] |= 127 << 2
    out = aligned(encoded.n, encoded.dtype)
    with pytest.raises(ValueError, match="damaged"):
        decode_floats(replace(encoded, headers=headers), out, streams=True)


def test_floats_that_leave_the_caches_are_streamed_without_being_told(monkeypatch):
    encoded, streamed = encode_floats(np.arange(2048) / 8), []
    monkeypatch.setattr(floats, "decode_numbered", lambda *_, streams: streamed.append(streams))
    decode_floats(encoded)
    decode_floats(encoded, streams=True)
    monkeypatch.setattr(floats, "STREAM_BYTES", 2048 * 8)
    decode_floats(encoded)
    assert streamed == [False, True, True]
