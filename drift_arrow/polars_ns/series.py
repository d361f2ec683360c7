"""`series.drift`."""

from __future__ import annotations

import polars as pl

from drift_arrow.polars_ns.distances import check_query, distances


@pl.api.register_series_namespace("drift")
class SeriesNamespace:
    """Vector methods of a series.

    Parameters
    ----------
    series : polars.Series
        Vectors: an Array or List of floats.
    """

    def __init__(self, series: pl.Series) -> None:
        self._series = series

    def distance(self, query: object, metric: str = "l2") -> pl.Series:
        """Distance of each vector to one query; see the expression of the same name.

        Parameters
        ----------
        query : (dim,) array_like
        metric : {"l2", "cosine", "dot"}

        Returns
        -------
        polars.Series
            Float32, of the same name and length.

        Raises
        ------
        InvalidArgumentError
            The query is no finite vector, is zero under cosine, has another dimension, or the metric is unknown.
        """
        return distances(self._series, check_query(query, metric), metric)
