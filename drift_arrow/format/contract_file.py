"""What vectors of a collection must be like: one line of digest and one line of canonical JSON."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.format.canonical_json import Fields, dump_json
from drift_arrow.format.layout import CONTRACT_KIND, FORMAT_VERSION, MAX_CONTRACT_BYTES, Buffer
from drift_arrow.format.sealed_json import seal, unseal

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_VECTOR_TYPE: Final = np.dtype("<f4")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContractFile:
    """The content of one file.

    Parameters
    ----------
    collection_uuid : str
        Of the collection.
    model : str
        Name of the model that makes the vectors.
    norm_mean, norm_deviation : float
        Of the lengths of its vectors; finite, not negative.
    canary_keys : tuple of str
        Keys of rows whose vectors are known, each once; integers in decimal.
    canary_vectors : (n, dim) float32
        What they are, finite; dim is at least 1.
    """

    collection_uuid: str
    model: str
    norm_mean: float
    norm_deviation: float
    canary_keys: tuple[str, ...]
    canary_vectors: NDArray[np.float32]

    def encode(self) -> bytes:
        """The bytes of the file; LimitExceededError above `MAX_CONTRACT_BYTES`."""
        vectors = base64.b64encode(self.canary_vectors.astype(_VECTOR_TYPE).tobytes())
        body = dump_json(
            {
                "kind": CONTRACT_KIND,
                "format_version": FORMAT_VERSION,
                "collection_uuid": self.collection_uuid,
                "model": self.model,
                "norm_mean": self.norm_mean,
                "norm_deviation": self.norm_deviation,
                "dim": self.canary_vectors.shape[1],
                "canary_keys": list(self.canary_keys),
                "canary_vectors": vectors.decode("ascii"),
            }
        )
        return seal(body, MAX_CONTRACT_BYTES, what="a contract", remedy="take fewer canaries")


def decode_contract(data: Buffer, path: str) -> ContractFile:
    """Read the bytes of a contract file.

    Raises
    ------
    CorruptionError
        They are too many, fail their digest, or say something that no writer says.
    UnsupportedFormatError
        A newer version wrote them.
    """
    fields = unseal(data, MAX_CONTRACT_BYTES, what="contract", kind=CONTRACT_KIND, path=path)
    fields.only(*ContractFile.__dataclass_fields__, "kind", "format_version", "dim")
    keys = _keys(fields)
    return ContractFile(
        collection_uuid=fields.text("collection_uuid", _UUID),
        model=fields.text("model"),
        norm_mean=_length(fields, "norm_mean"),
        norm_deviation=_length(fields, "norm_deviation"),
        canary_keys=keys,
        canary_vectors=_vectors(fields, len(keys)),
    )


def _keys(fields: Fields) -> tuple[str, ...]:
    keys = fields.get("canary_keys")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or len({*keys}) != len(keys):
        raise fields.error("needs an array of different strings; key='canary_keys'")
    return tuple(keys)


def _vectors(fields: Fields, n_rows: int) -> NDArray[np.float32]:
    dim = fields.integer("dim", 1, MAX_CONTRACT_BYTES)
    data = fields.base64("canary_vectors")
    if len(data) != n_rows * dim * _VECTOR_TYPE.itemsize:
        raise fields.error(f"needs a vector per canary; canaries={n_rows} dim={dim}")
    vectors = np.frombuffer(data, _VECTOR_TYPE).astype(np.float32).reshape(n_rows, dim)
    if not np.isfinite(vectors).all():
        raise fields.error("needs finite vectors; key='canary_vectors'")
    return vectors


def _length(fields: Fields, key: str) -> float:
    value = fields.get(key)
    # a float that is whole is written as 1.0, so an integer here was written by somebody else
    if type(value) is not float or not 0 <= value < math.inf:
        raise fields.error(f"needs a number from 0; key={key!r}")
    return value
