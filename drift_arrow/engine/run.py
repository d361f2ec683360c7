"""One search on one snapshot, made ready: allowed rows, groups, and how many candidates it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from drift_arrow.engine.grouping import group_rows
from drift_arrow.engine.row_space import RowSpace
from drift_arrow.engine.sieve import SieveMaker

if TYPE_CHECKING:
    from drift_arrow.engine.candidates import Goal
    from drift_arrow.engine.execute import Request
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.spec import CollectionSpec


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What all queries of a search share.

    Parameters
    ----------
    space : RowSpace
    spec : CollectionSpec
    request : Request
    goal : Goal
        That of the request, less what no group can give.
    maker : SieveMaker
    """

    space: RowSpace
    spec: CollectionSpec
    request: Request
    goal: Goal
    maker: SieveMaker

    @classmethod
    def of(cls, snapshot: Snapshot, spec: CollectionSpec, request: Request) -> Run:
        """Evaluate the condition of a request, and number its groups."""
        space = RowSpace(snapshot, request.predicate)
        goal, column = request.goal, request.restriction.group_by
        groups = None if column is None else group_rows(space, column)
        maker = SieveMaker(request.restriction, groups, goal.n_candidates // goal.k)
        if maker.most is not None:
            k = min(goal.k, maker.most)
            goal = replace(goal, k=k, n_candidates=min(goal.n_candidates, maker.most * maker.slack))
        return cls(space, spec, request, goal, maker)
