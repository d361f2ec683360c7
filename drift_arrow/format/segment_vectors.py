"""Full-precision vectors of a segment, gathered straight from the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.format.layout import HEADER_BYTES, BlockType
from drift_arrow.format.segment_file import SegmentFile
from drift_arrow.kernels.gather import gather_rows

_WORDS: Final[dict[int, np.dtype[Any]]] = {2: np.dtype("<u2"), 4: np.dtype("<f4"), 8: np.dtype("<f8")}


class SegmentVectors:
    """The cold blocks of one segment; those that hold wanted rows are verified at first use.

    Parameters
    ----------
    file : SegmentFile
    """

    def __init__(self, file: SegmentFile) -> None:
        self._file = file
        kind = file.meta.vector_type
        self._dim = int(kind.list_size)
        self._dtype = np.dtype(kind.value_type.to_pandas_dtype())
        self._blocks = file.index.blocks(BlockType.VECTORS)
        # Blocks and their bytes start on multiples of 64, so the file is one array of words of any width. float16 moves
        # as integers: compiled code has no such type.
        words = _WORDS[self._dtype.itemsize]
        self._flat = np.frombuffer(file.data, dtype=words, count=len(file.data) // words.itemsize)

    def gather(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """(m, dim) matrix of the stored type."""
        index = self._file.index
        owners = index.owners(self._blocks, rows)
        self._file.ensure_verified(owners)
        starts = (index.offsets[owners] + HEADER_BYTES) // self._flat.itemsize
        starts += (rows - index.first_rows[owners]) * self._dim
        return gather_rows(self._flat, starts, self._dim).view(self._dtype)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Rows `start` up to `stop`, (stop - start, dim); a view into the file if one block holds them all."""
        if start == stop:
            return np.empty((0, self._dim), dtype=self._dtype)
        first, last = self._file.index.owners(self._blocks, np.array([start, stop - 1])).tolist()
        parts = [self._matrix(number) for number in range(first, last + 1)]
        base = int(self._file.index.first_rows[first])
        joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return joined[start - base : stop - base]

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """First row and (n, dim) view of every block."""
        for number in range(self._blocks.start, self._blocks.stop):
            yield int(self._file.index.first_rows[number]), self._matrix(number)

    def _matrix(self, number: int) -> NDArray[Any]:
        return np.frombuffer(self._file.block(number), dtype=self._dtype).reshape(-1, self._dim)
