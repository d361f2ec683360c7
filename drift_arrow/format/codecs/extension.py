"""Columns of an extension type: those of its storage, under its name."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.format.codecs.part import ColumnBlock
from drift_arrow.format.encoding import Encoding


class ExtensionBlock:
    """A block of storage that reads as an extension type."""

    def __init__(self, storage: ColumnBlock, kind: pa.BaseExtensionType) -> None:
        self.n_values = storage.n_values
        self._storage, self._kind = storage, kind

    def read(self) -> pa.Array:
        """All rows."""
        return pa.ExtensionArray.from_storage(self._kind, self._storage.read())

    def take(self, places: NDArray[np.int64]) -> pa.Array:
        """Rows in any order."""
        return pa.ExtensionArray.from_storage(self._kind, self._storage.take(places))

    def describe(self) -> Encoding:
        """Of the storage."""
        return self._storage.describe()
