from __future__ import annotations

import importlib.util
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

import drift_arrow as drift

_names = itertools.count()


@pytest.fixture(scope="session")
def s3_options():
    """What connects to a server of S3, which has the bucket "drift"."""
    # moto is slow to import, and only its server needs it
    if not all(importlib.util.find_spec(module) for module in ("s3fs", "moto", "flask")):
        pytest.skip("needs s3fs and moto[server], both in the extra [test]")
    import fsspec

    script = Path(__file__).with_name("s3_server.py")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        endpoint = f"http://127.0.0.1:{int(server.stdout.readline())}"
        options = {"key": "test", "secret": "test", "endpoint_url": endpoint}
        fsspec.filesystem("s3", **options).mkdir("drift")
        yield options
        server.terminate()


@pytest.fixture
def s3_uri() -> str:
    """A prefix that no other test uses."""
    return f"s3://drift/test-{next(_names)}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def db(root: Path):
    with drift.connect(root) as database:
        yield database


@pytest.fixture(params=["local", "memory"])
def any_db(request: pytest.FixtureRequest, root: Path):
    uri = str(root) if request.param == "local" else f"memory://test-{next(_names)}"
    with drift.connect(uri) as database:
        yield database
