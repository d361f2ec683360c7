"""What was observed of a collection, kept beside it as advice: one line of digest and one line of canonical JSON."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drift_arrow.format.canonical_json import Fields, dump_json
from drift_arrow.format.layout import FORMAT_VERSION, MAX_STATISTICS_BYTES, STATISTICS_KIND, Buffer
from drift_arrow.format.sealed_json import seal, unseal

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOURCES: Final = ("queries", "rows")
"""What recall was measured with: queries that were sampled from searches, or rows of the collection."""

_UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HEAT_TYPE: Final = np.dtype("<f4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Recall of one kind of search at one moment.

    Parameters
    ----------
    version : int
        Of the collection.
    taken_ns : int
        Wall clock, nanoseconds since 1970 UTC.
    k : int
        Rows per query, at least 1.
    target, recall, low, high : float
        What was asked for, what was found, and the ends of its 95 % interval; 0 to 1.
    scanned : float
        Mean share of the rows of all segments that a query scanned, 0 to 1.
    n_queries : int
        At least 1.
    source : str
        One of `SOURCES`.
    """

    version: int
    taken_ns: int
    k: int
    target: float
    recall: float
    low: float
    high: float
    scanned: float
    n_queries: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StatisticsFile:
    """The content of one file.

    Parameters
    ----------
    collection_uuid : str
        Of the collection that was observed.
    written_ns : int
        When heat had its values; wall clock, nanoseconds since 1970 UTC.
    heat : dict of str to (buckets,) float32
        Decayed counts of queries that scanned each bucket, by UUID of the segment; finite, from 0.
    measurements : tuple of Measurement
        Oldest first.
    """

    collection_uuid: str
    written_ns: int
    heat: dict[str, NDArray[np.float32]]
    measurements: tuple[Measurement, ...]

    def encode(self) -> bytes:
        """The bytes of the file; LimitExceededError above `MAX_STATISTICS_BYTES`."""
        heat = {uuid: base64.b64encode(values.astype(_HEAT_TYPE).tobytes()) for uuid, values in self.heat.items()}
        body = dump_json(
            {
                "kind": STATISTICS_KIND,
                "format_version": FORMAT_VERSION,
                "collection_uuid": self.collection_uuid,
                "written_ns": str(self.written_ns),
                "heat": {uuid: text.decode("ascii") for uuid, text in heat.items()},
                "measurements": [_to_dict(measurement) for measurement in self.measurements],
            }
        )
        return seal(body, MAX_STATISTICS_BYTES, what="a statistics file", remedy="merge segments")


def decode_statistics(data: Buffer, path: str) -> StatisticsFile:
    """Read the bytes of a statistics file.

    Raises
    ------
    CorruptionError
        They are too many, fail their digest, or say something that no writer says.
    UnsupportedFormatError
        A newer version wrote them.
    """
    fields = unseal(data, MAX_STATISTICS_BYTES, what="statistics file", kind=STATISTICS_KIND, path=path)
    fields.only(*StatisticsFile.__dataclass_fields__, "kind", "format_version")
    heat = fields.object("heat")
    return StatisticsFile(
        collection_uuid=fields.text("collection_uuid", _UUID),
        written_ns=fields.long_integer("written_ns"),
        heat={uuid: _heat_from(heat, uuid) for uuid in heat.value},
        measurements=tuple(_measurement_from(entry) for entry in fields.objects("measurements")),
    )


def _to_dict(measurement: Measurement) -> dict[str, Any]:
    entry = {name: getattr(measurement, name) for name in Measurement.__dataclass_fields__}
    return entry | {"taken_ns": str(measurement.taken_ns)}


def _measurement_from(fields: Fields) -> Measurement:
    fields.only(*Measurement.__dataclass_fields__)
    return Measurement(
        version=fields.integer("version", 1),
        taken_ns=fields.long_integer("taken_ns"),
        k=fields.integer("k", 1),
        target=_share(fields, "target"),
        recall=_share(fields, "recall"),
        low=_share(fields, "low"),
        high=_share(fields, "high"),
        scanned=_share(fields, "scanned"),
        n_queries=fields.integer("n_queries", 1),
        source=fields.text("source", "|".join(SOURCES)),
    )


def _heat_from(fields: Fields, uuid: str) -> NDArray[np.float32]:
    data = fields.base64(uuid)
    if len(data) % _HEAT_TYPE.itemsize:
        raise fields.error(f"needs whole numbers of 32 bits; key={uuid!r}")
    values = np.frombuffer(data, _HEAT_TYPE)
    if not (np.isfinite(values) & (values >= 0)).all():
        raise fields.error(f"needs finite numbers from 0; key={uuid!r}")
    return values.astype(np.float32)


def _share(fields: Fields, key: str) -> float:
    value = fields.get(key)
    # a float that is whole is written as 1.0, so an integer here was written by somebody else
    if type(value) is not float or not (math.isfinite(value) and 0 <= value <= 1):
        raise fields.error(f"needs a number from 0 to 1; key={key!r}")
    return value
