from __future__ import annotations

import threading

import pytest

from drift_arrow.engine.workers import Workers


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize("n_rows", [0, 1, 2, 99, 100, 101])
def test_every_row_is_done_once(n_threads, n_rows):
    done: list[int] = []
    guard = threading.Lock()

    def work(start, stop):
        assert 0 < stop - start <= 10
        with guard:
            done.extend(range(start, stop))

    with Workers(n_threads) as workers:
        workers.run(work, n_rows, 10)
    assert sorted(done) == list(range(n_rows))


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_come_in_the_order_of_the_items(n_threads):
    with Workers(n_threads) as workers:
        assert workers.map(lambda item: item * 2, range(50)) == list(range(0, 100, 2))


@pytest.mark.parametrize("n_threads", [1, 3])
def test_an_error_of_one_part_is_raised_once_no_part_runs(n_threads):
    running: list[int] = []
    guard = threading.Lock()

    def work(item):
        with guard:
            running.append(item)
        try:
            if item == 1:
                raise ValueError(f"part {item}")
        finally:
            with guard:
                running.remove(item)

    with Workers(n_threads) as workers:
        with pytest.raises(ValueError, match="part 1"):
            workers.map(work, range(8))
        assert running == []


def test_several_threads_work_at_once():
    met = threading.Barrier(2, timeout=60)
    with Workers(2) as workers:
        workers.map(lambda _: met.wait(), range(2))
