"""What every storage promises, whatever it is made of."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from drift_arrow.engine.storage import FileInfo, Storage, create_file, for_all
from drift_arrow.errors import AlreadyExistsError, LimitExceededError, NotFoundError
from drift_arrow.format.source import open_file

SEGMENT = "segments/11111111-2222-4333-8444-555555555555.drift"


class StorageConformance:
    """Subclasses have a fixture `storage`: an empty one."""

    @pytest.fixture(autouse=True)
    def _directories(self, storage: Storage) -> None:
        storage.make_directories(("manifests", "segments", "wal"))

    def test_a_created_file_is_read_mapped_and_listed(self, storage: Storage) -> None:
        create_file(storage, "manifests/1.json", b"one")
        create_file(storage, SEGMENT, b"rows" * 5000)
        assert storage.read("manifests/1.json", 10) == b"one"
        assert bytes(storage.map("manifests/1.json")) == b"one"
        assert bytes(storage.map(SEGMENT)) == b"rows" * 5000
        assert storage.list_files("manifests") == [FileInfo("manifests/1.json", 3)]
        assert storage.list_files("segments") == [FileInfo(SEGMENT, 20000)]

    def test_an_opened_file_gives_its_ranges(self, storage: Storage) -> None:
        create_file(storage, SEGMENT, bytes(range(256)) * 100)
        file = open_file(storage.open(SEGMENT, 25600), SEGMENT)
        assert [bytes(view) for view in file.read([(3, 6), (25598, 25600)])] == [b"\x03\x04\x05", b"\xfe\xff"]

    def test_a_file_is_written_piece_by_piece(self, storage: Storage) -> None:
        buffer = bytearray(b"ab")
        with storage.create("wal/1") as write:
            write(buffer)
            buffer[:] = b"cd"
            write(buffer)
        assert storage.read("wal/1", 10) == b"abcd"

    def test_a_taken_name_is_refused_and_keeps_its_bytes(self, storage: Storage) -> None:
        create_file(storage, "manifests/1.json", b"one")
        with pytest.raises(AlreadyExistsError, match=r"manifests/1\.json"):
            create_file(storage, "manifests/1.json", b"another")
        assert storage.read("manifests/1.json", 10) == b"one"

    def test_a_file_whose_writing_failed_does_not_exist(self, storage: Storage) -> None:
        def fail() -> None:
            with storage.create(SEGMENT) as write:
                write(b"half")
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        storage.settle()
        assert storage.list_files("segments") == []

    def test_of_many_that_create_one_name_one_succeeds(self, storage: Storage) -> None:
        barrier = threading.Barrier(8)

        def create(number: int) -> bytes | None:
            data = str(number).encode()
            barrier.wait()
            try:
                create_file(storage, "manifests/7.json", data)
            except AlreadyExistsError:
                return None
            return data

        with ThreadPoolExecutor(8) as pool:
            winners = [data for data in pool.map(create, range(8)) if data is not None]
        assert winners == [storage.read("manifests/7.json", 10)]

    def test_a_file_above_its_limit_is_not_read(self, storage: Storage) -> None:
        create_file(storage, "manifests/1.json", b"12345")
        assert storage.read("manifests/1.json", 5) == b"12345"
        with pytest.raises(LimitExceededError, match="limit_bytes=4"):
            storage.read("manifests/1.json", 4)

    def test_a_missing_file_is_named(self, storage: Storage) -> None:
        for read in (lambda: storage.read("wal/9", 10), lambda: storage.map("wal/9"), lambda: storage.map(SEGMENT)):
            with pytest.raises(NotFoundError, match=r"wal/9|segments/"):
                read()

    def test_many_files_are_read_in_their_order(self, storage: Storage) -> None:
        paths = [f"wal/{number}" for number in (3, 1, 2)]
        for path in paths:
            create_file(storage, path, path.encode())
        assert [bytes(data) for data in for_all(storage, storage.map, paths)] == [path.encode() for path in paths]

    def test_a_deleted_file_is_gone_and_may_be_deleted_again(self, storage: Storage) -> None:
        create_file(storage, "wal/1", b"one")
        storage.delete("wal/1")
        storage.delete("wal/1")
        assert storage.list_files("wal") == []
        create_file(storage, "wal/1", b"two")
        assert bytes(storage.map("wal/1")) == b"two"

    def test_files_are_listed_in_order_and_only_those_of_the_directory(self, storage: Storage) -> None:
        for path in ("wal/2", "wal/1", "manifests/1"):
            create_file(storage, path, b"x")
        assert [file.path for file in storage.list_files("wal")] == ["wal/1", "wal/2"]
        assert storage.list_files("nothing") == []

    def test_children_are_listed_and_deleted_with_all_they_hold(self, storage: Storage) -> None:
        for name in ("b", "a"):
            child = storage.child(name)
            child.make_directories(("manifests", "wal"))
            create_file(child, "manifests/1", b"x")
            create_file(child, "wal/1", b"x")
        assert {"a", "b"} <= set(storage.list_children())
        storage.delete_child("a")
        assert "a" not in storage.list_children()
        assert storage.child("a").list_files("manifests") == []
        assert storage.child("b").read("wal/1", 1) == b"x"

    def test_a_lock_can_be_given_back_twice_and_taken_again(self, storage: Storage) -> None:
        lock = storage.lock()
        lock.release()
        lock.release()
        storage.lock().release()
