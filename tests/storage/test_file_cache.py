"""Copies of remote files: bounded, verified, fetched once, and never needed for an answer."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

from drift_arrow.engine.storage.file_cache import FileCache


class Remote:
    """Counts how often each file is fetched."""

    def __init__(self):
        self.fetched = []

    def get(self, cache, name, size=100):
        def fetch():
            self.fetched.append(name)
            return self.bytes_of(name, size)

        assert bytes(cache.map(name, fetch)) == self.bytes_of(name, size)

    @staticmethod
    def bytes_of(name, size):
        return (name * size).encode()[:size]


def test_a_file_is_fetched_once_by_all_processes_of_a_machine(tmp_path):
    remote = Remote()
    for cache in (FileCache(tmp_path, 1000), FileCache(tmp_path, 1000)):
        remote.get(cache, "a")
        remote.get(cache, "a")
        assert cache.holds("a")
    assert remote.fetched == ["a"]
    assert not FileCache(tmp_path, 1000).holds("b")


def test_the_least_recently_used_copies_make_room(tmp_path):
    remote, cache = Remote(), FileCache(tmp_path, 350)
    for age, name in enumerate("abc"):
        remote.get(cache, name)
        copy = newest(tmp_path)
        os.utime(copy, ns=(age, age))
    remote.get(cache, "a")
    remote.get(cache, "d")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 350
    assert [cache.holds(name) for name in "abcd"] == [True, False, True, True]


def newest(directory):
    return max(directory.iterdir(), key=lambda path: path.stat().st_mtime_ns)


def test_a_map_outlives_the_copy(tmp_path):
    cache = FileCache(tmp_path, 100)
    mapped = cache.map("a", lambda: b"a" * 100)
    cache.map("b", lambda: b"b" * 100)
    assert not cache.holds("a")
    assert bytes(mapped) == b"a" * 100


def test_a_file_larger_than_the_cache_is_not_kept(tmp_path):
    remote, cache = Remote(), FileCache(tmp_path, 50)
    remote.get(cache, "a")
    remote.get(cache, "a")
    assert remote.fetched == ["a", "a"]


def test_a_damaged_copy_is_fetched_again(tmp_path):
    remote = Remote()
    remote.get(FileCache(tmp_path, 1000), "a")
    for damage in (b"b" * 100, b"a" * 99, b""):
        newest(tmp_path).write_bytes(damage)
        remote.fetched.clear()
        remote.get(FileCache(tmp_path, 1000), "a")
        assert remote.fetched == ["a"]


def test_threads_that_want_one_file_wait_for_one_request(tmp_path):
    cache, barrier, fetched = FileCache(tmp_path, 1000), threading.Barrier(8), []

    def fetch():
        fetched.append(1)
        return b"x" * 100

    def get(_):
        barrier.wait()
        return bytes(cache.map("a", fetch))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(get, range(8))) == {b"x" * 100}
    assert len(fetched) == 1


def test_a_cache_that_cannot_be_written_only_costs_speed(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    remote, cache = Remote(), FileCache(tmp_path / "file" / "below", 1000)
    remote.get(cache, "a")
    remote.get(cache, "a")
    assert remote.fetched == ["a", "a"]


def test_what_a_writer_put_is_not_fetched(tmp_path):
    remote, cache = Remote(), FileCache(tmp_path, 1000)
    cache.keep("a", Remote.bytes_of("a", 100))
    remote.get(cache, "a")
    assert remote.fetched == []
