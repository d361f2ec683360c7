"""The files beside segments: bitmaps, manifests, logs; and the Arrow messages inside of them."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from uuid import UUID

import numpy as np
import pyarrow as pa

from drift_arrow.format.batch import decode_batch, encode_batch
from drift_arrow.format.bitmap_file import decode_bitmap, encode_bitmap
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.contract_file import decode_contract
from drift_arrow.format.layout import HEADER_BYTES, PAGE_BYTES
from drift_arrow.format.manifest import decode_manifest
from drift_arrow.format.schema import decode_schema, encode_schema
from drift_arrow.format.statistics_file import decode_statistics
from tests.format.samples import UUID_1, UUID_2, arrays, contract, manifest, segment_content, statistics
from tests.fuzz.bytes_mutator import mutate_bytes
from tests.fuzz.json_mutator import mutate_json
from tests.fuzz.sealing import change_block_header, change_file_header, seal_block_header, seal_file_header, uuid_of
from tests.fuzz.target import Target

_PATH = "fuzz"
_N_ROWS = 1001
_PREFIX_BYTES = 33


def bitmap_seeds() -> list[bytes]:
    """Bitmaps with no, some and all rows alive."""
    alive = np.arange(_N_ROWS) % 3 > 0
    masks = [alive, np.zeros(_N_ROWS, dtype=np.bool_), np.ones(_N_ROWS, dtype=np.bool_)]
    return [encode_bitmap(np.packbits(mask, bitorder="little"), _N_ROWS, UUID_1) for mask in masks]


def mutate_bitmap(data: bytes, random: Random) -> bytes:
    """Another file header, block header or bits, sealed."""
    if len(data) < PAGE_BYTES + HEADER_BYTES or random.random() < 0.1:
        return mutate_bytes(data, random)
    frame, gap = data[:HEADER_BYTES], data[HEADER_BYTES:PAGE_BYTES]
    header, rest = data[PAGE_BYTES : PAGE_BYTES + HEADER_BYTES], data[PAGE_BYTES + HEADER_BYTES :]
    match random.randrange(3):
        case 0:
            frame = seal_file_header(change_file_header(frame, random))
        case 1:
            header = change_block_header(header, random)
        case _:
            length = int.from_bytes(header[24:28], "little")
            rest = mutate_bytes(rest[:length], random) + rest[length:]
    stored = rest[: int.from_bytes(header[24:28], "little")]
    return frame + gap + seal_block_header(header, uuid_of(frame), stored) + rest


def parse_bitmap(data: bytes) -> None:
    """As recovery does, which knows the rows and the segment."""
    decode_bitmap(data, _PATH, _N_ROWS, UUID_1).sum()


def manifest_seeds() -> list[bytes]:
    """Manifests without segments, with one, and with many."""
    (segment,) = manifest().segments
    paths = [f"segments/{UUID(int=number)}.drift" for number in range(20)]
    many = tuple(replace(segment, path=path, tombstones=None) for path in paths)
    found = [manifest(), manifest(segments=()), manifest(segments=(segment, *many), collection_uuid=UUID(UUID_2))]
    return [one.encode() for one in found]


def mutate_manifest(data: bytes, random: Random) -> bytes:
    """Other JSON under its right digest; statistics and contracts have the same frame."""
    if random.random() < 0.05:
        return mutate_bytes(data, random)
    body = mutate_json(data[_PREFIX_BYTES:-1], random)
    return xxh3_128(body).encode("ascii") + b"\n" + body + b"\n"


def parse_manifest(data: bytes) -> None:
    """What is read is written as the same bytes: there is one spelling."""
    found = decode_manifest(data, _PATH)
    assert decode_manifest(found.encode(), _PATH) == found


def statistics_seeds() -> list[bytes]:
    """Statistics with and without heat and measurements."""
    return [statistics().encode(), statistics(heat={}).encode(), statistics(measurements=()).encode()]


def parse_statistics(data: bytes) -> None:
    """What is read can be written and read again."""
    found = decode_statistics(data, _PATH).encode()
    assert decode_statistics(found, _PATH).encode() == found


def contract_seeds() -> list[bytes]:
    """Contracts with and without canaries."""
    return [contract().encode(), contract(canary_keys=(), canary_vectors=np.empty((0, 3), np.float32)).encode()]


def parse_contract(data: bytes) -> None:
    """What is read can be written and read again."""
    found = decode_contract(data, _PATH).encode()
    assert decode_contract(found, _PATH).encode() == found


def schema_seeds() -> list[bytes]:
    """Schemas of every type, one by one and together."""
    fields = [pa.field(name, array.type, metadata={"k": "v"}) for name, array in arrays().items()]
    schemas = [pa.schema([field]) for field in fields] + [pa.schema(fields, metadata={"owner": "tests"})]
    return [encode_schema(schema).to_pybytes() for schema in [*schemas, segment_content().spec.schema]]


def parse_schema(data: bytes) -> None:
    """Names, types and metadata are looked at too: they may be decoded late."""
    schema = decode_schema(data, path=_PATH, offset=0)
    assert [field.name for field in schema] == schema.names
    assert len([str(field.type) for field in schema]) == len(schema)


_BATCH_SCHEMA = pa.schema([pa.field(f"c{number}", array.type) for number, array in enumerate(arrays().values())])


def batch_seeds() -> list[bytes]:
    """One stream of every type."""
    return [encode_batch(pa.RecordBatch.from_arrays(list(arrays().values()), schema=_BATCH_SCHEMA)).to_pybytes()]


def parse_batch(data: bytes) -> None:
    """As replay does: a payload of the log whose schema is known."""
    decode_batch(data, _BATCH_SCHEMA, path=_PATH, offset=0)


FILE_TARGETS = (
    Target(name="bitmap", seeds=bitmap_seeds, mutate=mutate_bitmap, parse=parse_bitmap),
    Target(name="manifest", seeds=manifest_seeds, mutate=mutate_manifest, parse=parse_manifest),
    Target(name="statistics", seeds=statistics_seeds, mutate=mutate_manifest, parse=parse_statistics),
    Target(name="contract", seeds=contract_seeds, mutate=mutate_manifest, parse=parse_contract),
    Target(name="schema", seeds=schema_seeds, mutate=mutate_bytes, parse=parse_schema),
    Target(name="batch", seeds=batch_seeds, mutate=mutate_bytes, parse=parse_batch),
)
