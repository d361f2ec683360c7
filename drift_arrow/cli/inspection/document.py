"""Segments for programs: everything that is known, as plain values that JSON holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drift_arrow.cli.rows import plain_scalar

if TYPE_CHECKING:
    from drift_arrow.cli.inspection.facts import Facts
    from drift_arrow.format.block_info import BlockInfo
    from drift_arrow.format.encoding import Encoding
    from drift_arrow.format.zone import Zone


def segment_document(facts: Facts, columns: list[str]) -> dict[str, Any]:
    """One segment, with the blocks of `columns`."""
    reader = facts.reader
    return {
        "file": facts.path,
        "bytes": reader.size_bytes,
        "uuid": reader.uuid,
        "rows": reader.n_rows,
        "buckets": reader.n_buckets,
        "seqno_range": list(reader.seqno_range),
        "vector": reader.vector,
        "dim": reader.dim,
        "key": reader.key,
        "metric": reader.metric,
        "columns": [
            {
                "name": name,
                "type": str(reader.schema.field(name).type),
                "blocks": [_block(block) for block in facts.of_column(name)],
            }
            for name in columns
        ],
        "tables": {
            name.lower(): {"blocks": sizes.n_blocks, "bytes": sizes.stored} for name, sizes in facts.tables().items()
        },
        "frame_bytes": facts.frame_bytes,
    }


def _block(block: BlockInfo) -> dict[str, Any]:
    return {
        "first_row": block.first_row,
        "values": block.n_values,
        "offset": block.offset,
        "raw_bytes": block.raw_len,
        "stored_bytes": block.stored_len,
        "encoding": _encoding(block.encoding),
        "zone": None if block.zone is None else _zone(block.zone),
    }


def _encoding(encoding: Encoding) -> dict[str, Any]:
    return {
        "name": encoding.name,
        "values": encoding.n_values,
        "bytes": encoding.stored_bytes,
        "min_width": encoding.min_width,
        "max_width": encoding.max_width,
        "exceptions": encoding.n_exceptions,
        "detail": encoding.detail,
        "children": [_encoding(child) for child in encoding.children],
    }


def _zone(zone: Zone) -> dict[str, Any]:
    return {
        "nulls": zone.null_count,
        "has_nan": zone.has_nan,
        "min": None if zone.minimum is None else plain_scalar(zone.minimum),
        "max": None if zone.maximum is None else plain_scalar(zone.maximum),
    }
