"""`lf.drift`."""

from __future__ import annotations

import polars as pl

from drift_arrow.options import DEFAULT_K
from drift_arrow.polars_ns.columns import DISTANCE, QUERY_INDEX, free_name
from drift_arrow.polars_ns.distances import distances
from drift_arrow.polars_ns.frame import search_frame
from drift_arrow.polars_ns.request import Request
from drift_arrow.polars_ns.where import as_condition


@pl.api.register_lazyframe_namespace("drift")
class LazyFrameNamespace:
    """Vector methods of a LazyFrame.

    Parameters
    ----------
    frame : polars.LazyFrame
    """

    def __init__(self, frame: pl.LazyFrame) -> None:
        self._frame = frame

    def search(
        self,
        query: object,
        k: int = DEFAULT_K,
        *,
        on: str | None = None,
        metric: str = "l2",
        where: str | pl.Expr | None = None,
        include_vector: bool = False,
    ) -> pl.LazyFrame:
        """The k rows nearest to a query, exactly, as part of the plan.

        Parameters and result are those of the DataFrame's `search`: the same rows in the same order.

        Returns
        -------
        polars.LazyFrame

        Raises
        ------
        InvalidArgumentError
            An argument is wrong; also when the frame is collected, where vectors of a List differ in length.

        Notes
        -----
        One query runs in the streaming engine, morsel by morsel; filters and selections before and after it are
        pushed down as far as Polars allows. Filters before it (and `where`) run before the ranking, filters after it
        see only its k rows. A batch of queries collects its input.

        Examples
        --------
        >>> pl.scan_parquet("docs.parquet").drift.search(query, k=5).collect()  # doctest: +SKIP
        """
        schema = self._frame.collect_schema()
        request = Request.of(schema, query, k, on=on, metric=metric)
        considered = self._frame if where is None else self._frame.filter(as_condition(where, schema))
        if request.is_batch:
            return _search_batch(considered, schema, request, include_vector=include_vector)
        return _search_one(considered, schema, request, include_vector=include_vector)


def _search_one(frame: pl.LazyFrame, schema: pl.Schema, request: Request, *, include_vector: bool) -> pl.LazyFrame:
    """Rank by an expression, so that the plan stays open to the optimiser."""
    row = free_name(schema.names())
    rank = [pl.col(DISTANCE), pl.col(row)]
    hits = (
        frame.with_row_index(row)
        .with_columns(_distance(request).alias(DISTANCE))
        .filter(pl.col(DISTANCE).is_not_nan())  # null is not true either
        .bottom_k(request.k, by=rank)
        .sort(rank)
    )
    return hits.drop(row) if include_vector else hits.drop(row, request.column)


def _distance(request: Request) -> pl.Expr:
    """Distance to the only query of a request."""
    query, metric = request.queries[0], request.metric
    return pl.col(request.column).map_batches(
        lambda series: distances(series, query, metric), return_dtype=pl.Float32, is_elementwise=True
    )


def _search_batch(frame: pl.LazyFrame, schema: pl.Schema, request: Request, *, include_vector: bool) -> pl.LazyFrame:
    """Rank all queries in one pass over the collected frame."""
    columns = {name: dtype for name, dtype in schema.items() if include_vector or name != request.column}
    return frame.map_batches(
        lambda collected: search_frame(collected, request, where=None, include_vector=include_vector),
        schema={QUERY_INDEX: pl.UInt32, **columns, DISTANCE: pl.Float32},
    )
