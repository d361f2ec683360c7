"""What the codecs must reach, and whether they do."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from codec_bench.column import Group
from codec_bench.measure import Result
from codec_bench.published import SAMPLES, WHOLE_COLUMNS
from harness.report import Bar, geometric_mean

OURS: Final = "drift"
LARGE_BLOCKS: Final = "drift-16MiB"
_PAIRS: Final = (("drift-parsed", "vortex"), (OURS, "vortex-bytes"))
"""What is compared when decoding: both from parsed arrays in memory, or both from bytes."""

_NAN: Final = float("nan")


class Results:
    """Results by group, column and codec."""

    def __init__(self, results: Sequence[Result]) -> None:
        self._found = {(result.group, result.column, result.codec): result for result in results}

    def columns(self, *groups: Group) -> list[tuple[Group, str]]:
        """Group and name of the columns of some groups, in their order."""
        return list(dict.fromkeys((Group(group), name) for group, name, _ in self._found if group in groups))

    def get(self, group: Group, column: str, codec: str) -> Result:
        """The result of one codec on one column."""
        return self._found[group, column, codec]

    def ratios(self, of: str, codec: str, other: str, *groups: Group) -> dict[str, float]:
        """`bits`, `encode` or `decode` of a codec divided by that of another, by column."""
        return {
            name: getattr(self.get(group, name, codec), of) / getattr(self.get(group, name, other), of)
            for group, name in self.columns(*groups)
        }


def bars(results: Results, counted: Mapping[str, float]) -> list[Bar]:
    """All bars.

    Parameters
    ----------
    results : Results
    counted : mapping of str to float
        Bits per value of the samples as the publication counts them, by column.
    """
    return [
        *_speed(results),
        *_copy_speed(results),
        *_encode_speed(results),
        *_published_bits(counted),
        *_vortex_bits(results),
        *_float32(results),
    ]


def _least(name: str, ratios: Mapping[str, float], limit: float) -> Bar:
    return Bar(name=name, value=min(ratios.values(), default=_NAN), limit=limit, note=_listed(ratios))


def _mean(name: str, ratios: Mapping[str, float], limit: float) -> Bar:
    return Bar(name=name, value=geometric_mean(list(ratios.values())), limit=limit, note=_listed(ratios))


def _listed(ratios: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())


def _speed(results: Results) -> list[Bar]:
    found = []
    for ours, theirs in _PAIRS:
        against = partial(results.ratios, "decode", ours, theirs)
        pair = f"{ours} / {theirs}"
        found += [
            _mean(f"decode float64 hot, geometric mean, {pair}", against(Group.ROW_GROUP), 2.5),
            _least(f"decode float64 hot, least, {pair}", against(Group.ROW_GROUP), 2.0),
            _least(f"decode int64 hot, least, {pair}", against(Group.INTEGER), 1.1),
            _least(f"decode int64 17 MB, least, {pair}", against(Group.LARGE_INTEGER), 1.5),
            _least(f"decode float32, least, {pair}", against(Group.KV_CACHE, Group.EMBEDDING), 2.0),
        ]
    return found


def _copy_speed(results: Results) -> list[Bar]:
    large = (Group.LARGE_ROW_GROUP, Group.LARGE_INTEGER)
    return [
        _least(f"decode 17 MB / numpy's copy, least, {codec}", results.ratios("decode", codec, "copy", *large), 0.9)
        for codec in (OURS, LARGE_BLOCKS)
    ]


def _encode_speed(results: Results) -> list[Bar]:
    groups = {
        "float64 hot": Group.ROW_GROUP,
        "float64 17 MB": Group.LARGE_ROW_GROUP,
        "int64 hot": Group.INTEGER,
        "int64 17 MB": Group.LARGE_INTEGER,
        "columns.npz": Group.TABLE,
    }
    found = {name: results.ratios("encode", OURS, "vortex", group) for name, group in groups.items()}
    means = {name: geometric_mean(list(ratios.values())) for name, ratios in found.items()}
    least = {name: min(ratios.values(), default=_NAN) for name, ratios in found.items()}
    bars = [_least("encode / vortex, geometric mean of each group", means, 4.0)]
    return [*bars, _least("encode / vortex, least of each group", least, 4.0)]


def _published_bits(counted: Mapping[str, float]) -> list[Bar]:
    if not counted:
        return []
    excess = {name: counted[name] - SAMPLES[name] for name in SAMPLES}
    worst = max(excess, key=lambda name: excess[name])
    beyond = [name for name, bits in excess.items() if bits > 0]
    average, published = statistics.fmean(counted[name] for name in SAMPLES), statistics.fmean(SAMPLES.values())
    note = f"{worst}: {counted[worst]:.2f}, published {SAMPLES[worst]:.2f}; beyond: {', '.join(beyond) or 'none'}"
    whole = statistics.fmean(WHOLE_COLUMNS.values())
    return [
        Bar(name="bits over plain ALP, worst of 30 samples", value=excess[worst], limit=0, at_most=True, note=note),
        Bar(
            name="bits of the 30 samples, average",
            value=average,
            limit=21.7,
            at_most=True,
            note=f"plain ALP on the same values {published:.2f}, published for whole columns {whole:.2f}",
        ),
    ]


def _vortex_bits(results: Results) -> list[Bar]:
    found = results.columns(Group.TABLE, Group.ROW_GROUP)
    ours, theirs = (
        statistics.fmean(results.get(group, name, codec).bits for group, name in found) if found else _NAN
        for codec in (OURS, "vortex")
    )
    above = sum(ratio > 1 for ratio in results.ratios("bits", OURS, "vortex", Group.TABLE, Group.ROW_GROUP).values())
    note = f"means of {ours:.3f} and {theirs:.3f} bits over {len(found)} columns; we need more in {above}"
    return [
        Bar(name="bits / vortex, columns.npz + row-groups", value=ours / theirs, limit=1.02, at_most=True, note=note)
    ]


def _float32(results: Results) -> list[Bar]:
    groups = (Group.KV_CACHE, Group.EMBEDDING)
    found = {name: results.get(group, name, OURS).bits for group, name in results.columns(*groups)}
    bf16 = {name: bits for name, bits in found.items() if name in {"original", "bfloat16"}}
    true = {name: bits for name, bits in found.items() if name in {"text, true float32", "generated unit vectors"}}
    return [
        _most("bits of the kv-cache from bfloat16", bf16, 13),
        _most("bits of embeddings in true float32", true, 28),
    ]


def _most(name: str, bits: Mapping[str, float], limit: float) -> Bar:
    return Bar(name=name, value=max(bits.values(), default=_NAN), limit=limit, at_most=True, note=_listed(bits))
