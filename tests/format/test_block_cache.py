from concurrent.futures import ThreadPoolExecutor

import numpy as np

from drift_arrow.format.block_cache import BlockCache


def test_what_was_put_is_found_until_it_must_give_way():
    cache: BlockCache[object] = BlockCache(100)
    cache.put(1, "a", 50)
    cache.put(2, "b", 50)
    assert (cache.get(1), cache.get(2), cache.get(3)) == ("a", "b", None)
    cache.put(3, "c", 10)
    assert (cache.get(1), cache.get(2), cache.get(3)) == (None, "b", "c")


def test_the_least_recently_used_gives_way_first():
    cache: BlockCache[object] = BlockCache(100)
    cache.put(1, "a", 50)
    cache.put(2, "b", 50)
    cache.get(1)
    cache.put(3, "c", 50)
    assert (cache.get(1), cache.get(2), cache.get(3)) == ("a", None, "c")


def test_a_block_larger_than_the_cache_is_not_kept_and_drives_none_out():
    cache: BlockCache[object] = BlockCache(100)
    cache.put(1, "a", 100)
    cache.put(2, "b", 101)
    assert (cache.get(1), cache.get(2)) == ("a", None)


def test_what_costs_nothing_is_always_kept():
    cache: BlockCache[object] = BlockCache(0)
    for number in range(100):
        cache.put(number, str(number), 0)
    assert [cache.get(number) for number in range(100)] == [str(number) for number in range(100)]


def test_many_threads_see_what_belongs_to_their_number():
    cache: BlockCache[object] = BlockCache(10)

    def work(seed):
        for number in np.random.default_rng(seed).integers(0, 20, 2000).tolist():
            assert cache.get(number) in {None, number}
            cache.put(number, number, 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    cache.put(99, 99, 1)
    assert sum(size for _, size in cache._kept.values()) <= 10
