"""One search: candidates, exact rescore, one ranking over memtables and segments, payload of the winners only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from drift_arrow.engine.ranking import Hits, rank_rows
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


_DISTANCE_TYPE: Final = pa.float32()
_QUERY_TYPE: Final = pa.uint32()
_NO_ROWS: Final = np.empty(0, np.int64)


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
    hits = parts[0].hits if len(parts) == 1 else Hits.joined([part.hits for part in parts])
    request = run.request
    columns = [*run.space.columns(hits.ids, request.columns), _column(hits.distances, _DISTANCE_TYPE)]
    if request.is_batch:
        columns.insert(0, _column(hits.queries.astype(np.uint32), _QUERY_TYPE))
    schema, recall = _schema(run), _recall_metadata(run)
    if recall:
        schema = schema.with_metadata((schema.metadata or {}) | recall)
    return pa.Table.from_arrays(columns, schema=schema)


@dataclass(frozen=True, slots=True)
class _ResultSchema:
    """That of the last search on a snapshot, and what it was for."""

    columns: tuple[str, ...]
    is_batch: bool
    schema: pa.Schema


def _column(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    """The array itself, C-contiguous, as a column without nulls; `pa.array` takes three times as long."""
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def _schema(run: Run) -> pa.Schema:
    """Fields of the result."""
    memo, request = run.space.snapshot.memo, run.request
    known = memo.get(_ResultSchema)
    if isinstance(known, _ResultSchema) and (known.columns, known.is_batch) == (request.columns, request.is_batch):
        return known.schema
    taken = run.space.take(_NO_ROWS, list(request.columns)).schema
    fields = [*taken, pa.field(DISTANCE_COLUMN, _DISTANCE_TYPE, nullable=False)]
    if request.is_batch:
        fields.insert(0, pa.field(QUERY_COLUMN, _QUERY_TYPE, nullable=False))
    schema = pa.schema(fields, metadata=taken.metadata)
    memo[_ResultSchema] = _ResultSchema(request.columns, request.is_batch, schema)
    return schema


def _recall_metadata(run: Run) -> dict[bytes, bytes]:
    goal = run.goal
    if goal.n_probe is not None or goal.is_exact:
        return {}
    return run.space.snapshot.observations.recall_metadata(goal.target_recall)
