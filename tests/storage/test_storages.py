"""Every storage keeps the promises of `Storage`."""

from __future__ import annotations

import pytest

from drift_arrow.engine.storage import create_file, objects
from drift_arrow.engine.storage.local import LocalStorage
from drift_arrow.engine.storage.memory import MemoryStorage
from drift_arrow.engine.storage.uris import open_storage
from drift_arrow.errors import AlreadyExistsError, LockedError, StorageError
from tests.storage.conformance import StorageConformance


class _WithFilesThatGrow(StorageConformance):
    def test_a_log_grows(self, storage):
        log = storage.open_log("wal/1")
        log.append([b"ab", b"c"])
        log.sync()
        log.append([b"d"])
        log.sync()
        log.close()
        assert storage.map("wal/1") == b"abcd"
        with pytest.raises(AlreadyExistsError):
            storage.open_log("wal/1")

    def test_a_lock_has_one_holder(self, storage):
        lock = storage.lock()
        with pytest.raises(LockedError):
            storage.lock()
        lock.release()
        storage.lock().release()


class TestLocal(_WithFilesThatGrow):
    @pytest.fixture
    def storage(self, root):
        return LocalStorage(root)


class TestMemory(_WithFilesThatGrow):
    @pytest.fixture
    def storage(self, request):
        return MemoryStorage(f"memory://{request.node.name}")


class TestS3(StorageConformance):
    @pytest.fixture
    def storage(self, s3_options, s3_uri, tmp_path):
        return open_storage(s3_uri, s3_options, cache_directory=tmp_path)

    def test_a_log_of_growing_files_is_refused(self, storage):
        with pytest.raises(StorageError, match="do not grow"):
            storage.open_log("wal/1")

    def test_a_large_object_is_read_in_many_parts_at_once(self, storage, monkeypatch):
        monkeypatch.setattr(objects, "_FIRST_READ_BYTES", 1000)
        for size in (999, 1000, 1001, 4500):
            data = bytes(range(250)) * 18
            create_file(storage, f"wal/{size}", data[:size])
            assert bytes(storage.map(f"wal/{size}")) == data[:size]

    def test_names_need_no_encoding(self, storage):
        child = storage.child("under_score-dash")
        with child.create("wal/1") as write:
            write(b"x")
        assert storage.list_children() == ["under_score-dash"]
