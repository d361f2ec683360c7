"""One search: candidates, exact rescore, one ranking over memtables and segments, payload of the winners only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from drift_arrow.engine.ranking import rank_rows
from drift_arrow.engine.restriction import NO_RESTRICTION, Restriction
from drift_arrow.engine.run import Run
from drift_arrow.engine.spec import DISTANCE_COLUMN, QUERY_COLUMN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.candidates import Goal
    from drift_arrow.engine.predicate import Predicate
    from drift_arrow.engine.ranking import Ranked
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.spec import CollectionSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A checked search.

    Parameters
    ----------
    queries : (nq, dim) float32
        Finite.
    is_batch : bool
        The caller gave a matrix, so the result says which query a row answers.
    predicate : Predicate or None
        Restricts the rows before the ranking.
    columns : tuple of str
        Of the result, without `_distance`.
    goal : Goal
        Rows per query, those of the offset included, and how thoroughly they are sought.
    offset : int
        Rows at the start of each ranking that are not returned.
    restriction : Restriction
        Which rows of the ranking may be.
    """

    queries: NDArray[np.float32]
    is_batch: bool
    predicate: Predicate | None
    columns: tuple[str, ...]
    goal: Goal
    offset: int = 0
    restriction: Restriction = NO_RESTRICTION


def execute(snapshot: Snapshot, spec: CollectionSpec, request: Request) -> pa.Table:
    """Answer `request` on one snapshot.

    Returns
    -------
    pyarrow.Table
        For each query its k nearest allowed rows (fewer only if fewer are allowed) less those of the offset, nearest
        first, ties by key: `query_index` if it is a batch, the columns, `_distance`.
    """
    run = Run.of(snapshot, spec, request)
    snapshot.observations.queries.offer(request.queries)
    return fetch(run, rank_rows(run))


def fetch(run: Run, parts: list[Ranked]) -> pa.Table:
    """The columns of ranked rows, with what is known of their recall, as `execute` returns them."""
    queries, ids, distances = (
        np.concatenate([getattr(part.hits, name) for part in parts]) for name in ("queries", "ids", "distances")
    )
    table = run.space.take(ids, list(run.request.columns))
    fields, columns = list(table.schema), list(table.columns)
    if run.request.is_batch:
        fields.insert(0, pa.field(QUERY_COLUMN, pa.uint32(), nullable=False))
        columns.insert(0, pa.array(queries.astype(np.uint32)))
    fields.append(pa.field(DISTANCE_COLUMN, pa.float32(), nullable=False))
    columns.append(pa.array(distances))
    metadata = (table.schema.metadata or {}) | _recall_metadata(run)
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=metadata))


def _recall_metadata(run: Run) -> dict[bytes, bytes]:
    goal = run.goal
    if goal.n_probe is not None and not goal.is_exact:
        return {}
    return run.space.snapshot.observations.recall_metadata(1.0 if goal.is_exact else goal.target_recall)
