from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels import integers
from drift_arrow.kernels._aligned import aligned
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
