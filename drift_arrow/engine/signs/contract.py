"""The embedding contract: vectors of another model are refused before they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift_arrow.engine.keys import as_keys
from drift_arrow.engine.storage import create_file
from drift_arrow.engine.vectors import as_matrix, as_queries
from drift_arrow.errors import CorruptionError, InvalidArgumentError
from drift_arrow.format.contract_file import ContractFile, decode_contract
from drift_arrow.format.layout import MAX_CONTRACT_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from numpy.typing import NDArray

    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.engine.storage import Storage

CONTRACT_DIRECTORY: Final = "contracts"
MODEL_METADATA: Final = b"embedding_model"
"""Key of the metadata of an Arrow schema under which a table may say which model made its vectors."""

_NAME: Final = re.compile(r"^contracts/([0-9]{20})\.json$")
_DEVIATIONS: Final = 6.0
_RELATIVE: Final = 0.01
"""Lengths may differ from the mean by so many deviations and this part of it: unit vectors have no deviation."""

_OUTLIERS: Final = 0.01
"""Share of the rows of a batch whose lengths may be any."""

_LEAST_COSINE: Final = 0.99
"""Of a canary with itself, embedded again: hardware and rounding leave .9999, another model little above 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """What vectors of a collection must be like.

    Parameters
    ----------
    content : ContractFile
    keys : pyarrow.Array
        Of the canaries, in the type of the key column.
    """

    content: ContractFile
    keys: pa.Array

    @property
    def model(self) -> str:
        """Name of the model that makes the vectors."""
        return self.content.model

    @property
    def norms(self) -> tuple[float, float]:
        """Shortest and longest vector that is no outlier."""
        mean = self.content.norm_mean
        width = _DEVIATIONS * self.content.norm_deviation + _RELATIVE * mean
        return max(0.0, mean - width), mean + width

    def check(self, metadata: Mapping[bytes, bytes] | None, batch: pa.RecordBatch, spec: CollectionSpec) -> None:
        """Raise InvalidArgumentError, with the figures, if a checked batch does not fit."""
        self._check_model((metadata or {}).get(MODEL_METADATA))
        matrix = as_matrix(batch.column(spec.vector))
        self._check_norms(np.linalg.norm(matrix.astype(np.float64), axis=1), spec)
        if len(self.keys):
            self._check_canaries(batch.column(spec.key), matrix, spec)

    def _check_model(self, found: bytes | None) -> None:
        if found is not None and found != self.model.encode():
            message = "the vectors are of another model: embed them again, or make a collection for them"
            raise InvalidArgumentError(f"{message}; got={found.decode(errors='replace')!r} expected={self.model!r}")

    def _check_norms(self, norms: NDArray[np.float64], spec: CollectionSpec) -> None:
        low, high = self.norms
        share = float(((norms < low) | (norms > high)).mean())
        if share > _OUTLIERS:
            raise InvalidArgumentError(
                "the lengths of the vectors do not fit the contract: embed them with its model; "
                f"column={spec.vector!r} model={self.model!r} outside={share:.1%} mean_length={norms.mean():.6g} "
                f"expected={low:.6g}..{high:.6g}"
            )

    def _check_canaries(self, keys: pa.Array, matrix: NDArray[np.float32], spec: CollectionSpec) -> None:
        canaries = pc.fill_null(pc.index_in(keys, value_set=self.keys), -1).to_numpy()
        rows = np.flatnonzero(canaries >= 0)
        if not len(rows):
            return
        cosines = _cosines(matrix[rows], self.content.canary_vectors[canaries[rows]])
        worst = int(cosines.argmin())
        if cosines[worst] < _LEAST_COSINE:
            raise InvalidArgumentError(
                "a canary has another vector than the contract says: embed the rows with its model; "
                f"column={spec.vector!r} model={self.model!r} key={keys[int(rows[worst])].as_py()!r} "
                f"cosine={cosines[worst]:.4f} least={_LEAST_COSINE}"
            )


