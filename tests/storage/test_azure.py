"""The same promises on Azure Blob Storage, where `npm install azurite` put its emulator on the path."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest

import drift_arrow as drift
from drift_arrow.engine.storage.uris import open_storage
from tests.storage.conformance import StorageConformance
from tests.tables import create, make_table

# of every azurite, documented by Microsoft
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_names = itertools.count()


@pytest.fixture(scope="module")
def azure_options(tmp_path_factory):
    """What connects to an emulator of Azure, which has the container "drift"."""
    adlfs = pytest.importorskip("adlfs", reason="needs adlfs, which is the extra [azure]")
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("needs azurite-blob on the path: npm install -g azurite")
    command = [program, "--blobPort", "0", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path_factory.mktemp("azure")) as server:
        assert server.stdout is not None
        listening = next(line for line in server.stdout if "successfully listens on" in line)
        endpoint = f"{listening.split()[-1]}/devstoreaccount1"
        account = f"AccountName=devstoreaccount1;AccountKey={KEY}"
        options = {"connection_string": f"DefaultEndpointsProtocol=http;{account};BlobEndpoint={endpoint};"}
        adlfs.AzureBlobFileSystem(**options).mkdir("drift")
        yield options
        server.terminate()


@pytest.fixture
def azure_uri() -> str:
    return f"abfs://drift/test-{next(_names)}"


class TestAzure(StorageConformance):
    @pytest.fixture
    def storage(self, azure_options, azure_uri, tmp_path):
        return open_storage(azure_uri, azure_options, cache_directory=tmp_path)


def test_a_collection_lives_in_a_container(azure_options, azure_uri, tmp_path):
    with drift.connect(azure_uri, storage_options=azure_options, cache_directory=tmp_path / "a") as db:
        docs = create(db)
        docs.add(make_table(100))
        docs.flush()
        docs.delete(keys=[1])
        docs.add(make_table(5, start=200))
    with drift.connect(azure_uri, storage_options=azure_options, cache_directory=tmp_path / "b") as db:
        assert len(db.collection("docs")) == 104
        assert db.collection("docs").verify().rows == 100
