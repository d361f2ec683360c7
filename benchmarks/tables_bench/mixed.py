"""A table of many kinds of columns, the same for every run: events of a shop, in the order of their time."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DIM: Final = 32
_CLUSTERS: Final = 200
_LATENT: Final = 8
_DAY: Final = 86_400_000_000
_WORDS: Final = (
    *("arrow", "battery", "bright", "cable", "case", "charger", "clean", "compact", "cotton", "dark", "desk", "door"),
    *("engine", "fabric", "filter", "glass", "grip", "handle", "heavy", "kit", "lamp", "leather", "light", "lock"),
    *("metal", "mini", "motor", "night", "oak", "paper", "pocket", "power", "quiet", "red", "remote", "ring", "sensor"),
    *(
        "shelf",
        "silver",
        "small",
        "smart",
        "soft",
        "solar",
        "steel",
        "stone",
        "strap",
        "table",
        "travel",
        "wall",
        "warm",
    ),
    *("water", "white", "wide", "wire", "wood", "wool"),
)
_CITIES: Final = tuple(
    f"{a}{b}" for a in ("Nord", "Süd", "Ost", "West", "Alt", "Neu") for b in ("berg", "hausen", "stadt")
)
_STATES: Final = ("placed", "paid", "shipped", "delivered", "returned")


def mixed_table(rows: int) -> pa.Table:
    """Ids, times, categories, prices, sensor values, flags, nulls, short texts, lists, and vectors of float32."""
    rng = np.random.default_rng(11)
    cluster = _drifting_clusters(rng, rows)
    price = _prices(rng)[rng.zipf(1.3, rows) % 2_000]
    time = 1_600_000_000_000_000 + np.cumsum(rng.exponential(3e7, rows).astype(np.int64))
    amount = rng.geometric(0.6, rows).astype(np.int16)
    return pa.table(
        {
            "id": pa.array(10_000_000 + np.cumsum(rng.integers(1, 4, rows))),
            "time": pa.array(time, pa.timestamp("us", tz="UTC")),
            "day": pa.array((time // _DAY).astype(np.int32), pa.date32()),
            "customer": pa.array((rng.pareto(1.2, rows) * 500).astype(np.int64) % 200_000),
            "category": _picked([f"category {number:03}" for number in range(_CLUSTERS)], cluster),
            "city": _picked(_CITIES, (rng.zipf(1.6, rows) - 1) % len(_CITIES)),
            "state": _picked(_STATES, rng.choice(len(_STATES), rows, p=[0.02, 0.03, 0.1, 0.8, 0.05])),
            "price": pa.array(price),
            "amount": pa.array(amount),
            "total": pa.array(np.round(price * amount, 2)),
            "discount": pa.array(np.round(rng.random(rows) * 0.3, 2), mask=rng.random(rows) < 0.7),
            "temperature": pa.array(np.round(_walk(rng, rows), 2)),
            "voltage": pa.array((3.7 + 0.01 * rng.normal(size=rows)).astype(np.float32)),
            "is_gift": pa.array(rng.random(rows) < 0.04),
            "is_member": pa.array(rng.random(rows) < 0.4, mask=rng.random(rows) < 0.1),
            "title": _titles(rng, rows),
            "comment": _comments(rng, rows),
            "tags": _tags(rng, rows),
            "vector": _vectors(rng, cluster),
        }
    )


def _drifting_clusters(rng: np.random.Generator, rows: int) -> NDArray[np.int64]:
    """A few clusters at a time, which change as time goes on."""
    centre = np.linspace(0, _CLUSTERS, rows)
    return (centre + rng.normal(0, 12, rows)).astype(np.int64) % _CLUSTERS


def _prices(rng: np.random.Generator) -> NDArray[np.float64]:
    prices: NDArray[np.float64] = np.floor(rng.lognormal(3, 1, 2_000)) + rng.choice([0.99, 0.95, 0.5, 0.0], 2_000)
    return prices


def _walk(rng: np.random.Generator, rows: int) -> NDArray[np.float64]:
    """A room over the year: days, seasons, and a sensor with noise."""
    hours = np.arange(rows) / 120
    walk: NDArray[np.float64] = 20 + 3 * np.sin(hours / 24 * 2 * np.pi) + rng.normal(0, 0.05, rows).cumsum() * 0.1
    return walk


def _picked(names: Any, numbers: NDArray[Any]) -> pa.Array:
    return pa.array(names).take(pa.array(numbers))


def _titles(rng: np.random.Generator, rows: int) -> pa.Array:
    """One of 20,000 titles of two to five words, some far more often than others."""
    titles = [" ".join(rng.choice(_WORDS, rng.integers(2, 6))) for _ in range(20_000)]
    return _picked(titles, rng.zipf(1.2, rows) % len(titles))


def _comments(rng: np.random.Generator, rows: int) -> pa.Array:
    """Short texts, hardly two of them alike; most rows have none."""
    numbers = rng.integers(0, 1_000_000, rows).tolist()
    words = rng.choice(_WORDS, (rows, 3)).tolist()
    is_null = rng.random(rows) < 0.8
    texts = [f"{' '.join(three)} #{number}" for three, number in zip(words, numbers, strict=True)]
    return pa.array(texts, mask=is_null)


def _tags(rng: np.random.Generator, rows: int) -> pa.Array:
    lengths = rng.integers(0, 5, rows)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    values = pa.array((rng.zipf(1.5, offsets[-1]) % 500).astype(np.int32))
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _vectors(rng: np.random.Generator, cluster: NDArray[np.int64]) -> pa.Array:
    """Clusters on a plane of few dimensions, which is how embeddings lie."""
    plane = rng.normal(size=(_LATENT, DIM))
    points = rng.normal(size=(_CLUSTERS, _LATENT))[cluster] + 0.3 * rng.normal(size=(len(cluster), _LATENT))
    vectors = (points @ plane + 0.05 * rng.normal(size=(len(cluster), DIM))).astype(np.float32)
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIM)
