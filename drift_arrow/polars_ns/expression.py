"""`pl.col(...).drift`."""

from __future__ import annotations

import polars as pl

from drift_arrow.polars_ns.distances import check_query, distances


@pl.api.register_expr_namespace("drift")
class ExpressionNamespace:
    """Vector methods of an expression.

    Parameters
    ----------
    expression : polars.Expr
        A vector column: an Array or List of floats.
    """

    def __init__(self, expression: pl.Expr) -> None:
        self._expression = expression

    def distance(self, query: object, metric: str = "l2") -> pl.Expr:
        """Distance of each vector to one query, smaller is closer.

        Parameters
        ----------
        query : (dim,) array_like
        metric : {"l2", "cosine", "dot"}
            Squared Euclidean distance, 1 - cosine, or negative inner product.

        Returns
        -------
        polars.Expr
            Float32; null for a null vector, NaN for one that holds a null or a NaN.

        Raises
        ------
        InvalidArgumentError
            The query is no finite vector, is zero under cosine, or the metric is unknown; when the expression runs,
            also where a vector has another dimension.

        Notes
        -----
        Elementwise: it runs morsel by morsel in the streaming engine, and filters move in front of it. The distances
        are those of a collection's search, bit by bit.

        Examples
        --------
        >>> df.select("id", pl.col("embedding").drift.distance(query))  # doctest: +SKIP
        """
        checked = check_query(query, metric)
        return self._expression.map_batches(
            lambda series: distances(series, checked, metric), return_dtype=pl.Float32, is_elementwise=True
        )
