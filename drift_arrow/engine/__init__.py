"""Collections: storage, log, memtable, segments, search, Janitor and recovery."""

from __future__ import annotations

from drift_arrow.engine.collection import Collection
from drift_arrow.engine.database import Database, connect, open_path
from drift_arrow.engine.search import Search
from drift_arrow.engine.stats import CollectionStats
from drift_arrow.engine.verify import VerifyReport

__all__ = ["Collection", "CollectionStats", "Database", "Search", "VerifyReport", "connect", "open_path"]
