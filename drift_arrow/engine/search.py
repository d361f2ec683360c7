"""The immutable search builder that a user holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from drift_arrow.engine.analyze import analyze
from drift_arrow.engine.candidates import Goal
from drift_arrow.engine.changed import changed
from drift_arrow.engine.execute import Request, execute
from drift_arrow.engine.explain import explain
from drift_arrow.engine.predicate import make_predicate
from drift_arrow.engine.restriction import (
    NO_RESTRICTION,
    Restriction,
    check_count,
    check_grouping,
    check_range,
    check_window,
)
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.kernels.distance import first_zero_row
from drift_arrow.options import DEFAULT_K, DEFAULT_TARGET_RECALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc
    from numpy.typing import NDArray

    from drift_arrow.engine.analysis import Analysis
    from drift_arrow.engine.predicate import Predicate
    from drift_arrow.engine.source import Source


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Search:
    """A search that has not run yet; every method returns a new one, and every `to_...` runs it on the newest data.

    Examples
    --------
    >>> docs.search(query).where("lang = 'en'").select(["id", "title"]).limit(5).to_polars()  # doctest: +SKIP
    """

    _source: Source
    _queries: NDArray[np.float32]
    _is_batch: bool
    _k: int = DEFAULT_K
    _predicate: Predicate | None = None
    _where: object = None
    _columns: tuple[str, ...] | None = None
    _is_exact: bool = False
    _n_probe: int | None = None
    _target_recall: float = DEFAULT_TARGET_RECALL
    _offset: int = 0
    _restriction: Restriction = NO_RESTRICTION

    def where(self, condition: str | pl.Expr | pc.Expression) -> Search:
        """Rank only the rows that satisfy `condition` (a prefilter: k rows come back if that many match).

        Parameters
        ----------
        condition : str, polars.Expr or pyarrow.compute.Expression
            SQL text is a boolean expression such as ``"lang = 'en' AND day >= '2024-01-31'"``; dates and times are
            written as strings, and are of the time zone of the column. Null counts as false.

        Raises
        ------
        InvalidArgumentError
            It cannot be evaluated row by row on this collection, or a condition was given before.
        LimitExceededError
            The SQL text is too long.
        """
        if self._predicate is not None:
            message = f"where was given twice: join the conditions with AND; first={self._where}"
            raise InvalidArgumentError(message)
        return changed(self, _predicate=make_predicate(condition, self._source.spec), _where=condition)

    def select(self, columns: Sequence[str]) -> Search:
        """Return these columns, in this order, before `_distance`; by default all but the vector.

        Raises
        ------
        InvalidArgumentError
            An unknown or repeated column.
        """
        return changed(self, _columns=tuple(self._source.spec.check_columns(columns)))

    def limit(self, k: int) -> Search:
        """Return at most `k` rows per query, 1 to `MAX_K` (10,000) less the offset; 10 by default."""
        check_window(self._offset, check_count("the limit", k, 1))
        return changed(self, _k=k)

    def offset(self, rows: int) -> Search:
        """Leave out the first `rows` rows of the ranking of every query, 0 to `MAX_K` (10,000) less the limit.

        Notes
        -----
        These rows are ranked all the same, so a page costs what all pages up to it would cost in one.
        """
        check_window(check_count("the offset", rows, 0), self._k)
        return changed(self, _offset=rows)

    def distance_range(self, low: float | None, high: float | None) -> Search:
        """Rank only rows with ``low <= _distance < high``; None leaves an end open.

        Raises
        ------
        InvalidArgumentError
            An end is no number, or the range is empty.

        Notes
        -----
        As a condition of `where`, it is part of the scan: k rows come back if that many are found in the range.
        """
        low, high = check_range(low, high)
        return changed(self, _restriction=changed(self._restriction, low=low, high=high))

    def group_by(self, column: str, limit: int = 1) -> Search:
        """Return at most `limit` rows, the nearest, of those with the same value of `column`; null is a value too.

        Parameters
        ----------
        column : str
            Not a list, struct or vector.
        limit : int
            From 1 to `MAX_K`.

        Raises
        ------
        InvalidArgumentError
            No such column, one that cannot be grouped by, or a limit out of range.

        Notes
        -----
        Part of the scan: k rows come back if there are enough groups.
        """
        column, limit = check_grouping(column, limit, self._source.spec)
        return changed(self, _restriction=changed(self._restriction, group_by=column, group_limit=limit))

    def target_recall(self, recall: float) -> Search:
        """Scan as much of the segments as finds this share of the true nearest on average; .95 by default.

        Parameters
        ----------
        recall : float
            Above 0 and below 1; for 1 see `exact`.

        Raises
        ------
        InvalidArgumentError
            No number, or out of range.

        Notes
        -----
        How much that is was calibrated on rows of the collection when they were flushed; a query unlike any of them may
        find less. Of rows that are not flushed yet all are scanned, or, up to .99, a graph that finds more than that.
        """
        if not _is_share(recall):
            message = f"the target recall is a number between 0 and 1: use exact() for 1; got={recall!r}"
            raise InvalidArgumentError(message)
        return changed(self, _target_recall=recall, _n_probe=None, _is_exact=False)

    def nprobe(self, buckets: int) -> Search:
        """Scan this many buckets of the segments, at least 1, for every query; more only where k rows need more.

        Raises
        ------
        InvalidArgumentError
            Not a positive int.
        """
        if type(buckets) is not int or buckets < 1:
            message = f"nprobe is an int from 1; got={buckets!r}"
            raise InvalidArgumentError(message)
        return changed(self, _n_probe=buckets, _is_exact=False)

    def exact(self) -> Search:
        """Scan every row in full precision: recall 1.0, at the cost of reading all vectors."""
        return changed(self, _is_exact=True)

    def to_arrow(self) -> pa.Table:
        """Run the search.

        Returns
        -------
        pyarrow.Table
            `query_index` (uint32) if the query was 2-D, the selected columns, `_distance` (float32, smaller is closer);
            ordered by query, then distance, ties by key.

        Raises
        ------
        CorruptionError, StorageError, ClosedError
            See there.
        """
        return execute(self._source.pin(), self._source.spec, self._request())

    def to_polars(self) -> pl.DataFrame:
        """Run the search; see `to_arrow`."""
        return pl.DataFrame(self.to_arrow())

    def to_pandas(self) -> pd.DataFrame:
        """Run the search; see `to_arrow`."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def explain(self) -> pl.DataFrame:
        """What the search scans: buckets ranked and probed, and rows scanned, per query and segment or memtable.

        Returns
        -------
        polars.DataFrame
            `query_index`, `part`, `how` ("probed", "exact" or "memtable"), `rows`, `allowed_rows` (alive, and not
            filtered out), `buckets`, `probed_buckets`, `scanned_rows`.

        Raises
        ------
        CorruptionError, StorageError, ClosedError
            See there.
        """
        return explain(self._source.pin(), self._source.spec, self._request())

    def analyze(self) -> Analysis:
        """Run the search and tell what it read, and how long each stage took.

        Returns
        -------
        Analysis
            Prints as a tree; its `frame` has a row per query.

        Raises
        ------
        CorruptionError, StorageError, ClosedError
            See there.

        Examples
        --------
        >>> print(docs.search(query).where("lang = 'en'").analyze())  # doctest: +SKIP
        """
        return analyze(self._source.pin(), self._source.spec, self._request(), repr(self))

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Run the search; lets Arrow consumers take the result directly."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def _request(self) -> Request:
        return Request(
            queries=self._queries,
            is_batch=self._is_batch,
            predicate=self._predicate,
            columns=tuple(self._source.spec.result_columns) if self._columns is None else self._columns,
            offset=self._offset,
            restriction=self._restriction,
            goal=Goal(
                k=self._offset + self._k,
                n_candidates=(self._offset + self._k) * self._source.options.refine,
                is_exact=self._is_exact,
                n_probe=self._n_probe,
                target_recall=self._target_recall,
            ),
        )

    def __repr__(self) -> str:
        parts = [f"{self._source.name}.search(<{len(self._queries)} x {self._queries.shape[1]}>)"]
        parts += [] if self._predicate is None else [f".where({str(self._where)!r})"]
        parts += [] if self._columns is None else [f".select({list(self._columns)})"]
        parts.append(f".limit({self._k})")
        if self._offset:
            parts.append(f".offset({self._offset})")
        restriction = self._restriction
        if restriction.is_range:
            parts.append(f".distance_range({restriction.low}, {restriction.high})")
        if restriction.group_by is not None:
            parts.append(f".group_by({restriction.group_by!r}, {restriction.group_limit})")
        if self._is_exact:
            parts.append(".exact()")
        elif self._n_probe is not None:
            parts.append(f".nprobe({self._n_probe})")
        elif self._target_recall != DEFAULT_TARGET_RECALL:
            parts.append(f".target_recall({self._target_recall})")
        return "".join(parts)


def _is_share(recall: object) -> bool:
    return isinstance(recall, float | np.floating) and 0 < float(recall) < 1


def make_search(source: Source, queries: NDArray[np.float32], *, is_batch: bool) -> Search:
    """A search for checked queries; a zero query under cosine raises InvalidArgumentError."""
    if source.spec.metric == "cosine" and first_zero_row(queries) >= 0:
        message = f"a zero query has no direction for cosine; query_index={first_zero_row(queries)}"
        raise InvalidArgumentError(message)
    return Search(source, queries, is_batch)
