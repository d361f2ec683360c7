"""Collections on a server of S3, as users meet them."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path

import fsspec
import pytest

import drift_arrow as drift
from drift_arrow.engine.storage import objects
from drift_arrow.engine.storage.file_cache import FileCache
from drift_arrow.errors import CorruptionError, InvalidArgumentError, NotFoundError
from tests.storage.contest import contest
from tests.storage.network import Network, storage_behind
from tests.storage.pausing import PausedWriters
from tests.tables import DIM, create, make_table, matrix_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def connect(s3_options, s3_uri, tmp_path):
    def connected(machine: str = "here") -> drift.Database:
        return drift.connect(s3_uri, storage_options=s3_options, cache_directory=tmp_path / machine)

    return connected


def test_a_collection_lives_in_a_bucket(connect):
    table = make_table(500)
    with connect() as db:
        docs = create(db)
        docs.add(table.slice(0, 400))
        docs.flush()
        docs.add(table.slice(400))
        docs.upsert(make_table(10, start=495, seed=5))
        docs.delete(keys=[0, 450])
        docs.flush()
        docs.delete(keys=[1])
        expected = docs.scan().collect().sort("id")
        hits = docs.search(matrix_of(table)[7]).limit(5).to_arrow()
    with connect("elsewhere") as db:
        assert db.list_collections() == ["docs"]
        docs = db.collection("docs")
        assert docs.scan().collect().sort("id").equals(expected)
        assert docs.search(matrix_of(table)[7]).limit(5).to_arrow().equals(hits)
        docs.verify()
    with connect() as db:
        db.drop_collection("docs")
        assert db.list_collections() == []
        with pytest.raises(NotFoundError):
            db.collection("docs")
        assert len(create(db)) == 0


def test_a_reader_elsewhere_follows_the_writer(connect, s3_uri, s3_options, tmp_path):
    network = Network(fsspec.filesystem("s3", use_listings_cache=False, **s3_options))
    storage = storage_behind(network, s3_uri, FileCache(tmp_path / "elsewhere", 1 << 30))
    # a URI of its own, so that the process does not share the writer's open collection
    storage.uri = f"{s3_uri}?reader"
    with connect() as db:
        docs = create(db)
        docs.add(make_table(50))
        with drift.Database(storage) as other:
            reader = other.collection("docs", read_only=True)
            assert len(reader) == 50
            docs.add(make_table(5, start=100))
            docs.flush()
            docs.delete(keys=[3])
            assert len(reader) == 50
            reader.refresh()
            assert len(reader) == 54
            network.requests.clear()
            reader.refresh()
            assert len(network.requests) <= 3


def test_a_stopped_writer_acknowledges_nothing_once_another_took_over(connect, s3_uri, s3_options, tmp_path):
    with connect() as db:
        create(db)
    machine = functools.partial(connect, "elsewhere")
    with contextlib.closing(PausedWriters(machine, s3_uri, s3_options, tmp_path / "w")) as writers:
        for number in range(3):
            assert writers.round(number * 10**6, n_acknowledged=1 + 4 * number, after_s=0) is None
    with connect() as db:
        db.collection("docs", read_only=True).verify()


def test_processes_that_take_over_from_each_other_on_a_lossy_network_lose_nothing(
    connect, s3_uri, s3_options, tmp_path
):
    assert contest(connect, s3_uri, s3_options, tmp_path / "w", n_writers=2, n_rows=8) == []


def test_a_cold_search_takes_three_round_trips_and_a_warm_one_none(s3_options, s3_uri, tmp_path, monkeypatch):
    files = fsspec.filesystem("s3", use_listings_cache=False, **s3_options)
    table = make_table(3000)
    with drift.Database(storage_behind(Network(files), s3_uri, FileCache(tmp_path / "a", 1 << 30))) as db:
        docs = create(db)
        docs.add(table)
        docs.flush()
    # as if the segment were too large to be fetched whole
    monkeypatch.setattr(objects, "VERIFY_ON_OPEN_BYTES", 0)
    network = Network(files)
    with drift.Database(storage_behind(network, s3_uri, FileCache(tmp_path / "b", 1 << 30))) as db:
        docs = db.collection("docs", read_only=True)
        search = docs.search(matrix_of(table)[7] + 0.1).limit(10)
        network.requests.clear()
        cold = search.to_arrow()
        assert 1 <= len(network.requests) <= 3
        network.requests.clear()
        assert search.to_arrow().equals(cold)
        assert network.requests == []
    assert cold["id"][0].as_py() == 7


def test_a_fetched_collection_is_searched_without_a_request(s3_options, s3_uri, tmp_path):
    network = Network(fsspec.filesystem("s3", use_listings_cache=False, **s3_options))
    cache = FileCache(tmp_path, 1 << 30)
    with drift.Database(storage_behind(network, s3_uri, cache)) as db:
        docs = create(db)
        docs.add(make_table(200))
        docs.flush()
    with drift.Database(storage_behind(network, s3_uri, cache)) as db:
        network.requests.clear()
        docs = db.collection("docs", read_only=True)
        # the copy that the writer left is used
        assert not {"size", "cat_ranges"} & set(network.requests)
        network.requests.clear()
        assert docs.search([0.0] * DIM).limit(5).to_arrow().num_rows == 5
        assert network.requests == []


def test_what_is_verified_is_the_store_and_not_the_copy(connect, s3_options, s3_uri):
    files = fsspec.filesystem("s3", use_listings_cache=False, **s3_options)
    with connect() as db:
        docs = create(db)
        docs.add(make_table(200))
        docs.flush()
        docs.verify()
        (segment,) = files.find(f"{s3_uri}/docs/segments")
        data = bytearray(files.cat_file(segment))
        data[len(data) // 2] ^= 1
        files.pipe_file(segment, bytes(data))
        with pytest.raises(CorruptionError, match="segments/"):
            docs.verify()
        files.rm_file(segment)
        with pytest.raises(NotFoundError, match="segments/"):
            docs.verify()


def test_options_of_a_store_are_refused_elsewhere_and_a_missing_driver_is_named(root):
    with pytest.raises(InvalidArgumentError, match="storage options are for object stores"):
        drift.connect(root, storage_options={"key": "x"})
    with pytest.raises(InvalidArgumentError, match="nosuch"):
        drift.connect("nosuch://bucket/prefix")
