"""Rows picked out of flat arrays, such as the values of memory-mapped vector blocks."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel

# values are copied as bits, so that floats share the machine code of integers and NaN payloads survive
_BITS_OF_KIND: Final = {
    np.dtype(name): np.dtype(bits)
    for name, bits in {
        "uint16": np.uint16,
        "uint32": np.uint32,
        "uint64": np.uint64,
        "float32": np.uint32,
        "float64": np.uint64,
    }.items()
}


@kernel
def copy_runs(flat: Any, starts: Any, out: Any) -> None:
    """Copy the run of `flat` that begins at starts[i] to row i of `out`; all trusted."""
    for i in range(out.shape[0]):
        # slices, because an index that numba must compute could be negative, and its test stops vectorisation
        run = flat[starts[i] : starts[i] + out.shape[1]]
        row = out[i]
        for j in range(row.size):
            row[j] = run[j]


def gather_rows(flat: NDArray[Any], starts: NDArray[np.int64], dim: int) -> NDArray[Any]:
    """Copy runs of `dim` elements of a flat array into the rows of a new matrix.

    Parameters
    ----------
    flat : (n,) uint16, uint32, uint64, float32 or float64
    starts : (m,) int64
        First element of each run, in any order, repeated or not.
    dim : int
        Elements of a run.

    Returns
    -------
    (m, dim) of the dtype of `flat`
        Bit by bit what stood there.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or a run that leaves the array
    """
    if getattr(flat, "dtype", None) not in _BITS_OF_KIND:
        raise ValueError(f"flat must be unsigned or float; got={getattr(flat, 'dtype', type(flat))}")
    bits = _BITS_OF_KIND[flat.dtype]
    starts = readonly("starts", starts, np.int64, None)
    source = readonly("flat", flat, flat.dtype, None).view(bits)
    if dim < 0 or (len(starts) and not (starts.min() >= 0 and starts.max() <= len(source) - dim)):
        raise ValueError(f"a run leaves the array; length={len(source)} dim={dim}")
    out = np.empty((len(starts), dim), bits)
    copy_runs(source, starts, out)
    return out.view(flat.dtype)
