"""What a scan of a segment needs: its tables as arrays, and where the codes are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.errors import CorruptionError
from drift_arrow.format.layout import BlockType
from drift_arrow.format.segment_file import SegmentFile
from drift_arrow.format.zone_table import ZONE_DTYPE, ZoneTable


class HotTables:
    """Verified tables of one segment; views into the file if it is mapped and they are in one block each.

    Parameters
    ----------
    file : SegmentFile

    Attributes
    ----------
    offsets, centroids, lo, step, norms, sorted_fingerprints, key_order, code_address
        As in `SegmentReader`.
    bloom : (b, 8) uint32
    zones : ZoneTable

    Raises
    ------
    CorruptionError
        A block is damaged, or says what no writer writes.
    """

    def __init__(self, file: SegmentFile) -> None:
        self._file = file
        dim = int(file.meta.vector_type.list_size)
        self.offsets = self._array(BlockType.BUCKET_OFFSETS, "<i8")
        self.centroids = self._array(BlockType.CENTROIDS, "<f4", dim)
        self.lo = self._array(BlockType.CODE_LO, "<f4", dim)
        self.step = self._array(BlockType.CODE_STEP, "<f4", dim)
        self.norms = self._array(BlockType.NORMS, "<f4")
        self.sorted_fingerprints = self._array(BlockType.FINGERPRINTS, "<u8", 2)
        self.key_order = self._array(BlockType.KEY_ORDER, "<u4")
        self.bloom = self._array(BlockType.BLOOM, "<u4", 8)
        self._check_order()
        self.zones = self._read_zones()
        # keeps alive what the addresses point to
        self._codes = self._array_parts(BlockType.CODES, "u1")
        self.code_address = self._locate_codes(dim)

    def _array_parts(self, block_type: BlockType, dtype: Any) -> list[NDArray[Any]]:
        stored = self._file.blocks.read(self._file.index.numbers(block_type))
        return [np.frombuffer(part, dtype=dtype) for part in stored.values()]

    def _array(self, block_type: BlockType, dtype: Any, width: int | None = None) -> NDArray[Any]:
        parts = self._array_parts(block_type, dtype)
        flat = parts[0] if len(parts) == 1 else np.concatenate(parts)
        flat.flags.writeable = False
        return flat if width is None else flat.reshape(-1, width)

    def _check_order(self) -> None:
        """Compiled code trusts these numbers as addresses and rows: they must be right even if the writer was not."""
        n_rows, sizes = self._file.meta.n_rows, np.diff(self.offsets)
        if self.offsets[0] != 0 or self.offsets[-1] != n_rows or (sizes < 0).any():
            raise self._error(BlockType.BUCKET_OFFSETS, "bucket offsets do not ascend")
        if (self.key_order >= n_rows).any():
            raise self._error(BlockType.KEY_ORDER, "key order names rows that are not there")

    def _read_zones(self) -> ZoneTable:
        index = self._file.index
        n_values = index.entries["n_values"][index.entries["type"] == BlockType.COLUMN].astype(np.int64)
        offset = self._file.blocks.start(index.numbers(BlockType.ZONES)[0])
        return ZoneTable(self._array(BlockType.ZONES, ZONE_DTYPE), n_values, path=self._file.path, offset=offset)

    def _locate_codes(self, dim: int) -> NDArray[np.uint64]:
        index = self._file.index
        blocks = index.blocks(BlockType.CODES)
        firsts, lasts = self.offsets[:-1], np.maximum(self.offsets[1:] - 1, self.offsets[:-1])
        owners = index.owners(blocks, firsts)
        if (index.owners(blocks, lasts) != owners).any():
            raise self._error(BlockType.CODES, "a bucket crosses blocks")
        bases = np.array([part.ctypes.data for part in self._codes], dtype=np.int64)[owners - blocks.start]
        addresses: NDArray[np.uint64] = (bases + (firsts - index.first_rows[owners]) * dim).astype(np.uint64)
        return addresses

    def _error(self, block_type: BlockType, problem: str) -> CorruptionError:
        offset = self._file.blocks.start(self._file.index.numbers(block_type)[0])
        return CorruptionError(problem, path=self._file.path, offset=offset)
