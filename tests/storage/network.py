"""The way to a store: counted, and lossy on request. It stands between our storage and a real file system of fsspec."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from drift_arrow.engine.storage.file_cache import FileCache
from drift_arrow.engine.storage.objects import ObjectStorage
from drift_arrow.engine.storage.retry import Retry

_REQUESTS = frozenset({"cat_file", "cat_ranges", "find", "ls", "pipe_file", "rm", "rm_file", "size"})


class Network:
    """A file system behind a network.

    Parameters
    ----------
    files : fsspec.AbstractFileSystem
    loss : float
        Probability that a request does not arrive, and again that its answer does not come back.
    delay_s : float
        Longest time that a request takes on its way, and again its answer.
    seed : int

    Attributes
    ----------
    requests : list of str
        Methods that were called, each of them one round trip.
    lost_requests, lost_answers : int
    """

    def __init__(self, files: Any, loss: float = 0.0, delay_s: float = 0.0, seed: int = 0) -> None:
        self._files = files
        self._loss, self._delay_s = loss, delay_s
        self._random = random.Random(seed)
        self.requests: list[str] = []
        self.lost_requests = self.lost_answers = 0
        self.protocol = files.protocol

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in _REQUESTS:
            raise AttributeError(name)

        def send(*args: Any, **kwargs: Any) -> Any:
            self.requests.append(name)
            self._pause()
            if self._random.random() < self._loss:
                self.lost_requests += 1
                raise ConnectionResetError("the request was lost")
            answer = getattr(self._files, name)(*args, **kwargs)
            self._pause()
            if self._random.random() < self._loss:
                self.lost_answers += 1
                raise TimeoutError("the answer was lost")
            return answer

        return send

    def _pause(self) -> None:
        if self._delay_s:
            time.sleep(self._random.random() * self._delay_s)


def storage_behind(network: Network, uri: str, cache: FileCache) -> ObjectStorage:
    """A storage that waits for nothing between two attempts."""
    return ObjectStorage(network, uri.partition("://")[2], uri, Retry(sleep=lambda _: None), cache)
