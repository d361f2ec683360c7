"""`df.drift`."""

from __future__ import annotations

import polars as pl

from drift_arrow.options import DEFAULT_K
from drift_arrow.polars_ns.columns import DISTANCE, QUERY_INDEX
from drift_arrow.polars_ns.request import Request
from drift_arrow.polars_ns.where import row_mask


@pl.api.register_dataframe_namespace("drift")
class FrameNamespace:
    """Vector methods of a DataFrame.

    Parameters
    ----------
    frame : polars.DataFrame
    """

    def __init__(self, frame: pl.DataFrame) -> None:
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
    ) -> pl.DataFrame:
        """The k rows nearest to a query, exactly.

        Parameters
        ----------
        query : (dim,) or (nq, dim) array_like
        k : int
            Rows per query, 1 to 10,000.
        on : str, optional
            Vector column; may be left out where the frame has a single Array or List of floats.
        metric : {"l2", "cosine", "dot"}
            Squared Euclidean distance, 1 - cosine, or negative inner product: smaller is closer.
        where : str or polars.Expr, optional
            Rows to consider, as SQL text or expression: a prefilter, so k rows come back if that many match.
        include_vector : bool
            Whether the result keeps the vector column.

        Returns
        -------
        polars.DataFrame
            `query_index` (UInt32, 2-D queries only), the columns of the frame, `_distance` (Float32); by query, then
            distance, ties in the order of the frame.

        Raises
        ------
        InvalidArgumentError
            An argument is wrong; the message says which and how to mend it.

        Notes
        -----
        Reads the memory of an Array(Float32) column in place. Rows with a null vector, or one that holds a null or a
        NaN, are skipped. The distances are those of a collection's search, bit by bit.

        Examples
        --------
        >>> df.drift.search(query, k=5, where="lang = 'en'")  # doctest: +SKIP
        """
        request = Request.of(self._frame.schema, query, k, on=on, metric=metric)
        return search_frame(self._frame, request, where=where, include_vector=include_vector)


def search_frame(
    frame: pl.DataFrame, request: Request, *, where: str | pl.Expr | None, include_vector: bool
) -> pl.DataFrame:
    """Run a checked search; see `FrameNamespace.search`."""
    from drift_arrow.polars_ns.ranking import nearest_rows

    allowed = None if where is None else row_mask(frame, where)
    rows, distances, queries = nearest_rows(frame.get_column(request.column), request, allowed)
    kept = frame if include_vector else frame.drop(request.column)
    hits = kept[rows].with_columns(pl.Series(DISTANCE, distances))
    return hits.insert_column(0, pl.Series(QUERY_INDEX, queries)) if request.is_batch else hits
