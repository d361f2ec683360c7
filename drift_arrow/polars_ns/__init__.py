"""The `drift` namespace on Polars frames, series and expressions. Importing this package registers it.

    df.drift.search(query, k=10)                             # DataFrame: exact, zero-copy
    lf.drift.search(query, k=10)                             # LazyFrame: part of the plan
    pl.col("embedding").drift.distance(query, metric="l2")   # expression
    series.drift.distance(query)

Kernels are compiled and loaded when a method is used, not here.
"""

from __future__ import annotations

from drift_arrow.polars_ns.expression import ExpressionNamespace
from drift_arrow.polars_ns.frame import FrameNamespace
from drift_arrow.polars_ns.lazy_frame import LazyFrameNamespace
from drift_arrow.polars_ns.series import SeriesNamespace

__all__ = ["ExpressionNamespace", "FrameNamespace", "LazyFrameNamespace", "SeriesNamespace"]
