"""drift_arrow: an embedded, Arrow-native vector collection that stays accurate while its data drifts.

>>> import drift_arrow as drift
>>> db = drift.connect("memory://tour")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drift_arrow import errors, polars_ns
from drift_arrow.errors import DriftError
from drift_arrow.options import Options

if TYPE_CHECKING:
    from drift_arrow.engine import Collection, CollectionStats, Database, Search, VerifyReport, connect, open_path

__version__ = "0.1.0"

__all__ = [
    "Collection",
    "CollectionStats",
    "Database",
    "DriftError",
    "Options",
    "Search",
    "VerifyReport",
    "__version__",
    "connect",
    "duckdb_udf",
    "errors",
    "open_path",
    "polars_ns",
]

_ENGINE_NAMES = ("Collection", "CollectionStats", "Database", "Search", "VerifyReport", "connect", "open_path")


def __getattr__(name: str) -> Any:
    """Load the engine, and numba with it, on first use: the import costs little more than Polars and Arrow."""
    import importlib

    if name in _ENGINE_NAMES:
        return getattr(importlib.import_module("drift_arrow.engine"), name)
    if name == "duckdb_udf":
        return importlib.import_module("drift_arrow.duckdb_udf")
    message = f"module 'drift_arrow' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
