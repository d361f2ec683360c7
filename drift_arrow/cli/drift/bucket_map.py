"""A map of buckets: their centroids in the plane that shows most of them, coloured by what has become of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.errors import InvalidArgumentError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

_PANELS: Final = (("heat", "queries"), ("drift", "radii"), ("zombie_ratio", "share of dead rows"))
_AREA: Final = 40.0
"""Of the mark of a bucket of mean size, in square points."""

_LEAST_AREA: Final = 4.0


def draw_map(centroids: NDArray[np.float32], buckets: pl.DataFrame, path: Path) -> None:
    """Write a picture with one panel for heat, drift and dead rows each; marks have the area of their live rows.

    Parameters
    ----------
    centroids : (B, dim) float32
    buckets : polars.DataFrame
        As `drift_frame` gives it, in the same order.
    path : Path
        Its suffix says the format.

    Raises
    ------
    InvalidArgumentError
        matplotlib is not installed, or does not know the format.
    StorageError
        The file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise InvalidArgumentError('a plot needs matplotlib: pip install "drift_arrow[plot]"') from error
    places = principal_plane(centroids)
    live = buckets["live"].to_numpy()
    areas = np.maximum(_AREA * live / max(live.mean(), 1.0), _LEAST_AREA) if len(live) else live
    figure = Figure(figsize=(15, 5), layout="constrained")
    for axes, (column, unit) in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
        marks = axes.scatter(places[:, 0], places[:, 1], s=areas, c=buckets[column].to_numpy(), cmap="viridis")
        figure.colorbar(marks, ax=axes, label=unit)
        axes.set_title(column.replace("_", " "))
        axes.set_xticks([])
        axes.set_yticks([])
    try:
        figure.savefig(path, dpi=120)
    except ValueError as error:
        raise InvalidArgumentError(f"matplotlib cannot draw that: {error}; path={str(path)!r}") from error
    except OSError as error:
        raise StorageError(f"cannot write the plot: {error.strerror or error}; path={str(path)!r}") from error


def principal_plane(centroids: NDArray[np.float32]) -> NDArray[np.float64]:
    """(B, 2) coordinates along the two directions of largest variance (Pearson, 1901); zeros where there are fewer."""
    plane = np.zeros((len(centroids), 2))
    if not len(centroids):
        return plane
    centred = centroids.astype(np.float64) - centroids.mean(axis=0, dtype=np.float64)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    plane[:, : min(2, len(directions))] = centred @ directions[:2].T
    return plane
