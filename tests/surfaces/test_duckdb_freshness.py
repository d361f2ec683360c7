"""SQL sees the newest durable rows, whoever writes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import drift_arrow
from drift_arrow import duckdb_udf
from drift_arrow.duckdb_udf import readers
from drift_arrow.duckdb_udf.source import ScanSource, SearchSource, Source
from drift_arrow.engine.registry import is_open
from drift_arrow.errors import InvalidArgumentError
from tests.surfaces.brute_force import DIM
from tests.surfaces.duck import N_ROWS, make_collection, make_table


@pytest.fixture
def con():
    with duckdb_udf.register(duckdb.connect()) as connection:
        yield connection


def keys(con, path):
    return [row[0] for row in con.execute("SELECT id FROM drift_scan(?) ORDER BY id", [path]).fetchall()]


def nearest_key(con, path, query):
    return con.execute("SELECT id FROM drift_search(?, ?, k := 1)", [path, query]).fetchall()


def test_rows_of_a_writer_in_this_process_are_seen_at_once(con, tmp_path):
    table = make_table(20)
    with drift_arrow.connect(tmp_path) as database:
        docs = database.create_collection("docs", schema=table.schema, vector="v", key="id")
        for part in range(4):
            docs.add(table[5 * part : 5 * part + 5])
            assert keys(con, docs.path) == list(range(5 * part + 5))
        docs.delete(keys=[3])
        assert keys(con, docs.path) == [0, 1, 2, *range(4, 20)]
        assert nearest_key(con, docs.path, table["v"][3].as_py()) != [(3,)]


def test_rows_of_a_memory_collection_are_seen(con):
    table = make_table(5)
    with drift_arrow.connect("memory://duckdb-test") as database:
        docs = database.create_collection("docs", schema=table.schema, vector="v", key="id")
        docs.add(table)
        assert keys(con, "memory://duckdb-test/docs") == [0, 1, 2, 3, 4]


def test_rows_of_another_process_are_seen_by_the_next_query(con, tmp_path):
    path = make_collection(tmp_path, make_table(10))
    assert keys(con, path) == list(range(10))
    code = """
import sys, drift_arrow
from tests.surfaces.duck import make_table
with drift_arrow.open_path(sys.argv[1], read_only=False) as docs:
    docs.add(make_table(5, first_key=10))
    if sys.argv[2] == "flush":
        docs.flush()
"""
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    subprocess.run([sys.executable, "-c", code, path, "flush"], check=True, env=environment)
    assert keys(con, path) == list(range(15))
    assert nearest_key(con, path, make_table(15)["v"][12].as_py()) == [(12,)]


def test_a_query_does_not_keep_this_process_from_writing_or_dropping(con, tmp_path):
    path = make_collection(tmp_path, make_table(10))
    assert keys(con, path) == list(range(10))
    with drift_arrow.connect(tmp_path) as database:
        docs = database.collection("docs")
        docs.add(make_table(1, first_key=10))
        assert keys(con, path) == list(range(11))
        docs.close()
        assert keys(con, path) == list(range(11))
        database.drop_collection("docs")
    with pytest.raises(duckdb.Error, match="no such collection"):
        keys(con, path)


def test_a_collection_that_was_made_anew_shows_its_new_columns(con, tmp_path):
    path = make_collection(tmp_path, make_table(10))
    assert keys(con, path) == list(range(10))
    with drift_arrow.connect(tmp_path) as database:
        database.drop_collection("docs")
    vectors = pa.array([[1.0, 2.0]] * 3, pa.list_(pa.float32(), 2))
    make_collection(tmp_path, pa.table({"v": vectors, "name": ["a", "b", "c"], "id": [7, 8, 9]}))
    assert con.execute("SELECT name, id FROM drift_scan(?) ORDER BY id", [path]).fetchall() == [
        ("a", 7),
        ("b", 8),
        ("c", 9),
    ]


def test_columns_that_change_between_binding_and_reading_are_refused(tmp_path):
    path = make_collection(tmp_path, make_table(10))
    query = np.zeros(DIM, np.float32)
    bound: list[Source] = [ScanSource.of(path), SearchSource.of(path, query=query, k=1, where=None, is_exact=False)]
    with drift_arrow.connect(tmp_path) as database:
        database.drop_collection("docs")
        schema = make_table(0).schema.remove(1)
        database.create_collection("docs", schema=schema, vector="v", key="id")
        for source in bound:
            with pytest.raises(InvalidArgumentError, match="the columns changed since the statement was bound"):
                list(source.batches(["id"]))


def test_a_half_read_scan_keeps_its_snapshot(con, tmp_path):
    table = make_table(30_000)
    with drift_arrow.connect(tmp_path) as database:
        docs = database.create_collection("docs", schema=table.schema, vector="v", key="id")
        docs.add(table)
        docs.flush()
        result = con.execute("SELECT id FROM drift_scan(?)", [docs.path])
        first = result.fetchone()
        docs.delete(where="id >= 0")
        docs.flush()
        assert len({first, *result.fetchall()}) == 30_000
        assert keys(con, docs.path) == []


def test_a_half_read_scan_does_not_keep_its_writer_open(con, tmp_path):
    path = make_collection(tmp_path)
    with drift_arrow.connect(tmp_path) as database:
        writer = database.collection("docs")
        reader = con.sql("SELECT id FROM drift_scan($path)", params={"path": path}).to_arrow_reader(100)
        n_read = reader.read_next_batch().num_rows
        writer.close()
        assert not is_open(writer.path)
        assert n_read + sum(batch.num_rows for batch in reader) == N_ROWS


def test_a_relative_path_follows_the_working_directory(con, tmp_path, monkeypatch):
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        make_collection(tmp_path / str(number), make_table(number))
        monkeypatch.chdir(tmp_path / str(number))
        assert keys(con, "./docs") == list(range(number))


def test_only_a_few_readers_stay_open(con, tmp_path):
    for number in range(12):
        path = make_collection(tmp_path, make_table(2), name=f"c{number}")
        assert keys(con, path) == [0, 1]
    assert len(readers._slots) == 8


def test_a_name_that_failed_takes_no_place_among_the_readers(con, tmp_path):
    before = len(readers._slots)
    with pytest.raises(duckdb.Error):
        keys(con, str(tmp_path / "nothing"))
    assert len(readers._slots) <= before
