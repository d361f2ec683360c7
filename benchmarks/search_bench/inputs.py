"""The sets of a run: real ones from a folder beside the checkout, and generated ones, prepared once in a cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from search_bench.data_set import DataSet, store
from search_bench.generated import mixture
from search_bench.truth import nearest_distances

N_QUERIES: Final = 1_000
_TRUE_NEIGHBOURS: Final = 100
_START: Final = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Raw:
    """What a set is made of, before its truth is known."""

    metric: str
    vectors: NDArray[Any]
    queries: NDArray[Any]
    payload: pa.Table


def prepare(name: str, data: Path, cache: Path) -> DataSet | str:
    """A set by its name, from the cache if it is there; else why there is none."""
    folder = cache / "sets" / name
    if (folder / "set.json").exists():
        return DataSet.open(folder)
    make, file = SETS[name]
    if file is not None and not (data / "vectors" / file).exists():
        return f"{name} is absent: no {file} in {data / 'vectors'}"
    raw = make(data / "vectors")
    vectors, queries = (np.ascontiguousarray(part, dtype=np.float32) for part in (raw.vectors, raw.queries))
    if raw.metric == "cosine":
        vectors, queries = _unit(vectors), _unit(queries)
    true = nearest_distances(vectors, queries, _TRUE_NEIGHBOURS)
    payload = raw.payload
    return store(
        folder, name=name, metric=raw.metric, vectors=vectors, queries=queries, true_distances=true, payload=payload
    )


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.sqrt(np.square(rows, dtype=np.float64).sum(axis=1, keepdims=True))
    unit: NDArray[np.float32] = (rows / lengths).astype(np.float32)
    return unit


def _descriptors(file: str, names: tuple[str, ...]) -> Callable[[Path], Raw]:
    def make(folder: Path) -> Raw:
        with np.load(folder / file, allow_pickle=False) as archive:
            payload = pa.table({name: archive[name] for name in names if name in archive})
            if payload.num_columns < 3:
                payload = payload.append_column("size", pa.array(archive["base"].sum(axis=1, dtype=np.float32)))
            return Raw("l2", archive["base"], archive["query"], payload)

    return make


def _digits(folder: Path) -> Raw:
    with np.load(folder / "mnist784.npz", allow_pickle=False) as archive:
        labels = archive["label"].astype(np.int16)
        titles = [f"digit {label}, row {row}" for row, label in enumerate(labels.tolist())]
        payload = pa.table({"ts": _times(len(labels), 0), "label": labels, "title": titles})
        return Raw("l2", archive["base"], archive["query"], payload)


def _commits(folder: Path) -> Raw:
    table = pq.read_table(folder / "gitlog256.parquet").combine_chunks()
    column = table["embedding"].combine_chunks()
    matrix = column.values.to_numpy().reshape(len(column), -1)
    with np.load(folder / "gitlog256_gt.npz", allow_pickle=False) as rows:
        base, query = rows["base_rows"], rows["query_rows"]
    payload = table.select(["ts", "topdir", "subject"]).take(pa.array(base))
    return Raw("cosine", matrix[base], matrix[query], payload)


def _clustered(n_rows: int, dim: int, metric: str, seed: int = 7) -> Callable[[Path], Raw]:
    def make(_: Path) -> Raw:
        rng = np.random.default_rng([seed, n_rows, dim])
        n_queries = min(N_QUERIES, n_rows // 10)
        rows = np.empty((n_rows + n_queries, dim), dtype=np.float32)
        owners = np.empty(len(rows), dtype=np.int64)
        at = 0
        for block, owner in mixture(n_rows, dim, seed).draw(len(rows), rng):
            rows[at : at + len(block)], owners[at : at + len(block)] = block, owner
            at += len(block)
        prices = rng.lognormal(3, 1, n_rows).astype(np.float32)
        names = [f"category {owner % 50}" for owner in owners[:n_rows].tolist()]
        payload = pa.table({"ts": _times(n_rows, seed), "price": prices, "category": names})
        return Raw(metric, rows[:n_rows], rows[n_rows:], payload)

    return make


def _times(n_rows: int, seed: int) -> NDArray[np.int64]:
    """Ascending seconds."""
    return _START + np.random.default_rng(seed).integers(1, 60, n_rows).cumsum()


SETS: Final[dict[str, tuple[Callable[[Path], Raw], str | None]]] = {
    "sift10k": (_descriptors("sift10k.npz", ("ts", "image")), "sift10k.npz"),
    "sift100k": (_descriptors("sift100k.npz", ("ts", "image", "size")), "sift100k.npz"),
    "mnist784": (_digits, "mnist784.npz"),
    "gitlog256": (_commits, "gitlog256.parquet"),
    "clustered-1m-128": (_clustered(1_000_000, 128, "l2"), None),
    "clustered-200k-768": (_clustered(200_000, 768, "cosine"), None),
    "clustered-2k-32": (_clustered(2_000, 32, "l2"), None),
}
"""How each set is made, and the file that it takes."""

REAL: Final = ("sift100k", "mnist784", "gitlog256")
FULL: Final = (*REAL, "clustered-1m-128", "clustered-200k-768")
"""The sets of a full run."""
