"""Where the scans of one search put their candidates: heaps, and what keeps rows out of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drift_arrow.kernels.grouped_heap import Groups
from drift_arrow.kernels.topk import Heaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.grouping import RowGroups
    from drift_arrow.engine.restriction import Restriction


@dataclass(frozen=True, slots=True, eq=False)
class Sieve:
    """Candidates of nq queries.

    Parameters
    ----------
    heaps : Heaps
    floors : (nq,) float32 or None
        Rows at a smaller distance do not enter.
    groups : Groups or None
        How many rows of a group may.
    """

    heaps: Heaps
    floors: NDArray[np.float32] | None = None
    groups: Groups | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SieveMaker:
    """Makes the sieves of a search.

    Parameters
    ----------
    restriction : Restriction
    row_groups : RowGroups or None
        Of all rows, where the restriction is by groups.
    refine : int
        How many times the rows that are returned may be candidates.
    """

    restriction: Restriction
    row_groups: RowGroups | None
    refine: int

    @property
    def is_plain(self) -> bool:
        """Whether nothing keeps an allowed row out."""
        return self.row_groups is None and not self.restriction.is_range

    @property
    def slack(self) -> int:
        """How many times the rows of a group that are returned may be candidates.

        Candidates are more than the rows returned because their distances are approximate. Half of what that allows,
        in factors, goes to more rows of a group, and half to more groups.
        """
        return 1 if self.row_groups is None else math.ceil(math.sqrt(self.refine))

    @property
    def most(self) -> int | None:
        """Most rows that can be returned, None if that depends on the rows only."""
        if self.row_groups is None:
            return None
        return self.row_groups.n_groups * self.restriction.group_limit

    def make(self, n_queries: int, n_candidates: int, margins: NDArray[np.float32] | None = None) -> Sieve:
        """A sieve with room for `n_candidates` candidates per query.

        Parameters
        ----------
        margins : (nq,) float32, optional
            By how much the distances of a scan may be off.
        """
        off = np.zeros(n_queries, np.float32) if margins is None else margins
        floors, groups = None, None
        if self.restriction.low > -math.inf:
            floors = np.float32(self.restriction.low) - off
        heaps = Heaps.empty(n_queries, n_candidates, (np.float32(self.restriction.high) + off)[:, np.newaxis])
        if self.row_groups is not None:
            limit = self.restriction.group_limit * self.slack
            groups = Groups.empty(n_queries, n_candidates, self.row_groups.of_row, self.row_groups.n_groups, limit)
        return Sieve(heaps, floors, groups)
