"""One query through Python, Polars and DuckDB SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from drift_arrow.cli.demo.measuring import K
from drift_arrow.cli.duck import running

if TYPE_CHECKING:
    import pyarrow as pa

    from drift_arrow import Collection

STATEMENT: Final = (
    "SELECT id, image, _distance FROM drift_search($path, $q, k := 10, exact := true) ORDER BY _distance, id"
)
SHOWN: Final = ["id", "image", "_distance"]


def clear_query(truth: np.ndarray) -> int:
    """Number of the first query whose K + 1 nearest distances differ, so that only one answer is right."""
    nearest = np.sort(np.partition(truth, K, axis=1)[:, : K + 1], axis=1)
    return int(np.argmax((np.diff(nearest, axis=1) > 0).all(axis=1)))


def answers(collection: Collection, table: pa.Table, query: np.ndarray) -> dict[str, pl.DataFrame]:
    """The K nearest rows as each surface gives them, columns SHOWN, nearest first."""
    frame: Any = pl.DataFrame(table)
    scan: Any = collection.scan()
    python = collection.search(query).limit(K).exact().to_polars()
    with running(STATEMENT, {"path": collection.path, "q": query.tolist()}) as batches:
        sql = pl.DataFrame(batches.read_all())
    return {
        "Python   collection.search(q).limit(10).exact()": python.select(SHOWN),
        "Polars   df.drift.search(q, k=10)": frame.drift.search(query, k=K).select(SHOWN),
        "Polars   collection.scan().drift.search(q, k=10)": scan.drift.search(query, k=K).select(SHOWN).collect(),
        "DuckDB   SELECT * FROM drift_search(path, q, k := 10, exact := true)": sql,
    }
