"""The columns of a run: real ones from a folder of data, or generated ones in their place."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from codec_bench import generated
from codec_bench.column import Column, Group

_EMBEDDING_ROWS = 4_096
_SAMPLE_VALUES = 1_024


def load(data: Path) -> tuple[list[Column], list[str]]:
    """All columns.

    Parameters
    ----------
    data : Path
        Folder with `alp/` and `vectors/`; parts of it may be absent.

    Returns
    -------
    (list of Column, list of str)
        The second is what was not found, and generated instead or left out.
    """
    alp = data / "alp"
    row_groups, tables = _row_groups(alp), _tables(alp)
    caches, embeddings = _kv_caches(alp), _embeddings(data / "vectors")
    samples = _samples(alp / "samples")
    missing = [] if samples else ["samples: left out"]
    missing += [
        f"{name}: generated"
        for name, found in (("row-groups", row_groups), ("columns.npz", tables), ("kv-cache", caches))
        if not found
    ]
    missing += [] if embeddings else ["embeddings of text: only generated ones"]
    columns = _of(Group.SAMPLE, samples.items())
    for name, values in (row_groups or generated.row_groups()).items():
        columns.append(Column(Group.ROW_GROUP, name, values[: generated.HOT_ROWS]))
        columns.append(Column(Group.LARGE_ROW_GROUP, name, generated.tiled(values, generated.LARGE_BYTES)))
    columns += _of(Group.TABLE, (tables or generated.table_columns()).items())
    columns += _of(Group.KV_CACHE, (caches or generated.kv_cache()).items())
    made = generated.unit_vectors(_EMBEDDING_ROWS, 64).reshape(-1)
    columns += _of(Group.EMBEDDING, {**embeddings, "generated unit vectors": made}.items())
    return columns + generated.integers(), missing


def _of(group: Group, columns: Iterable[tuple[str, NDArray[Any]]]) -> list[Column]:
    return [Column(group, name, values) for name, values in columns]


def _samples(folder: Path) -> dict[str, NDArray[np.float64]]:
    paths = sorted(folder.glob("*.csv"))
    return {path.stem: np.array(path.read_text().split()[:_SAMPLE_VALUES], np.float64) for path in paths}


def _row_groups(alp: Path) -> dict[str, NDArray[np.float64]]:
    paths = sorted((alp / "rowgroup_bin").glob("*_tw.bin"))
    return {path.name.removesuffix("_tw.bin"): np.fromfile(path, np.float64) for path in paths}


def _tables(alp: Path) -> dict[str, NDArray[Any]]:
    path = alp / "columns.npz"
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as archive:
        # some have one value more, which would be a block of its own
        return {name: np.ascontiguousarray(archive[name][: generated.HOT_ROWS]) for name in archive.files}


def _kv_caches(alp: Path) -> dict[str, NDArray[np.float32]]:
    paths = sorted((alp / "float").glob("kv_cache_*.f32"))
    return {path.stem.removeprefix("kv_cache_"): np.fromfile(path, np.float32) for path in paths}


def _embeddings(vectors: Path) -> dict[str, NDArray[np.float32]]:
    """Embeddings of commit messages: in float16, widened; and in float32, turned by a random rotation."""
    path = vectors / "gitlog256.parquet"
    if not path.exists():
        return {}
    column = pq.read_table(path, columns=["embedding"]).column(0).combine_chunks()
    rows = column.values.to_numpy().reshape(len(column), -1)[:_EMBEDDING_ROWS].astype(np.float64)
    rotation, _ = np.linalg.qr(np.random.default_rng(8).normal(size=(rows.shape[1], rows.shape[1])))
    return {
        "text, true float32": generated.normalised(rows @ rotation).reshape(-1),
        "text, float16 widened": rows.astype(np.float32).reshape(-1),
    }
