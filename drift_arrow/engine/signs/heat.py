"""How often searches read each bucket, recent ones counted more."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from drift_arrow.engine.segment_set import SegmentSet

HEAT_HALF_LIFE_S: Final = 3600.0
"""Seconds after which a query counts half."""


@dataclass(slots=True)
class _Segment:
    """Decayed counts of the buckets of a segment, and the counts of scans that they include."""

    heat: NDArray[np.float64]
    touches: NDArray[np.uint32]


class Heat:
    """Decayed counts of the queries that scanned each bucket.

    Parameters
    ----------
    known : mapping of str to (buckets,) float32
        Heat by UUID of segment, as it was
    since_s : float
        at this time, in seconds of the clock.
    clock : callable
        Wall clock in seconds: heat outlives the process.

    Notes
    -----
    Searches only count, in `SegmentSet.touches`; what they have added is collected, and decayed, whenever heat is asked
    for. Queries count in full at that moment. A clock that goes back stops the decay, and no more.
    """

    def __init__(
        self,
        known: Mapping[str, NDArray[np.float32]] | None = None,
        since_s: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._time_s = since_s if known else clock()
        self._lock = threading.Lock()
        self._segments = {
            uuid: _Segment(heat.astype(np.float64), np.zeros(len(heat), np.uint32))
            for uuid, heat in (known or {}).items()
        }

    def of(self, segments: SegmentSet) -> NDArray[np.float64]:
        """(B,) float64 from 0: queries that scanned each bucket, halved every `HEAT_HALF_LIFE_S`.

        Segments that are not among `segments` are forgotten.
        """
        with self._lock:
            factor = self._decay()
            ends = np.cumsum([reader.n_buckets for reader in segments.readers])
            parts = np.split(segments.touches, ends[:-1]) if len(ends) else []
            self._segments = {
                reader.uuid: self._collected(reader.uuid, part, factor)
                for reader, part in zip(segments.readers, parts, strict=True)
            }
            return np.concatenate([np.empty(0), *(known.heat for known in self._segments.values())])

    def by_segment(self, segments: SegmentSet) -> dict[str, NDArray[np.float32]]:
        """The same by UUID of segment, rounded, for a file."""
        heat = self.of(segments).astype(np.float32)
        ends = np.cumsum([reader.n_buckets for reader in segments.readers])
        parts = np.split(heat, ends[:-1]) if len(ends) else []
        return {reader.uuid: part for reader, part in zip(segments.readers, parts, strict=True)}

    def _decay(self) -> float:
        now_s = self._clock()
        elapsed_s = max(0.0, now_s - self._time_s)
        self._time_s = now_s
        return float(0.5 ** (elapsed_s / HEAT_HALF_LIFE_S))

    def _collected(self, uuid: str, touches: NDArray[np.uint32], factor: float) -> _Segment:
        # searches go on counting
        now = touches.copy()
        known = self._segments.get(uuid)
        if known is None or len(known.heat) != len(now):
            return _Segment(now.astype(np.float64), now)
        # a smaller count was begun anew, with the segment opened again
        added = np.where(now >= known.touches, now - known.touches, now)
        return _Segment(known.heat * factor + added, now)
