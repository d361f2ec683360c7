"""A column of numbers to encode."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Group(StrEnum):
    """Kinds of input; bars are about groups."""

    SAMPLE = "samples of 1024"
    ROW_GROUP = "float64 row-groups, 64k rows, hot"
    LARGE_ROW_GROUP = "float64 row-groups, 17 MB"
    TABLE = "columns.npz, 64k rows, hot"
    KV_CACHE = "kv-cache, float32"
    EMBEDDING = "embeddings, float32"
    INTEGER = "int64, 64k rows, hot"
    LARGE_INTEGER = "int64, 17 MB"


@dataclass(frozen=True, slots=True)
class Column:
    """Numbers without nulls.

    Parameters
    ----------
    group : Group
    name : str
        Unique within its group.
    values : (n,) integers or floats
    """

    group: Group
    name: str
    values: NDArray[Any]

    @property
    def arrow(self) -> pa.Array:
        """The same memory as an Arrow array."""
        return pa.array(self.values)

    @property
    def is_large(self) -> bool:
        """Whether it is meant to leave the caches."""
        return self.group in {Group.LARGE_ROW_GROUP, Group.LARGE_INTEGER}


def same_bits(column: Column, decoded: pa.Array | pa.ChunkedArray) -> bool:
    """Whether an Arrow column has the bits of a column, NaN payloads and signs of zero included."""
    chunks = decoded.chunks if isinstance(decoded, pa.ChunkedArray) else [decoded]
    if len(decoded) != len(column.values) or decoded.null_count:
        return False
    kind = np.dtype(f"u{column.values.itemsize}")
    start = 0
    for chunk in chunks:
        found = chunk.to_numpy(zero_copy_only=True).view(kind)
        if not np.array_equal(found, column.values[start : start + len(found)].view(kind)):
            return False
        start += len(found)
    return True
