"""Decoders that lose their vector instructions stay correct and become twenty times slower: only the code shows it."""

from __future__ import annotations

import re

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest

from drift_arrow.kernels import bit_lengths, delta, dictionary, ffor
from drift_arrow.kernels._jit import INTERPRETED
from drift_arrow.kernels.encoded_integers import DELTA, DICTIONARY, FRAME
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


def arguments_of(scheme, **content):
    encoded = one_vector("uint64", scheme, random_codes(7), width=7, **content)
    return encoded.index, np.zeros(1024, np.uint64)


def test_frames_are_decoded_in_wide_registers():
    index, out = arguments_of(FRAME)
    lane = np.uint8(0)
    # each of the 128 stores of a vector, at least
    assert vector_instructions(ffor.decode_frames, 0, 0, *index.vectors, *index.exceptions, lane, out) >= 128


def test_deltas_are_decoded_in_wide_registers():
    index, out = arguments_of(DELTA, exceptions=[(0, 1)])
    lane = np.uint8(0)
    # four additions for each of the 32 blocks, at least
    assert vector_instructions(delta.decode_deltas, 4, 0, *index.vectors, *index.exceptions, lane, out) >= 128


def test_codes_are_unpacked_in_wide_registers():
    index, out = arguments_of(DICTIONARY, dictionary=[1])
    scratch, lane = np.zeros(1024, np.uint16), np.uint8(0)
    assert (
        vector_instructions(dictionary.decode_codes, 12, 0, *index.vectors, index.dictionary, scratch, lane, out) >= 64
    )


def test_widths_are_chosen_in_wide_registers():
    lengths = np.zeros(1024, np.uint8)
    # a comparison and a selection for each of the 16 blocks, at least
    assert vector_instructions(bit_lengths.patched_width, lengths, 9, 80, 1024) >= 32
