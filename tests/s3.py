"""A server of S3 in a process of its own, for as long as it is needed."""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SCRIPT = Path(__file__).with_name("s3_server.py")
BUCKET = "drift"


def can_serve() -> bool:
    """Whether all packages are there; moto is slow to import, and only its server needs it."""
    return all(importlib.util.find_spec(module) for module in ("s3fs", "moto", "flask"))


@contextlib.contextmanager
def serve() -> Iterator[dict[str, str]]:
    """Run a server; gives the storage options that connect to it, and BUCKET is there."""
    import fsspec

    with subprocess.Popen([sys.executable, str(SCRIPT)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        endpoint = f"http://127.0.0.1:{int(server.stdout.readline())}"
        options = {"key": "test", "secret": "test", "endpoint_url": endpoint}
        fsspec.filesystem("s3", **options).mkdir(BUCKET)
        yield options
        server.terminate()
