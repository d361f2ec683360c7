"""Live rows of memtables and segments to the contents of one new segment, grouped by bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from drift_arrow.engine.bucketing import count_buckets, group_rows, sort_by_bucket
from drift_arrow.engine.snapshot import SegmentView, live_mask
from drift_arrow.format.layout import MAX_BLOCK_BYTES
from drift_arrow.format.segment_content import SegmentContent
from drift_arrow.format.segment_extent import SegmentExtent
from drift_arrow.format.segment_spec import SegmentSpec
from drift_arrow.format.take import take_rows
from drift_arrow.kernels.distance import normalize_rows, squared_norms
from drift_arrow.kernels.sq8 import sq8_encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.snapshot import View
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.options import Options


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Built:
    """A segment ready to be written.

    Parameters
    ----------
    content : SegmentContent
        What `write_segment` takes.
    order : (n,) int64
        For each row of the segment, its place in the inputs laid end to end, dead rows counted.
    """

    content: SegmentContent
    order: NDArray[np.int64]


def build_segment(
    inputs: Sequence[View], spec: CollectionSpec, options: Options, seqno_range: tuple[int, int]
) -> Built | None:
    """Gather the live rows of `inputs` and group them into buckets.

    Parameters
    ----------
    inputs : sequence of View
        Each row once; memory is about twice that of the inputs' vectors.
    spec, options : CollectionSpec, Options
        Of the collection.
    seqno_range : (int, int)
        Oldest and newest operation among the rows.

    Returns
    -------
    Built or None
        None if no row is alive.
    """
    alive = np.flatnonzero(np.concatenate([live_mask(view) for view in inputs]))
    if not len(alive):
        return None
    vectors = np.concatenate([_raw_vectors(view) for view in inputs])[alive]
    matrix = np.ascontiguousarray(vectors, dtype=np.float32)
    basis = normalize_rows(matrix) if spec.metric == "cosine" else matrix
    n_buckets = count_buckets(len(basis))
    centroids, owner = group_rows(basis, n_buckets, seed=options.seed, spherical=spec.metric == "cosine")
    buckets = sort_by_bucket(centroids, owner, max(1, MAX_BLOCK_BYTES // spec.dim))
    order = buckets.order
    sq8 = sq8_encode(basis[order], buckets.offsets)
    payload = pa.concat_tables([view.columns(spec.payload_schema.names) for view in inputs])
    rows = SegmentExtent(
        table=take_rows(payload, alive[order]),
        vectors=vectors[order],
        offsets=buckets.offsets,
        centroids=buckets.centroids,
        codes=sq8.codes,
        lo=sq8.lo,
        step=sq8.step,
        norms=squared_norms(matrix[order]),
        fingerprints=np.concatenate([_fingerprints(view) for view in inputs])[alive[order]],
    )
    segment = SegmentSpec(
        schema=spec.schema,
        vector=spec.vector,
        key=spec.key,
        metric=spec.metric,
        seqno_range=seqno_range,
        profile=options.profile,
    )
    content = SegmentContent(spec=segment, rows=rows)
    return Built(content=content, order=alive[order])


def _raw_vectors(view: View) -> NDArray[np.generic]:
    if isinstance(view, SegmentView):
        return view.reader.raw_vectors(0, view.n_rows)
    return view.memtable.raw_vectors(view.n_rows)


def _fingerprints(view: View) -> NDArray[np.uint64]:
    if not isinstance(view, SegmentView):
        return view.memtable.fingerprints[: view.n_rows]
    fingerprints = np.empty((view.n_rows, 2), dtype=np.uint64)
    fingerprints[view.reader.key_order] = view.reader.sorted_fingerprints
    return fingerprints
