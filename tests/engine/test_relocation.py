"""Rows that move from segments to a new one: none is lost, none is there twice, and what races them wins."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import drift_arrow as drift
from drift_arrow.engine.core import Core
from drift_arrow.engine.heal.relocation import relocate
from drift_arrow.engine.scan import scan_batches
from tests.moves import move_any
from tests.oracle import distances, tolerance
from tests.tables import DIM, create, make_table, matrix_of

APART = drift.Options(merge_bytes=0)
_names = itertools.count()


def core_of(docs: drift.Collection) -> Core:
    assert isinstance(docs._owned, Core)
    return docs._owned


def rows_of(docs: drift.Collection) -> pa.Table:
    return pa.Table.from_batches(docs.to_batches(), schema=docs.schema).sort_by("id").combine_chunks()


def segments_of(docs: drift.Collection, n_segments: int, n_rows: int = 40) -> pa.Table:
    tables = [make_table(n_rows, start=number * n_rows) for number in range(n_segments)]
    for table in tables:
        docs.add(table)
        docs.flush()
    return pa.concat_tables(tables).combine_chunks()


@settings(deadline=None, max_examples=25, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    n_segments=st.integers(1, 4),
    seeds=st.lists(st.integers(0, 9999), min_size=1, max_size=5),
    metric=st.sampled_from(["l2", "cosine", "dot"]),
    dead=st.sets(st.integers(0, 159), max_size=100),
)
def test_any_moves_of_any_rows_keep_every_row_once_and_every_nearest_neighbour(n_segments, seeds, metric, dead):
    with drift.connect(f"memory://moves-{next(_names)}") as db:
        docs = create(db, metric=metric, options=APART)
        table = segments_of(docs, n_segments)
        for seed in seeds:
            gone = sorted(dead)[seed % 3 :: 3]
            docs.delete(keys=gone)
            table = table.filter(~np.isin(table["id"].to_numpy(), gone))
            move_any(core_of(docs), seed)
            assert rows_of(docs).equals(table.combine_chunks())
            assert docs.verify()
            check_neighbours(docs, table, metric)
        docs.close()
        docs = db.collection("docs")
        assert rows_of(docs).equals(table.combine_chunks())
        check_neighbours(docs, table, metric)


def check_neighbours(docs: drift.Collection, table: pa.Table, metric: str) -> None:
    query = make_table(1, start=500)["embedding"][0].as_py()
    found = docs.search(query).limit(10).exact().to_arrow()
    if not len(table):
        assert not len(found)
        return
    matrix = matrix_of(table)
    wanted = np.sort(distances(matrix, np.array(query), metric))[:10]
    assert np.allclose(found["_distance"], wanted, rtol=0, atol=tolerance(matrix, np.array(query), metric))


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()])
def test_vectors_move_in_the_type_that_they_are_stored_in(db, kind):
    table = make_table(200)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(matrix_of(table).ravel().astype(kind.to_pandas_dtype())), DIM)
    table = table.set_column(1, "embedding", vectors)
    docs = create(db, table=table, options=APART)
    docs.add(table)
    docs.flush()
    for seed in range(5):
        move_any(core_of(docs), seed)
    assert rows_of(docs).equals(table.combine_chunks())


def test_a_segment_that_lost_its_last_row_is_named_and_stored_no_more(db, root):
    docs = create(db, options=APART)
    segments_of(docs, 3)
    for seed in itertools.count():
        move_any(core_of(docs), seed)
        if docs.stats().segments == 1:
            break
    assert len(list(root.rglob("*.drift"))) == 1
    assert docs.stats().deleted_rows == 0


def test_deletes_and_upserts_that_race_a_move_win(db, monkeypatch):
    docs = create(db, options=APART)
    segments_of(docs, 3)

    def move_with_a_race(*args, **kwargs):
        moved = relocate(*args, **kwargs)
        docs.delete(keys=[1, 2, 50])
        docs.upsert(make_table(2, start=60, seed=77))
        return moved

    monkeypatch.setattr("drift_arrow.engine.maintenance.relocate", move_with_a_race)
    for seed in range(3):
        move_any(core_of(docs), seed)
    monkeypatch.undo()
    expected = sorted(set(range(120)) - {1, 2, 50})
    assert rows_of(docs)["id"].to_pylist() == expected
    docs.close()
    docs = db.collection("docs")
    assert rows_of(docs)["id"].to_pylist() == expected
    assert docs.get([60, 61]).equals(make_table(2, start=60, seed=77).combine_chunks())


def test_a_reader_that_began_before_a_move_sees_the_rows_where_they_were(db):
    docs = create(db, options=APART)
    table = segments_of(docs, 3)
    pinned = docs.pin()
    for seed in range(3):
        move_any(core_of(docs), seed)
    found = pa.Table.from_batches(scan_batches(pinned, table.column_names, 50)).sort_by("id")
    assert found.combine_chunks().equals(table)
