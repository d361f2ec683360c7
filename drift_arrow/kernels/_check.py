"""Checks of the public wrappers. A failure is a programming error of the floor above."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def readonly(name: str, array: Any, dtype: DTypeLike, *shape: int | None) -> NDArray[Any]:
    """Check an input of a kernel and give a read-only view of it.

    A kernel is compiled once per type of its arguments, and numba counts writability as part of the type: read-only
    views of everything keep it at one compilation, one machine code, one rounding.

    Parameters
    ----------
    name : str
        For the message.
    array : ndarray
        Writable or not, for example a view of a memory map.
    dtype : dtype
        Exact type that is wanted.
    *shape : int or None
        Wanted length of each axis, None for any.

    Raises
    ------
    ValueError    other type, other shape, or not C-contiguous and aligned
    """
    _check(name, array, np.dtype(dtype), shape)
    if type(array) is np.ndarray and not array.flags.writeable:
        return array
    view: NDArray[Any] = array.view(np.ndarray)
    view.flags.writeable = False
    return view


def check_writable(name: str, array: Any, dtype: DTypeLike, *shape: int | None) -> None:
    """Check an array that kernels write to, as `readonly` does; ValueError also where it is read-only."""
    _check(name, array, np.dtype(dtype), shape)
    if not array.flags.writeable:
        raise ValueError(f"{name} must be writable")


def _fits(have: tuple[int, ...], want: tuple[int | None, ...]) -> bool:
    # a loop, which takes a third of the time of a generator: encoders of small blocks come here often
    if len(have) != len(want):
        return False
    for size, limit in zip(have, want, strict=True):  # noqa: SIM110
        if limit is not None and size != limit:
            return False
    return True


def _check(name: str, array: Any, dtype: np.dtype[Any], shape: tuple[int | None, ...]) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != dtype:
        raise ValueError(f"{name} must be an array of {dtype}; got={getattr(array, 'dtype', type(array))}")
    if not _fits(array.shape, shape):
        raise ValueError(f"{name} has the wrong shape; got={array.shape} want={shape}")
    flags = array.flags
    if not (flags.c_contiguous and flags.aligned):
        raise ValueError(f"{name} must be C-contiguous and aligned: pass numpy.require(array, requirements='CA')")