def make_contract(
    model: object, like: Any, canaries: Mapping[Any, Any] | None, spec: CollectionSpec, collection_uuid: UUID
) -> Contract:
    """A contract after examples.

    Parameters
    ----------
    model : str
        1 to 200 characters.
    like : (n, dim) array
        Vectors of the model, at least two; their lengths become those of the contract.
    canaries : mapping of key to vector, optional
        Rows whose vectors are known: whenever a batch holds one of them, its vector must be this one.
    spec, collection_uuid : CollectionSpec, UUID
        Of the collection.

    Raises
    ------
    InvalidArgumentError
        Names the bad argument.
    """
    if not isinstance(model, str) or not 1 <= len(model) <= 200:
        raise InvalidArgumentError(f"a model has a name of 1 to 200 characters; got={model!r}")
    examples, _ = as_queries(like, spec.dim)
    if len(examples) < 2:
        raise InvalidArgumentError(f"lengths are learnt from two vectors or more; got={len(examples)}")
    named = dict(canaries or {})
    keys = as_keys(list(named), spec)
    vectors = np.empty((0, spec.dim), np.float32)
    if named:
        vectors, _ = as_queries(list(named.values()), spec.dim)
    norms = np.linalg.norm(examples.astype(np.float64), axis=1)
    content = ContractFile(
        collection_uuid=str(collection_uuid),
        model=model,
        norm_mean=float(norms.mean()),
        norm_deviation=float(norms.std()),
        canary_keys=tuple(str(key) for key in keys.to_pylist()),
        canary_vectors=vectors,
    )
    return Contract(content, keys)


def write_contract(storage: Storage, contract: Contract) -> None:
    """Make a contract the one that counts, durably; the caller holds the lock of the collection."""
    older = _files(storage)
    if not older:
        storage.make_directories([CONTRACT_DIRECTORY])
    number = older[-1][0] + 1 if older else 1
    create_file(storage, f"{CONTRACT_DIRECTORY}/{number:020d}.json", contract.content.encode())
    for _, path in older:
        storage.delete(path)


def delete_contract(storage: Storage) -> None:
    """Remove the contract, if there is one; the caller holds the lock of the collection."""
    # oldest first: an older one must not come to count when a crash cuts this off
    for _, path in _files(storage):
        storage.delete(path)


def read_contract(storage: Storage, spec: CollectionSpec, collection_uuid: UUID) -> Contract | None:
    """The contract that counts, or None if there is none.

    Raises
    ------
    CorruptionError, UnsupportedFormatError, StorageError
        It cannot be read or trusted: then nothing may be written on the strength of it.
    """
    files = _files(storage)
    if not files:
        return None
    path = files[-1][1]
    content = decode_contract(storage.read(path, MAX_CONTRACT_BYTES), path)
    if content.collection_uuid != str(collection_uuid) or content.canary_vectors.shape[1] != spec.dim:
        raise CorruptionError("the contract is of another collection", path=path, offset=0)
    try:
        keys = pa.array(content.canary_keys, pa.string()).cast(spec.schema.field(spec.key).type)
    except pa.ArrowInvalid as error:
        raise CorruptionError(f"the contract names keys of another type: {error}", path=path, offset=0) from error
    return Contract(content, keys)


def _files(storage: Storage) -> list[tuple[int, str]]:
    """Numbers and paths, oldest first."""
    matches = [_NAME.match(file.path) for file in storage.list_files(CONTRACT_DIRECTORY)]
    return sorted((int(match[1]), match[0]) for match in matches if match)


def _cosines(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of each row with its partner; 0 for a zero vector."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    products = np.einsum("ij,ij->i", a, b)
    cosines: NDArray[np.float64] = np.divide(products, lengths, out=np.zeros(len(a)), where=lengths > 0)
    return cosines
