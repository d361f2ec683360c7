"""Bytes of an open file, for a kernel that needs a few of them from anywhere.

A page of a map stays in the memory of the process, with fifteen neighbours that the system maps beside it; what is read
here passes through a buffer.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numba import types

from drift_arrow.kernels._jit import INTERPRETED
from drift_arrow.kernels._plain import memory


def _plain_read_at(descriptor: Any, target: Any, size: Any, offset: Any) -> np.int64:
    try:
        data = os.pread(int(descriptor), int(size), int(offset))
    except OSError:
        return np.int64(-1)
    memory(target, np.uint8, len(data))[:] = np.frombuffer(data, np.uint8)
    return np.int64(len(data))


read_at: Any = (
    _plain_read_at
    if INTERPRETED
    else types.ExternalFunction("pread", types.int64(types.int32, types.int64, types.int64, types.int64))
)
"""pread(2): descriptor, address of the buffer, bytes, offset in the file; the bytes that were read, or -1."""
