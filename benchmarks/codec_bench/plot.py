"""Speed over size: one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

from codec_bench.measure import Result
from harness.report import geometric_mean

_LEAST_BITS = 0.01


def plot(results: Sequence[Result], file: Path) -> None:
    """Draw decoding speed over bits per value of each codec, one panel per group, geometric means of its columns."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    groups = list(dict.fromkeys(result.group for result in results))
    figure, axes = plt.subplots(-(-len(groups) // 2), 2, figsize=(12, 4 * -(-len(groups) // 2)), squeeze=False)
    for axis, group in zip(axes.flat, groups, strict=False):
        of_group = [result for result in results if result.group == group]
        for codec in dict.fromkeys(result.codec for result in of_group):
            found = [result for result in of_group if result.codec == codec]
            bits = geometric_mean([max(result.bits, _LEAST_BITS) for result in found])
            speed = geometric_mean([result.decode for result in found])
            axis.scatter(bits, speed)
            axis.annotate(codec, (bits, speed), fontsize=8)
        axis.set(title=group, xlabel="bits per value", ylabel="decode, GB/s", yscale="log")
    figure.tight_layout()
    figure.savefig(file, dpi=150)
    plt.close(figure)
