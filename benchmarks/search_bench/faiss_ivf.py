"""FAISS: inverted lists of scalar-quantised rows, alone and with a refinement by the rows themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from search_bench.contender import K, Range, Setting
from search_bench.data_set import DataSet

_PROBES: Final = (1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256)
_REFINE: Final = (0, 2)
_TRAIN_ROWS_PER_LIST: Final = 64
_OVER_LISTS: Final = 1

# its stubs do not know what is added to the classes when they are loaded
_faiss: Any = faiss


class FaissIvf:
    """`IndexRefineFlat` over `IndexIVFScalarQuantizer` with 8 bits; `refine=0` asks the inner index alone."""

    def __init__(self, data: DataSet, folder: Path, variant: Setting, n_threads: int) -> None:
        self._data, self._file = data, folder / "index.faiss"
        self._n_lists = int(variant["nlist"])
        self._n_threads = n_threads
        self._refine = 0
        self._selector: Any = None
        self._is_made = False
        faiss.omp_set_num_threads(n_threads)

    @staticmethod
    def variants(data: DataSet) -> list[Setting]:
        """Few long lists, some, and many short ones."""
        root = len(data.vectors) ** 0.5
        return [{"nlist": 1 << round(np.log2(factor * root))} for factor in (1, 2, 4)]

    @staticmethod
    def fingerprint() -> str:
        """Of this class."""
        return "1"

    def warm(self) -> None:
        """Nothing to do: the package is loaded."""

    def prepare(self) -> None:
        """All rows in memory."""
        self._rows = np.array(self._data.vectors)

    def build(self) -> None:
        """Train, add, write."""
        dim = self._rows.shape[1]
        quantizer = faiss.IndexFlatL2(dim)
        inner = faiss.IndexIVFScalarQuantizer(quantizer, dim, self._n_lists, faiss.ScalarQuantizer.QT_8bit)
        inner.cp.max_points_per_centroid = _TRAIN_ROWS_PER_LIST
        index = faiss.IndexRefineFlat(inner)
        index.train(self._rows)
        index.add(self._rows)
        faiss.write_index(index, str(self._file))

    def open(self) -> None:
        """Read the index."""
        self._whole: Any = _faiss.read_index(str(self._file))
        self._inner: Any = faiss.downcast_index(self._whole.base_index)

    def sweep(self, *, is_batch: bool) -> list[list[Setting]]:
        """Numbers of lists; one query on several threads is split by lists or not at all."""
        modes = (0, _OVER_LISTS) if self._n_threads > 1 and not is_batch else (0,)
        return [
            [{"nprobe": n_probe, "refine": refine, "parallel_mode": mode} for n_probe in (*_PROBES, self._n_lists)]
            for refine in _REFINE
            for mode in modes
        ]

    def use(self, setting: Setting) -> None:
        """Lists, how many candidates per row are refined, and whether a range is evaluated for every query."""
        self._inner.nprobe = setting["nprobe"]
        self._inner.parallel_mode = setting["parallel_mode"]
        self._refine = setting["refine"]
        self._is_made = setting.get("bitmap") == "made"
        self._whole.k_factor = float(self._refine or 1)

    def restrict(self, within: Range | None) -> None:
        """By a bitmap of the rows."""
        self._selector = None
        if within is not None:
            self._numbers = self._data.payload[within.column].to_numpy()
            self._within = within
            self._make_selector()

    def _make_selector(self) -> None:
        mask = (self._numbers >= self._within.low) & (self._numbers < self._within.high)
        self._bits = np.packbits(mask, bitorder="little")
        self._selector = _faiss.IDSelectorBitmap(self._bits)

    def _parameters(self) -> Any:
        if self._selector is None:
            return None
        if self._is_made:
            self._make_selector()
        inner = _faiss.SearchParametersIVF(sel=self._selector, nprobe=self._inner.nprobe)
        if not self._refine:
            return inner
        return _faiss.IndexRefineSearchParameters(k_factor=float(self._refine), base_index_params=inner)

    def _search(self, queries: NDArray[np.float32]) -> tuple[Any, Any]:
        index = self._whole if self._refine else self._inner
        found: tuple[Any, Any] = index.search(queries, K, params=self._parameters())
        return found

    def one(self, query: NDArray[np.float32]) -> object:
        """Numbers and distances."""
        return self._search(query[np.newaxis])

    def many(self, queries: NDArray[np.float32]) -> object:
        """Numbers and distances."""
        return self._search(queries)

    def find(self, queries: NDArray[np.float32], *, is_batch: bool) -> NDArray[np.int64]:
        """Numbers."""
        parts = [queries] if is_batch else [query[np.newaxis] for query in queries]
        return np.concatenate([self._search(part)[1] for part in parts])

    def close(self) -> None:
        """Nothing to do: the process ends."""
