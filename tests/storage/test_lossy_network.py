"""Requests and answers are lost on the way to a server of S3: no row is lost or doubled, and writers are fenced."""

from __future__ import annotations

import fsspec
import pytest

import drift_arrow as drift
from drift_arrow.engine.storage import create_file
from drift_arrow.engine.storage.file_cache import FileCache
from drift_arrow.engine.storage.probe import check_conditional_put
from drift_arrow.engine.storage.retry import Retry
from drift_arrow.errors import AlreadyExistsError, FencedError, InvalidArgumentError, NotFoundError, StorageError
from tests.storage.network import Network, storage_behind
from tests.tables import create, make_table


@pytest.fixture
def files(s3_options):
    return fsspec.filesystem("s3", use_listings_cache=False, **s3_options)


@pytest.fixture
def cache(tmp_path):
    return FileCache(tmp_path, 1 << 30)


class LastAnswerLost(Network):
    """The first conditional put arrives, and its answer does not."""

    def __init__(self, files):
        super().__init__(files)
        self.is_lost = False

    def pipe_file(self, path, data, mode="overwrite", **kwargs):
        self._files.pipe_file(path, data, mode=mode, **kwargs)
        if mode == "create" and not self.is_lost:
            self.is_lost = True
            raise TimeoutError


def test_a_put_whose_answer_was_lost_is_seen_to_be_ours(files, cache, s3_uri):
    network = LastAnswerLost(files)
    storage = storage_behind(network, s3_uri, cache)
    create_file(storage, "manifests/1.json", b"ours")
    assert network.is_lost
    assert storage.read("manifests/1.json", 10) == b"ours"
    with pytest.raises(AlreadyExistsError):
        create_file(storage, "manifests/1.json", b"theirs")


class RepeatsItself(Network):
    """A client that lost the answer to a conditional put, asks again by itself, and reports what it hears then."""

    def pipe_file(self, path, data, mode="overwrite", **kwargs):
        self._files.pipe_file(path, data, mode=mode, **kwargs)
        if mode == "create":
            raise FileExistsError(path)


def test_a_put_that_the_client_repeated_is_seen_to_be_ours(files, cache, s3_uri):
    storage = storage_behind(RepeatsItself(files), s3_uri, cache)
    create_file(storage, "manifests/1.json", b"ours")
    assert storage.read("manifests/1.json", 10) == b"ours"


def test_what_never_arrives_is_a_storage_error_and_nothing_else(files, cache, s3_uri):
    pauses: list[float] = []
    network = Network(files, loss=1.0)
    storage = storage_behind(network, s3_uri, cache)
    storage._retry = Retry(attempts=4, first_s=1.0, most_s=3.0, sleep=pauses.append, jitter=lambda: 1.0)
    for act in (
        lambda: storage.read("wal/1", 10),
        lambda: storage.list_files("wal"),
        lambda: storage.delete("wal/1"),
    ):
        pauses.clear()
        with pytest.raises(StorageError, match="ConnectionResetError"):
            act()
        assert pauses == [1.0, 2.0, 3.0]
    with pytest.raises(StorageError):
        create_file(storage, "wal/1", b"x")


def test_a_life_on_a_lossy_network_is_answered_as_on_a_perfect_one(files, cache, s3_uri):
    networks = [Network(files, loss=0.05, seed=seed) for seed in range(3)]
    expected = set()
    docs: drift.Collection | None = None
    for number, network in enumerate(networks):
        storage = storage_behind(network, s3_uri, cache)
        # so that the process does not share one open collection
        storage.uri = f"{s3_uri}?{number}"
        db = drift.Database(storage)
        old, docs = docs, (create(db) if docs is None else db.collection("docs"))
        if old is not None:
            with pytest.raises(FencedError):
                old.add(make_table(1, start=10**6))
            old.close()
        for start in range(number * 1000, number * 1000 + 12 * 5, 5):
            docs.add(make_table(5, start=start))
            expected |= set(range(start, start + 5))
            if start % 20 == 0:
                docs.flush()
    assert docs is not None
    docs.delete(keys=[0, 1000])
    docs.verify()
    docs.close()
    assert sum(network.lost_requests for network in networks) > 5
    assert sum(network.lost_answers for network in networks) > 5
    with drift.Database(storage_behind(Network(files), s3_uri, cache)) as db:
        again = db.collection("docs", read_only=True)
        again.verify()
        assert set(again.scan().collect()["id"]) == expected - {0, 1000}


class IgnoresTheCondition(Network):
    def pipe_file(self, path, data, mode="overwrite", **kwargs):
        self._files.pipe_file(path, data, **kwargs)


class LooksBeforeItWrites(Network):
    def pipe_file(self, path, data, mode="overwrite", **kwargs):
        if mode == "create" and self._files.exists(path):
            raise FileExistsError(path)
        self._files.pipe_file(path, data, **kwargs)


@pytest.mark.parametrize("kind", [IgnoresTheCondition, LooksBeforeItWrites])
def test_a_store_that_cannot_fence_is_refused_by_name_before_anything_is_written(kind, files, cache, s3_uri):
    with drift.Database(storage_behind(kind(files), s3_uri, cache)) as db:
        with pytest.raises(InvalidArgumentError, match=f"cannot tell two writers apart.*backend={kind.__name__}"):
            create(db)
        assert db.list_collections() == []


@pytest.mark.parametrize("uri", ["local://{}", "simplecache::memory://{}"])
def test_file_systems_that_look_before_they_write_are_refused(uri, tmp_path):
    with drift.connect(uri.format(tmp_path)) as db, pytest.raises(InvalidArgumentError, match="use S3, Google"):
        create(db)


def test_a_probe_leaves_nothing_behind(files, s3_uri):
    root = s3_uri.partition("://")[2]
    check_conditional_put(files, root, s3_uri, Retry())
    assert files.find(root) == []


def test_a_bucket_that_does_not_exist_is_named(s3_options, tmp_path):
    db = drift.connect("s3://nobody/has/this", storage_options=s3_options, cache_directory=tmp_path)
    with pytest.raises(NotFoundError, match="nobody"):
        create(db)
