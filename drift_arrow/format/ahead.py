"""Items of an iterator, each made while the one before is used."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """The same items, made by another thread, at most one more than was asked for.

    Notes
    -----
    What making an item raises comes where the item would. When the caller stops early, it waits for the item that is
    being made.
    """
    with ThreadPoolExecutor(1, "drift ahead") as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item
