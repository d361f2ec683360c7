"""What takes part: names, packages, and what each must be able to do."""

from __future__ import annotations

import importlib
from importlib import metadata, util
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from search_bench.data_set import DataSet

K: Final = 10
"""Rows that every query asks for."""

Setting = dict[str, Any]
"""What is turned before a search, by name."""


class Contender(Protocol):
    """One way to search one set; made anew in each process that builds or searches."""

    def __init__(self, data: DataSet, folder: Path, variant: Setting, n_threads: int) -> None:
        """Take note; `folder` is that of the index, and empty before it is built."""

    @staticmethod
    def variants(data: DataSet) -> list[Setting]:
        """Ways to build the index, among which the best is not known beforehand."""

    @staticmethod
    def fingerprint() -> str:
        """What an index depends on beside the set and the variant."""

    def warm(self) -> None:
        """Untimed and before memory is counted: load what the package loads on first use."""

    def prepare(self) -> None:
        """Untimed: have what `build` starts from, in the form that serves it best."""

    def build(self) -> None:
        """From rows in memory until they are durable, flushed and indexed in the folder."""

    def open(self) -> None:
        """Get ready to search what was built."""

    def sweep(self, *, is_batch: bool) -> list[list[Setting]]:
        """Settings, in lists of ascending recall."""

    def use(self, setting: Setting) -> None:
        """Search like this from now on."""

    def one(self, query: NDArray[np.float32]) -> object:
        """Answer one query (dim,) in the way that is timed."""

    def many(self, queries: NDArray[np.float32]) -> object:
        """Answer queries (m, dim) at once, in the way that is timed."""

    def find(self, queries: NDArray[np.float32], *, is_batch: bool) -> NDArray[np.int64]:
        """(m, K) numbers of the rows found, one query at a time or all at once; -1 where there are fewer."""

    def close(self) -> None:
        """Let go of everything."""


class Filtering(Contender, Protocol):
    """A contender that can restrict its search to rows with a number in a range."""

    def restrict(self, within: Range | None) -> None:
        """Search only such rows from now on, or all of them."""


class Range(NamedTuple):
    """Rows whose `column` is at least `low` and below `high`."""

    column: str
    low: float
    high: float

    @property
    def sql(self) -> str:
        """As a condition."""
        return f"{self.column} >= {self.low!r} AND {self.column} < {self.high!r}"

    def mask(self, payload: pa.Table) -> NDArray[np.bool_]:
        """(n,) which rows these are."""
        numbers = payload[self.column].to_numpy()
        inside: NDArray[np.bool_] = (numbers >= self.low) & (numbers < self.high)
        return inside


ENTRIES: Final[dict[str, tuple[str, str, str]]] = {
    "drift": ("search_bench.ours", "Drift", "drift_arrow"),
    "drift-kernel": ("search_bench.ours", "DriftKernel", "drift_arrow"),
    "faiss-ivf-sq8": ("search_bench.faiss_ivf", "FaissIvf", "faiss-cpu"),
    "faiss-hnsw-sq8": ("search_bench.faiss_hnsw", "FaissHnsw", "faiss-cpu"),
    "hnswlib": ("search_bench.hnswlib_graph", "Hnswlib", "hnswlib"),
    "usearch": ("search_bench.usearch_graph", "Usearch", "usearch"),
    "lancedb": ("search_bench.lance", "Lance", "lancedb"),
    "duckdb-vss": ("search_bench.duckdb_vss", "DuckdbVss", "duckdb-extension-vss"),
    "qdrant-local": ("search_bench.qdrant", "Qdrant", "qdrant-client"),
    "milvus-lite": ("search_bench.milvus", "Milvus", "milvus-lite"),
}
"""Module, class and distribution of each."""

BUILT_BY: Final = {"drift-kernel": "drift"}
"""Who searches what another builds."""

OURS: Final = ("drift", "drift-kernel")
PEERS: Final = tuple(name for name in ENTRIES if name not in OURS)


def load(name: str) -> type[Contender]:
    """The class of a contender; imports its package."""
    module, attribute, _ = ENTRIES[name]
    return cast("type[Contender]", getattr(importlib.import_module(module), attribute))


def version(name: str) -> str | None:
    """Version of the package behind a contender in this environment; None if it is not installed."""
    distribution = ENTRIES[name][2]
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        # the checkout need not be installed
        return "checkout" if util.find_spec(distribution) else None


def label(setting: Setting) -> str:
    """A setting in words."""
    return " ".join(f"{name}={value}" for name, value in setting.items() if value is not None)


def padded(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """(K,) rows found by one query, filled up with -1."""
    return np.pad(keys[:K], (0, max(0, K - len(keys))), constant_values=-1)
