"""Runs of rows of one segment that lie in one block of every column a condition looks at, and what bounds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from drift_arrow.format.segment_reader import SegmentReader
    from drift_arrow.format.zone import Zone


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """n runs that follow each other from row 0 on.

    Parameters
    ----------
    bounds : (n + 1,) int64
        Run i is rows ``bounds[i]`` up to ``bounds[i + 1]``.
    zones : mapping of str to n Zone
        For each column that has zone maps, those of the block around each run.
    """

    bounds: NDArray[np.int64]
    zones: Mapping[str, list[Zone]]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @classmethod
    def of(cls, reader: SegmentReader, columns: list[str]) -> Runs:
        """Cut a segment wherever a block of one of `columns` ends; vectors, which have no zones, are not looked at."""
        starts = {name: reader.block_starts(name) for name in columns if name != reader.vector}
        firsts = np.unique(np.concatenate([np.zeros(1, dtype=np.int64), *starts.values()]))
        zones = {}
        for name, some in starts.items():
            zones_of_column = reader.zones(name)
            owners = np.searchsorted(some, firsts, side="right") - 1
            zones[name] = [zones_of_column[owner] for owner in owners.tolist()]
        return cls(np.append(firsts, reader.n_rows), zones)


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """What is known about n runs.

    Parameters
    ----------
    possible : (n,) bool
        False is sure: no row of the run satisfies the condition.
    certain : (n,) bool
        True is sure: every row does.
    """

    possible: NDArray[np.bool_]
    certain: NDArray[np.bool_]

    @classmethod
    def unknown(cls, n_runs: int) -> Verdicts:
        """Nothing is known."""
        return cls(np.ones(n_runs, dtype=np.bool_), np.zeros(n_runs, dtype=np.bool_))
