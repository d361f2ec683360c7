"""FAISS: inverted lists of scalar-quantised rows, trained once or again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

import faiss
import numpy as np
from numpy.typing import NDArray

from search_bench.contender import K, Setting
from streaming_bench.contender import Figures
from streaming_bench.stream import Stream

_PROBES: Final = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 160, 192, 256)
_TRAIN_ROWS_PER_LIST: Final = 64

# its stubs do not know what is added to the classes when they are loaded
_faiss: Any = faiss


class FaissIvf:
    """`IndexIVFScalarQuantizer` with 8 bits and about twice as many lists as the root of the rows.

    Notes
    -----
    The variant's ``rebuild`` is the number of changed rows per row alive after which the index is trained and filled
    anew from the vectors, which are then kept beside it; 0 for never.
    """

    def __init__(self, stream: Stream, folder: Path, variant: Setting) -> None:
        del folder
        faiss.omp_set_num_threads(1)
        self._dim, self._rebuild = stream.dim, float(variant["rebuild"])
        self._rows: dict[int, NDArray[np.float32]] = {}
        self._n_probe = 1
        self._n_changed = self._n_moved = 0

    def warm(self) -> None:
        """Nothing to do: the package is loaded."""

    def load(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Train, add."""
        self._keep(numbers, vectors)
        self._build(numbers, vectors)

    def _keep(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        if self._rebuild:
            self._rows.update(zip(numbers.tolist(), vectors, strict=True))

    def _build(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        n_lists = max(1, min(len(vectors) // 4, round(2 * len(vectors) ** 0.5)))
        quantizer = faiss.IndexFlatL2(self._dim)
        self._index: Any = faiss.IndexIVFScalarQuantizer(quantizer, self._dim, n_lists, faiss.ScalarQuantizer.QT_8bit)
        self._index.cp.max_points_per_centroid = _TRAIN_ROWS_PER_LIST
        self._index.cp.min_points_per_centroid = 1
        self._index.train(vectors)
        self._index.add_with_ids(vectors, numbers)
        self._index.nprobe = self._n_probe
        # the index refers to it
        self._quantizer = quantizer

    def settings(self) -> list[Setting]:
        """Numbers of lists."""
        most = int(self._index.nlist)
        return [{"nprobe": n_probe} for n_probe in (*(n for n in _PROBES if n < most), most)]

    def use(self, setting: Setting) -> None:
        """Lists."""
        self._n_probe = self._index.nprobe = setting["nprobe"]

    def insert(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add to the lists of the nearest centroids."""
        self._keep(numbers, vectors)
        self._index.add_with_ids(vectors, numbers)
        self._changed(len(numbers))

    def delete(self, numbers: NDArray[np.int64]) -> None:
        """Remove from the lists."""
        self._index.remove_ids(numbers)
        if self._rebuild:
            for number in numbers.tolist():
                del self._rows[number]
        self._changed(len(numbers))

    def _changed(self, count: int) -> None:
        self._n_changed += count
        if not self._rebuild or self._n_changed < self._rebuild * len(self._rows):
            return
        self._n_changed = 0
        self._n_moved += len(self._rows)
        self._build(np.array(list(self._rows), dtype=np.int64), np.stack(list(self._rows.values())))

    def settle(self, seconds: float) -> None:
        """Nothing goes on in the background."""

    def one(self, query: NDArray[np.float32]) -> object:
        """Distances and numbers."""
        return self._index.search(query[np.newaxis], K)

    def ids(self, answer: object) -> NDArray[np.int64]:
        """Numbers, -1 where there are fewer."""
        numbers: NDArray[np.int64] = cast("tuple[Any, Any]", answer)[1][0]
        return numbers

    def figures(self, queries: NDArray[np.float32], written: int) -> Figures:
        """Rows compared, as FAISS counts them; rows that were built again."""
        del written
        statistics = _faiss.cvar.indexIVF_stats
        statistics.reset()
        self._index.search(queries, K)
        return {"scanned": statistics.ndis / len(queries), "moved": self._n_moved, "dead": 0}

    def close(self) -> None:
        """Nothing to do: the process ends."""
