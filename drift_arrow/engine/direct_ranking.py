"""Ranking by one compiled call: for few queries, none of whose rows are in memtables or restricted otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drift_arrow.engine.candidates import probing_stop
from drift_arrow.engine.vector_table import vector_table
from drift_arrow.kernels.nearest import find_nearest
from drift_arrow.kernels.probing import count_allowed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from drift_arrow.engine.candidates import Goal
    from drift_arrow.engine.row_space import RowSpace
    from drift_arrow.engine.run import Run
    from drift_arrow.engine.sieve import SieveMaker
    from drift_arrow.kernels.bucket_table import BucketTable
    from drift_arrow.kernels.exact_rank import ExactRanks
    from drift_arrow.kernels.probe import StopRule

FEW_QUERIES: Final = 8
"""Up to so many queries, candidates are read one by one; those of more lie so close together that they share reads."""


_MOST_PLANS: Final = 64
"""Kept for one set of rows."""


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What searches with one goal have in common; `counts` are the allowed rows of each bucket, None for all."""

    table: BucketTable
    counts: NDArray[np.int64] | None
    rule: StopRule


class _Plans(dict["Goal", _Plan | None]):
    """What the rows of a search remember, by goal; None where more than one call is needed."""


def rank_directly(run: Run) -> tuple[NDArray[np.int64], ExactRanks | None] | None:
    """Candidates of all queries, (nq, n_candidates) int64, and their order; None if it takes more than the one call.

    Notes
    -----
    The order is None if a block of vectors is not open yet, or damaged.
    """
    space, goal, queries = run.space, run.goal, run.request.queries
    if len(queries) > FEW_QUERIES or not run.maker.is_plain:
        return None
    plans = space.memo.get(_Plans)
    if plans is None:
        plans = space.memo[_Plans] = _Plans()
    assert isinstance(plans, _Plans)
    try:
        plan = plans[goal]
    except KeyError:
        if len(plans) >= _MOST_PLANS:
            plans.clear()
        plan = plans[goal] = _plan(space, goal, run.maker)
    rows = None if plan is None else vector_table(space.snapshot, space.bases)
    if plan is None or rows is None:
        return None
    return find_nearest(
        queries,
        plan.table,
        plan.counts,
        space.segment_bits,
        run.spec.metric,
        plan.rule,
        goal.n_candidates,
        rows,
        goal.k,
    )


def _plan(space: RowSpace, goal: Goal, maker: SieveMaker) -> _Plan | None:
    table, bits = space.snapshot.segment_set.table, space.segment_bits
    if table is None or any(space.n_allowed[space.n_segments :]) or not any(space.n_allowed):
        return None
    stop = probing_stop(space, goal, maker)
    if stop is None:
        return None
    counts = None if bits is None else count_allowed(table.buckets.first_row, table.buckets.rows, bits)
    return _Plan(table, counts, stop.rule)
