"""Decoders that lose their vector instructions stay correct and become twenty times slower: only the code shows it."""

from __future__ import annotations

import re

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest

from drift_arrow.kernels import bit_lengths, delta, dictionary, ffor, streaming
from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels._jit import INTERPRETED
from drift_arrow.kernels.integer_schemes import DELTA, DICTIONARY, FRAME, LANES, N_LANES
from drift_arrow.kernels.streaming import SCRATCH_BYTES
from tests.kernels.encoded import one_vector, random_codes

CPU = llvm.get_host_cpu_features()
pytestmark = pytest.mark.skipif(INTERPRETED or not CPU.get("avx2"), reason="needs compiled code and wide registers")


def vector_instructions(function, *arguments):
    # a kernel that comes from the cache does not show its code
    compiled = numba.njit(function.py_func)
    compiled(*arguments)
    (code,) = compiled.inspect_asm().values()
    register = "zmm" if CPU.get("avx512bw") else "ymm"
    return len(re.findall(rf"\tv\w+\t[^\n]*%{register}", code))


def decoder_instructions(decode, scheme, width, **content):
    encoded = one_vector("uint64", scheme, random_codes(width), width=width, **content)
    (kind,) = encoded.table.present
    scratch, lane, out = np.empty(SCRATCH_BYTES, np.uint8), LANES[kind % N_LANES], np.zeros(1024, np.uint64)
    return vector_instructions(decode, kind, 0, encoded.table.numbers, lane, False, scratch, out)


def test_frames_are_decoded_in_wide_registers():
    # each of the 128 stores of a vector, at least
    assert decoder_instructions(ffor.decode_frames, FRAME, 7) >= 128


@pytest.mark.parametrize(("width", "registers"), [(7, 32), (11, 32), (20, 64)])
def test_deltas_are_decoded_in_wide_registers(width, registers):
    # four additions for each register of sums, at least
    assert decoder_instructions(delta.decode_deltas, DELTA, width, exceptions=[(0, 1)]) >= 4 * registers


def test_codes_are_unpacked_in_wide_registers():
    assert decoder_instructions(dictionary.decode_codes, DICTIONARY, 7, dictionary=[1]) >= 64


def test_widths_are_chosen_in_wide_registers():
    lengths = np.zeros(1024, np.uint8)
    # a comparison and a selection for each of the 16 blocks, at least
    assert vector_instructions(bit_lengths.patched_width, lengths, 9, 80, 1024) >= 32


def test_streamed_vectors_go_past_the_caches():
    @numba.njit
    def stream(source, target, like):
        streaming.stream_vector(np.uint64(source.ctypes.data), np.uint64(target.ctypes.data), like)

    source, target = aligned(1024, np.dtype(np.uint32)), aligned(1024, np.dtype(np.uint32))
    stream(source, target, source[0])
    (code,) = stream.inspect_asm().values()
    assert "vmovnt" in code
