"""Rows that change their bucket, before anything is built or written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Change:
    """Where rows are, and to which buckets of a new segment they go.

    Parameters
    ----------
    bucket : (n,) int64
        Of each row now, numbered as in the table of all segments.
    row : (n,) int64
        Number of each row in its segment.
    centroids : (m, dim) float32
        Of the new buckets.
    owner : (n,) int64
        New bucket of each row.
    """

    bucket: NDArray[np.int64]
    row: NDArray[np.int64]
    centroids: NDArray[np.float32]
    owner: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)

    def new_live(self) -> NDArray[np.int64]:
        """(m,) rows of each new bucket."""
        return np.bincount(self.owner, minlength=len(self.centroids)).astype(np.int64)

    def left_live(self, live: NDArray[np.int64]) -> NDArray[np.int64]:
        """(B,) live rows that the old buckets keep of those they have."""
        return live - np.bincount(self.bucket, minlength=len(live))


def joined(changes: Sequence[Change]) -> Change:
    """All of several changes of different rows, at least one."""
    firsts = np.cumsum([0, *(len(change.centroids) for change in changes)])
    return Change(
        bucket=np.concatenate([change.bucket for change in changes]),
        row=np.concatenate([change.row for change in changes]),
        centroids=np.concatenate([change.centroids for change in changes]),
        owner=np.concatenate([change.owner + first for change, first in zip(changes, firsts, strict=False)]),
    )
