"""Tables of a whole segment, gathered extent by extent: buckets, norms, keys."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.format.layout import MAX_BLOCK_BYTES, BlockType
from drift_arrow.format.segment_extent import SegmentExtent
from drift_arrow.format.segment_sink import SegmentSink
from drift_arrow.kernels.bloom import build_bloom
from drift_arrow.kernels.keys import sort_fingerprints

_FINGERPRINT_BYTES: Final = 16


class SegmentTables:
    """What must be known to scan a segment; 20 bytes per row, and the tables of the buckets.

    It takes 16 more bytes per row while the keys are sorted.
    """

    def __init__(self) -> None:
        self.n_rows = 0
        self.n_buckets = 0
        self._sizes: list[NDArray[np.int64]] = []
        self._centroids: list[NDArray[np.float32]] = []
        self._lo: list[NDArray[np.float32]] = []
        self._step: list[NDArray[np.float32]] = []
        self._norms: list[NDArray[np.float32]] = []
        self._fingerprints: list[NDArray[np.uint64]] = []

    def append(self, extent: SegmentExtent) -> None:
        """Copy what an extent adds to the tables."""
        self.n_rows += len(extent.vectors)
        self.n_buckets += len(extent.centroids)
        self._sizes.append(np.diff(extent.offsets))
        # copies: views would keep all rows of the caller alive
        self._centroids.append(extent.centroids.copy())
        self._lo.append(extent.lo.copy())
        self._step.append(extent.step.copy())
        self._norms.append(extent.norms.copy())
        self._fingerprints.append(extent.fingerprints.copy())

    def write(self, sink: SegmentSink) -> None:
        """Append the blocks of all tables, from the offsets of the buckets to the filter of the keys."""
        offsets = np.concatenate([np.zeros(1, np.int64), *self._sizes]).cumsum()
        sink.write_array(BlockType.BUCKET_OFFSETS, offsets)
        sink.write_array(BlockType.CENTROIDS, _join(self._centroids))
        sink.write_array(BlockType.CODE_LO, _join(self._lo))
        sink.write_array(BlockType.CODE_STEP, _join(self._step))
        sink.write_array(BlockType.NORMS, _join(self._norms))
        fingerprints = _join(self._fingerprints)
        key_order = sort_fingerprints(fingerprints)
        # block by block: the sorted keys are not held all at once beside the others
        n_rows = MAX_BLOCK_BYTES // _FINGERPRINT_BYTES
        for start in range(0, len(key_order), n_rows):
            sink.write_array(BlockType.FINGERPRINTS, fingerprints[key_order[start : start + n_rows]], first_row=start)
        sink.write_array(BlockType.KEY_ORDER, key_order)
        sink.write_array(BlockType.BLOOM, build_bloom(fingerprints))


def _join(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """One array of all parts, of which none is held any longer."""
    joined = np.concatenate(parts)
    parts.clear()
    return joined
