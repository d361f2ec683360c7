"""What a search gained and lost between two versions of a collection, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from drift_arrow.engine.search import make_search
from drift_arrow.engine.spec import DISTANCE_COLUMN, QUERY_COLUMN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from drift_arrow.engine.collection_view import CollectionView

_SIDES: Final = ("before", "after")
_COLUMNS: Final = (
    QUERY_COLUMN,
    "key",
    "change",
    "why",
    "rank_before",
    "rank_after",
    "distance_before",
    "distance_after",
)


def diff_searches(before: CollectionView, after: CollectionView, queries: NDArray[np.float32], k: int) -> pl.DataFrame:
    """Run a search on two versions and explain every difference.

    Parameters
    ----------
    before, after : CollectionView
        Two versions of one collection.
    queries : (nq, dim) float32
        Checked.
    k : int
        Rows per query, 1 to `MAX_K`.

    Returns
    -------
    polars.DataFrame
        One row for each key that either search returned: `query_index`, `key`, `change`, `why`, `rank_before`,
        `rank_after` (from 1) and `distance_before`, `distance_after`, null where it was not returned; by query, then by
        the better of its ranks. `change` is "kept", "gained" or "lost". `why`, null if a row was kept as it is:

        - "added" or "deleted": it is in one version only,
        - "missed": it is among the k nearest in the version whose search, which is approximate, did not find it,
        - "replaced": it has another vector,
        - "moved": it is what it was, and others came before it, or left from there.

    Raises
    ------
    InvalidArgumentError
        A `k` out of range.

    Notes
    -----
    Four searches, two of them exact, and the vectors of the rows that differ.
    """
    searches = [make_search(view, queries, is_batch=True).limit(k).select([view.key]) for view in (before, after)]
    found = [_ranked(search.to_polars(), side) for side, search in zip(_SIDES, searches, strict=True)]
    rows = found[0].join(found[1], on=[QUERY_COLUMN, "key"], how="full", coalesce=True)
    for side, search in zip(_SIDES, searches, strict=True):
        true = _ranked(search.exact().to_polars(), side).select(
            QUERY_COLUMN, "key", pl.col(f"rank_{side}").alias(f"true_{side}")
        )
        rows = rows.join(true, on=[QUERY_COLUMN, "key"], how="left")
    rows = rows.join(_compared(before, after, rows["key"].unique()), on="key", how="left")
    best = pl.min_horizontal("rank_before", "rank_after")
    return _explained(rows).sort(QUERY_COLUMN, best, "rank_before", nulls_last=True).select(_COLUMNS)


def _ranked(hits: pl.DataFrame, side: str) -> pl.DataFrame:
    """Hits with their rank; the columns are the query, one of keys, and the distance."""
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(QUERY_COLUMN)
    return hits.select(
        QUERY_COLUMN,
        pl.nth(1).alias("key"),
        rank.alias(f"rank_{side}"),
        pl.col(DISTANCE_COLUMN).alias(f"distance_{side}"),
    )


def _compared(before: CollectionView, after: CollectionView, keys: pl.Series) -> pl.DataFrame:
    """Of each key whether the row is in both versions, `in_before` and `in_after`, and has the `same` vector."""
    first, second = (
        pl.DataFrame(view.get(keys, [view.key, view.vector])).select(
            pl.col(view.key).alias("key"), pl.col(view.vector).alias("vector")
        )
        for view in (before, after)
    )
    both = first.join(second, on="key", how="full", coalesce=True, suffix="_after")
    return both.select(
        "key",
        pl.col("vector").is_not_null().alias("in_before"),
        pl.col("vector_after").is_not_null().alias("in_after"),
        (pl.col("vector") == pl.col("vector_after")).alias("same"),
    )


def _explained(rows: pl.DataFrame) -> pl.DataFrame:
    is_gained, is_lost = pl.col("rank_before").is_null(), pl.col("rank_after").is_null()
    change = pl.when(is_lost).then(pl.lit("lost")).when(is_gained).then(pl.lit("gained")).otherwise(pl.lit("kept"))
    is_missed = (is_lost & pl.col("true_after").is_not_null()) | (is_gained & pl.col("true_before").is_not_null())
    why = (
        pl.when(~pl.col("in_before"))
        .then(pl.lit("added"))
        .when(~pl.col("in_after"))
        .then(pl.lit("deleted"))
        .when(is_missed)
        .then(pl.lit("missed"))
        .when(~pl.col("same"))
        .then(pl.lit("replaced"))
        .when(is_lost | is_gained)
        .then(pl.lit("moved"))
    )
    return rows.with_columns(change.alias("change"), why.alias("why"))
