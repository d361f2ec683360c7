"""Rows that moved right after opening a collection were committed with changes that their version is older than."""

from __future__ import annotations

import drift_arrow as drift
from drift_arrow.engine.core import Core
from tests.moves import move_any
from tests.tables import create, make_table

OPTIONS = drift.Options(merge_bytes=0, heal_rows_per_s=0, retained_versions=20)


def test_a_version_of_moved_rows_holds_every_key_that_was_replaced_before_the_collection_was_opened(root):
    with drift.connect(root) as db:
        docs = create(db, options=OPTIONS)
        for start in (0, 100):
            docs.add(make_table(100, start=start))
            docs.flush()
        docs.upsert(make_table(3, seed=5))
    with drift.connect(root) as db:
        docs = db.collection("docs")
        core = docs._core
        assert isinstance(core, Core)
        move_any(core, seed=1)
        for version in docs.versions()["version"]:
            ids = docs.at(version).scan().collect()["id"].to_list()
            assert len(ids) == len(set(ids)) == docs.at(version).stats().rows
            assert len(ids) % 100 == 0
        assert sorted(docs.at(docs.versions()["version"][-1]).scan().collect()["id"]) == list(range(200))
